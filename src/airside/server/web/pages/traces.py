"""Traces: what an application did for each request, step by step, and what was thought of it."""

import json
import math
from typing import Any

from airside.core.clock import from_ms
from airside.core.errors import Invalid
from airside.core.ids import ExperimentId
from airside.core.record import Record
from airside.server.web.completing import quoted
from airside.server.web.drawing.timeline import Bar, timeline
from airside.server.web.page import Call, Crumb, PageQuery, Table, Trouble, View, address, attempt, block
from airside.server.web.pages.experiments import asked, head_order
from airside.server.web.pages.said import Said, said, written
from airside.tracking.operations.experiments import GetExperiment
from airside.tracking.traces.conventions import COST, INPUTS, MODEL, OUTPUTS, TYPE, USAGE
from airside.tracking.traces.operations.assessments import CreateAssessment
from airside.tracking.traces.operations.reading import GetTrace, GetTraceInfo, SearchTraces
from airside.tracking.traces.records import NewAssessment, Span, SpanEvent, Trace, TraceInfo, TracePage
from airside.tracking.traces.rules import NAME, SESSION, SOURCE_RUN

TOKENS, TRACE_COST, USER = "mlflow.trace.tokenUsage", "mlflow.trace.cost", "mlflow.trace.user"
SPANS_SHOWN = 200
SHOWN_APART = frozenset({TYPE, INPUTS, OUTPUTS, USAGE, COST, MODEL, "mlflow.traceRequestId"})
"""Attributes of a span that have a place of their own on the page."""
HEADS = (
    *("trace_id", "name", "started_at", "state", "duration_ms", "total_tokens", "total_cost", "session", "user"),
    *("run_id", "request", "response"),
)
LOOKS = {
    **dict.fromkeys(("LLM", "CHAT_MODEL"), ("zap", 1)),
    **dict.fromkeys(("RETRIEVER", "RERANKER"), ("search", 3)),
    **dict.fromkeys(("AGENT", "WORKFLOW", "CHAIN"), ("workflow", 8)),
    **dict.fromkeys(("TOOL", "TASK"), ("settings", 2)),
    "EMBEDDING": ("box", 7),
    "MEMORY": ("database", 5),
    "PARSER": ("file-text", 6),
    **dict.fromkeys(("GUARDRAIL", "EVALUATOR"), ("shield-check", 4)),
}
"""The icon and the colour of each type of span."""
EXCEPTION = "exception"


class Judged(Record):
    """A name that was assessed in a trace, and its newest value. `state` colours a yes and a no."""

    name: str
    words: str
    state: str


class TraceRow(Record):
    """A trace as a row: what its metadata say of it, apart. `session_filter` finds the others of its session."""

    it: TraceInfo
    name: str
    request: str
    response: str
    tokens: dict[str, Any]
    cost: float | None
    session: str
    user: str
    run_id: str
    session_filter: str
    judged: tuple[Judged, ...]


class SpanView(Record):
    """One span, opened."""

    it: Span
    type: str
    offset_ms: float
    duration_ms: float | None
    inputs: Said
    outputs: Said
    model: str
    tokens: dict[str, Any]
    cost: float | None
    rest: tuple[tuple[str, str], ...]
    exceptions: tuple[tuple[str, str], ...]
    events: tuple[tuple[SpanEvent, float], ...]


def traces(call: Call, query: PageQuery) -> View:
    """The traces of an experiment: `filter=` in the search language, the newest first."""
    experiment = call(GetExperiment(experiment_id=ExperimentId(query.names["experiment"])))
    order, text = query.arguments.get("order", ""), query.arguments.get("filter", "")
    found = attempt(call, SearchTraces(**asked(query, experiment.experiment_id)))
    page = TracePage(items=()) if isinstance(found, Trouble) else found
    rows = tuple(row(one) for one in page.items)
    return View(
        template="traces.html",
        title=f"Traces of {experiment.name}",
        place="Experiments",
        crumbs=(
            Crumb(text="Experiments", href="/experiments"),
            Crumb(text=experiment.name, href=address("/experiments/{}/runs", experiment.experiment_id)),
            Crumb(text="Traces"),
        ),
        shows={
            "experiment": experiment,
            "found": found,
            "page": page,
            "rows": rows,
            "order": order,
            "text": text,
            "head_order": head_order,
        },
        data=found,
        table=Table(heads=HEADS, rows=tuple(_cells(one) for one in rows)),
    )


def row(info: TraceInfo) -> TraceRow:
    """A trace with what its metadata say of it."""
    return TraceRow(
        it=info,
        name=info.tags.get(NAME, ""),
        request=preview_words(info.request_preview or ""),
        response=preview_words(info.response_preview or ""),
        tokens=_object(info.metadata.get(TOKENS)),
        cost=_total(_object(info.metadata.get(TRACE_COST))),
        session=info.metadata.get(SESSION, ""),
        user=info.metadata.get(USER, ""),
        run_id=info.metadata.get(SOURCE_RUN, ""),
        session_filter=f"metadata.`{SESSION}` = {quoted(info.metadata.get(SESSION, ''))}",
        judged=judged(info),
    )


def preview_words(text: str) -> str:
    r"""The beginning of a request or an answer as words: JSON without its signs, while it is whole.

    >>> preview_words('{"question": "Where is it?", "order": 7}'), preview_words('"yes"'), preview_words('{"cut')
    ('question: Where is it? · order: 7', 'yes', '{"cut')
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if isinstance(value, dict) and value:
        return " · ".join(f"{key}: {_in_line(each)}" for key, each in value.items())
    return _in_line(value)


def _in_line(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cells(one: TraceRow) -> tuple[object, ...]:
    it = one.it
    return (
        *(it.trace_id, one.name, from_ms(it.request_ms), it.state, it.duration_ms, one.tokens.get("total_tokens")),
        *(one.cost, one.session, one.user, one.run_id, it.request_preview, it.response_preview),
    )


def _object(value: Any) -> dict[str, Any]:
    """A dictionary, or the text of one; anything else is empty."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _total(cost: dict[str, Any]) -> float | None:
    total = cost.get("total_cost")
    return float(total) if isinstance(total, int | float) and not isinstance(total, bool) else None


def judged(info: TraceInfo) -> tuple[Judged, ...]:
    """The assessments of a trace that are in force, by name: the last said of each."""
    by_name = {one.name: one for one in sorted(info.assessments, key=lambda one: one.updated_ms) if one.is_valid}
    return tuple(
        Judged(name=one.name, words=value_words(one.value), state=_judgement(one.kind, one.value))
        for one in by_name.values()
    )


def value_words(value: Any) -> str:
    """The value of an assessment in a word.

    >>> value_words(True), value_words(0.5), value_words({"a": 1}), value_words(None)
    ('yes', '0.5', '{"a": 1}', 'no value')
    """
    if value is None:
        return "no value"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _in_line(value)


def _judgement(kind: str, value: Any) -> str:
    words = value.lower() if isinstance(value, str) else value
    if kind == "feedback" and (words is True or words in ("yes", "pass")):
        return "ok"
    return "bad" if kind == "feedback" and (words is False or words in ("no", "fail")) else ""


def trace(call: Call, query: PageQuery) -> View:
    """One trace: its spans on an axis of time, one of them opened by `span=`."""
    trace_id = query.names["trace"]
    info = call(GetTraceInfo(trace_id=trace_id))
    experiment = call(GetExperiment(experiment_id=info.experiment_id))
    whole = block(lambda: call(GetTrace(trace_id=trace_id, allow_partial=True)))
    bars = () if isinstance(whole, Trouble) else timeline(whole.spans)
    chosen = next((bar for bar in bars if bar.span.span_id == query.arguments.get("span")), next(iter(bars), None))
    first = _first_row(query, bars, chosen)
    it = row(info)
    return View(
        template="trace.html",
        title=it.name or info.trace_id,
        place="Experiments",
        crumbs=(
            Crumb(text="Experiments", href="/experiments"),
            Crumb(text=experiment.name, href=address("/experiments/{}/runs", experiment.experiment_id)),
            Crumb(text="Traces", href=address("/experiments/{}/traces", experiment.experiment_id)),
            Crumb(text=it.name or info.trace_id),
        ),
        shows={
            "row": it,
            "whole": whole,
            "bars": bars[first : first + SPANS_SHOWN],
            "first": first,
            "n_spans": len(bars),
            "size": SPANS_SHOWN,
            "names": {bar.span.span_id: bar.span.name for bar in bars},
            "chosen": opened(chosen.span, bars[0].span.start_ns) if chosen else None,
            "looks": LOOKS,
            "TYPE": TYPE,
            "value_words": value_words,
            "tags": {key: value for key, value in info.tags.items() if not key.startswith("mlflow.")},
        },
        data=whole if not isinstance(whole, Trouble) else Trace(info=info),
        table=Table(heads=SPAN_HEADS, rows=tuple(_span_cells(bar) for bar in bars)),
    )


SPAN_HEADS = ("span_id", "parent_id", "name", "type", "depth", "status", "start_ns", "duration_ms")


def _span_cells(bar: Bar) -> tuple[object, ...]:
    it = bar.span
    head = (it.span_id, it.parent_id, it.name, it.attributes.get(TYPE), bar.depth, it.status, it.start_ns)
    return (*head, _milliseconds(it))


def _first_row(query: PageQuery, bars: tuple[Bar, ...], chosen: Bar | None) -> int:
    """The first span of a long trace that is listed: as asked, else so that the opened one is among them."""
    at = bars.index(chosen) if chosen and "from" not in query.arguments else 0
    asked = query.number("from", at // SPANS_SHOWN * SPANS_SHOWN, least=0, most=max(len(bars) - 1, 0))
    return asked // SPANS_SHOWN * SPANS_SHOWN


def _milliseconds(span: Span) -> float | None:
    return None if span.end_ns is None else (span.end_ns - span.start_ns) / 1e6


def opened(span: Span, start_ns: int) -> SpanView:
    """A span with everything in its place."""
    told = span.attributes
    rest = [(key, written(value)) for key, value in told.items() if key not in SHOWN_APART]
    failed = [one.attributes for one in span.events if one.name == EXCEPTION]
    return SpanView(
        it=span,
        type=str(told.get(TYPE, "")),
        offset_ms=(span.start_ns - start_ns) / 1e6,
        duration_ms=_milliseconds(span),
        inputs=said(told.get(INPUTS)),
        outputs=said(told.get(OUTPUTS)),
        model=str(told.get(MODEL, "")),
        tokens=_object(told.get(USAGE)),
        cost=_total(_object(told.get(COST))),
        rest=tuple((key, value[:2000]) for key, value in rest[:100]),
        exceptions=tuple((_raised(one), written(one.get("exception.stacktrace", ""))[:20_000]) for one in failed[:10]),
        events=tuple((one, (one.time_ns - start_ns) / 1e6) for one in span.events[:100] if one.name != EXCEPTION),
    )


def _raised(told: dict[str, Any]) -> str:
    kind, message = told.get("exception.type", "exception"), told.get("exception.message", "")
    return f"{kind}: {message}" if message else str(kind)


def assess(call: Call, query: PageQuery) -> View:
    """Say what one thinks of a trace, by a form.

    Raises:
        Invalid: the form names nothing.
    """
    trace_id, form = query.names["trace"], query.form
    if not form.get("name", "").strip():
        raise Invalid("An assessment needs a name, such as 'helpful'. Go back and give one.")
    given = NewAssessment(
        name=form["name"].strip(),
        kind="feedback",
        value=_value(form.get("value", "")),
        source_type="HUMAN",
        source_id=query.actor,
        rationale=form.get("rationale") or None,
        span_id=form.get("span") or None,
    )
    made = call(CreateAssessment(trace_id=trace_id, assessment=given))
    return View(redirect=address("/traces/{}", trace_id, span=form.get("span", "")) + "#assessments", data=made)


def _value(text: str) -> bool | float | str:
    """What was typed: yes and no are claims, a number is a number.

    >>> _value("yes"), _value("0.5"), _value("so so")
    (True, 0.5, 'so so')
    """
    word = text.strip()
    if word.lower() in {"yes", "no"}:
        return word.lower() == "yes"
    try:
        number = float(word)
    except ValueError:
        return word
    return number if math.isfinite(number) else word
