"""Traces of an MLflow database: their heads, their spans and what was thought of them (since release 3)."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, get_args

import msgspec

from airside.client.imports.mlflow.schema import MlflowTables, decoded, marks
from airside.core.ids import ExperimentId, RunId
from airside.core.operation import Row
from airside.tracking.imports.records import ImportedSpans, ImportedTrace
from airside.tracking.traces.conventions import COSTS, USED, USED_BESIDES
from airside.tracking.traces.records import (
    Assessment,
    AssessmentError,
    AssessmentKind,
    Span,
    SpanEvent,
    SpanKind,
    SpanLink,
    SpanStatus,
    TraceInfo,
    TraceState,
)
from airside.tracking.traces.rules import ARTIFACT_LOCATION, NAME, SESSION

NEW = ("client_request_id", "request_preview", "response_preview")
PROMOTED = ("trace_name", "session_id", *USED, *USED_BESIDES, *COSTS)
TOKENS, COST = "mlflow.trace.tokenUsage", "mlflow.trace.cost"
AT_ONCE = 100
SPANS_AT_ONCE = 500
CHARACTERS_AT_ONCE = 4 << 20
KINDS, STATES, STATUSES = (frozenset(get_args(one)) for one in (AssessmentKind, TraceState, SpanStatus))
SPAN_KINDS: dict[str, SpanKind] = {kind: kind for kind in get_args(SpanKind)}


def count(tables: MlflowTables) -> int:
    """How many there are."""
    return tables.count("trace_info")


def read(tables: MlflowTables, after: str = "") -> Iterator[tuple[str, tuple[ImportedTrace, ...]]]:
    """Traces by their ids, a hundred at a time, without their spans."""
    if not tables.has("trace_info"):
        return
    new = ", ".join(tables.column("trace_info", name) for name in (*NEW, *PROMOTED))
    sql = (
        f"SELECT request_id, experiment_id, timestamp_ms, execution_time_ms, status, {new} FROM trace_info "
        "WHERE {after} ORDER BY request_id"
    )
    for rows in tables.pages(sql, 1, AT_ONCE, [after] if after else []):
        yield rows[-1][0], tuple(_filled(tables, rows))


def _filled(tables: MlflowTables, rows: Sequence[Row]) -> Iterator[ImportedTrace]:
    ids = [row[0] for row in rows]
    pair = ['"key"', "value"]
    tags = tables.grouped(pair, "trace_tags", "request_id", ids, lambda r: (r[0], r[1] or ""))
    metadata = tables.grouped(pair, "trace_request_metadata", "request_id", ids, lambda r: (r[0], r[1] or ""))
    links = tables.grouped(
        ["destination_type", "destination_id"],
        "entity_associations",
        "source_id",
        ids,
        lambda r: (str(r[0]), str(r[1])),
        " AND source_type = 'trace'",
    )
    thoughts = _assessments(tables, ids)
    for row in rows:
        trace_id, experiment_id, request_ms, duration_ms, status, client_request_id, request, response, *more = row
        promoted = dict(zip(PROMOTED, more, strict=True))
        info = TraceInfo(
            trace_id=trace_id,
            experiment_id=ExperimentId(str(experiment_id)),
            request_ms=request_ms or 0,
            duration_ms=duration_ms,
            state=status if status in STATES else "STATE_UNSPECIFIED",
            client_request_id=client_request_id,
            request_preview=request,
            response_preview=response,
            metadata=dict(metadata.get(trace_id, ())) | _metadata(promoted),
            tags=dict(tags.get(trace_id, ())) | ({NAME: promoted["trace_name"]} if promoted["trace_name"] else {}),
            assessments=tuple(thoughts.get(trace_id, ())),
        )
        yield ImportedTrace(
            info=info,
            run_ids=tuple(RunId(target) for kind, target in links.get(trace_id, ()) if kind == "run"),
            prompts=tuple(target for kind, target in links.get(trace_id, ()) if kind == "prompt_version"),
        )


def _metadata(promoted: dict[str, Any]) -> dict[str, str]:
    """The metadata that release 3.17 keeps in columns of their own, as its clients see them."""
    told = {SESSION: promoted["session_id"]} if promoted["session_id"] is not None else {}
    for key, names in ((TOKENS, (*USED, *USED_BESIDES)), (COST, COSTS)):
        figures = {name: promoted[name] for name in names if promoted[name] is not None}
        if figures:
            told[key] = json.dumps(figures)
    return told


def _assessments(tables: MlflowTables, ids: Sequence[str]) -> dict[str, list[Assessment]]:
    columns = (
        "assessment_id, trace_id, name, assessment_type, value, error, source_type, source_id, span_id, rationale, "
        "assessment_metadata, overrides, valid, created_timestamp, last_updated_timestamp"
    )
    found = tables.grouped(columns.split(", "), "assessments", "trace_id", ids, _assessment)
    return {key: sorted(each, key=lambda one: (one.created_ms, one.assessment_id)) for key, each in found.items()}


def _assessment(row: Row) -> Assessment:
    assessment_id, trace_id, name, kind, value, error, source_type, source_id, span_id, rationale, *more = row
    metadata, overrides, valid, created_ms, updated_ms = more
    told = decoded(value)
    return Assessment(
        assessment_id=assessment_id,
        trace_id=trace_id,
        name=name,
        kind=kind if kind in KINDS else "feedback",
        value=told.get("issue_name") if kind == "issue" and isinstance(told, dict) else told,
        error=_error(decoded(error)),
        source_type=source_type or "SOURCE_TYPE_UNSPECIFIED",
        source_id=source_id,
        span_id=span_id,
        rationale=rationale,
        metadata=_texts(decoded(metadata)),
        overrides=overrides or "",
        is_valid=bool(valid),
        created_ms=created_ms or 0,
        updated_ms=updated_ms or 0,
    )


def _error(given: Any) -> AssessmentError | None:
    return AssessmentError(**{key: given.get(key) or "" for key in _ERROR}) if isinstance(given, dict) else None


_ERROR = ("error_code", "error_message", "stack_trace")


def _texts(given: Any) -> dict[str, str]:
    return {str(key): str(value) for key, value in given.items()} if isinstance(given, dict) else {}


def span_counts(tables: MlflowTables, trace_ids: Sequence[str]) -> dict[str, int]:
    """How many spans some traces have."""
    if not trace_ids or not tables.has("spans"):
        return {}
    sql = f"SELECT trace_id, COUNT(*) FROM spans WHERE trace_id IN ({marks(trace_ids)}) GROUP BY trace_id"
    return {trace_id: int(number) for trace_id, number in tables.source.all(sql, trace_ids)}


def read_spans(tables: MlflowTables, trace_ids: Sequence[str]) -> Iterator[tuple[ImportedSpans, ...]]:
    """The spans of some traces, some hundreds at a time."""
    if not trace_ids or not tables.has("spans"):
        return
    sql = (
        "SELECT trace_id, span_id, parent_span_id, name, status, start_time_unix_nano, end_time_unix_nano, content "
        f"FROM spans WHERE trace_id IN ({marks(trace_ids)}) ORDER BY trace_id, span_id"
    )
    held: dict[str, list[Span]] = {}
    number = size = 0
    for trace_id, *row in tables.source.stream(sql, trace_ids):
        held.setdefault(trace_id, []).append(_span(trace_id, row))
        number, size = number + 1, size + len(row[-1])
        if number == SPANS_AT_ONCE or size >= CHARACTERS_AT_ONCE:
            yield _held(held)
            held, number, size = {}, 0, 0
    if held:
        yield _held(held)


def _held(held: dict[str, list[Span]]) -> tuple[ImportedSpans, ...]:
    return tuple(ImportedSpans(trace_id=trace_id, spans=tuple(spans)) for trace_id, spans in held.items())


def _span(trace_id: str, row: Sequence[Any]) -> Span:
    """A span of its row; what has no column is in its content, each attribute a text of JSON."""
    span_id, parent_id, name, status, start_ns, end_ns, text = row
    content = decoded(text) if text else {}
    content = content if isinstance(content, dict) else {}
    told = content.get("status")
    kind = str(content.get("kind", "")).removeprefix("SPAN_KIND_")
    return Span(
        trace_id=trace_id.removeprefix("tr-"),
        span_id=span_id,
        name=name or "",
        parent_id=parent_id or "",
        kind=SPAN_KINDS.get(kind, "UNSPECIFIED"),
        start_ns=start_ns,
        end_ns=end_ns,
        status=status if status in STATUSES else "UNSET",
        status_message=(told.get("message") or "") if isinstance(told, dict) else "",
        attributes={key: _opened(value) for key, value in (content.get("attributes") or {}).items()},
        events=tuple(_event(each) for each in content.get("events") or ()),
        links=tuple(_link(each) for each in content.get("links") or ()),
    )


def _opened(value: Any) -> Any:
    """What a text of JSON stands for; a text that is none stands for itself."""
    if not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return value


def _event(given: dict[str, Any]) -> SpanEvent:
    return SpanEvent(
        name=given.get("name") or "",
        time_ns=int(given.get("time_unix_nano") or given.get("timestamp") or 0),
        attributes=given.get("attributes") or {},
    )


def _link(given: dict[str, Any]) -> SpanLink:
    return SpanLink(
        trace_id=str(given.get("trace_id", "")).removeprefix("tr-"),
        span_id=str(given.get("span_id", "")),
        attributes=given.get("attributes") or {},
    )


def locations(tables: MlflowTables, trace_ids: Sequence[str]) -> dict[str, str]:
    """Where the files of some traces lie, as the source addresses them."""
    found = tables.grouped(
        ["value"], "trace_tags", "request_id", trace_ids, lambda r: str(r[0]), f" AND \"key\" = '{ARTIFACT_LOCATION}'"
    )
    return {trace_id: values[0] for trace_id, values in found.items() if values[0]}
