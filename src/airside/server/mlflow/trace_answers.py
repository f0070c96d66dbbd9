"""Traces as MLflow's clients read them: protobuf's JSON of times, assessments and OpenTelemetry's spans."""

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from airside.core.clock import EPOCH, from_ms
from airside.core.errors import Invalid
from airside.server.mlflow.wire import pairs_of, present, shown, string, write
from airside.tracking.traces.records import (
    Assessment,
    Span,
    Trace,
    TraceInfo,
    TraceInfos,
    TracePage,
    Traces,
)
from airside.tracking.traces.rules import json_text

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)\Z")
_DURATION = re.compile(r"(-?)(\d{1,12})(?:\.(\d{1,9}))?s\Z")
MAX_MS = 253_402_300_799_999
"""The last millisecond of the year 9999, where protobuf's times end."""
SHOWN_KEY, SHOWN_METADATA, SHOWN_TAG = 250, 250, 4096
"""How many characters of a key, of metadata and of a tag an answer holds; searches see the whole."""


# --- times ---------------------------------------------------------------------------------------------------------


def moment(ms: int) -> str:
    """A time as protobuf's JSON has it.

    >>> moment(1_500), moment(0)
    ('1970-01-01T00:00:01.500Z', '1970-01-01T00:00:00Z')
    """
    instant = from_ms(min(max(ms, -62_135_596_800_000), MAX_MS))
    text = instant.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    part = ms % 1000
    return f"{text}.{part:03d}Z" if part else f"{text}Z"


def millis_of(value: Any, name: str) -> int:
    """Milliseconds since 1970 of a time in protobuf's JSON; parts of a millisecond are cut off.

    >>> millis_of("1970-01-01T01:00:01.5+01:00", "request_time")
    1500

    Raises:
        Invalid: it is none.
    """
    instant = _instant(_MOMENT.match(string(value, name)))
    if instant is None:
        raise Invalid(f"Invalid value {shown(value)} for parameter '{name}' supplied: it is no RFC 3339 time.")
    return (instant - EPOCH) // timedelta(milliseconds=1)


def _instant(match: re.Match[str] | None) -> datetime | None:
    if match is None:
        return None
    zone, part = "+00:00" if match[4] in "Zz" else match[4], (match[3] or "0").ljust(9, "0")[:3]
    try:
        return datetime.fromisoformat(f"{match[1]}T{match[2]}.{part}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def duration(ms: int) -> str:
    """A span of time as protobuf's JSON has it.

    >>> duration(1500), duration(2000), duration(-1500)
    ('1.500s', '2s', '-1.500s')
    """
    sign, whole, part = "-" if ms < 0 else "", *divmod(abs(ms), 1000)
    return f"{sign}{whole}.{part:03d}s" if part else f"{sign}{whole}s"


def duration_ms_of(value: Any, name: str) -> int:
    """Milliseconds of a span of time in protobuf's JSON.

    >>> duration_ms_of("1.5s", "d"), duration_ms_of("-2s", "d")
    (1500, -2000)

    Raises:
        Invalid: it is none.
    """
    match = _DURATION.match(string(value, name))
    if match is None:
        raise Invalid(f"Invalid value {shown(value)} for parameter '{name}' supplied: it is no duration such as 1.5s.")
    ms = int(match[2]) * 1000 + int((match[3] or "0").ljust(9, "0")[:3])
    return -ms if match[1] else ms


# --- version 3 -----------------------------------------------------------------------------------------------------


def info_of(info: TraceInfo) -> dict[str, Any]:
    """The head of a trace."""
    return present(
        trace_id=info.trace_id,
        client_request_id=info.client_request_id,
        trace_location={"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": info.experiment_id}},
        request_preview=info.request_preview,
        response_preview=info.response_preview,
        request_time=moment(info.request_ms),
        execution_duration=None if info.duration_ms is None else duration(info.duration_ms),
        state=info.state,
        trace_metadata=_cut(info.metadata, SHOWN_METADATA),
        assessments=[assessment_of(each) for each in info.assessments],
        tags=_cut(info.tags, SHOWN_TAG),
    )


def _cut(texts: Mapping[str, str], length: int) -> dict[str, str]:
    return {key[:SHOWN_KEY]: value[:length] for key, value in texts.items()}


def assessment_of(given: Assessment) -> dict[str, Any]:
    """An assessment."""
    return present(
        assessment_id=given.assessment_id,
        assessment_name=given.name,
        trace_id=given.trace_id,
        span_id=given.span_id,
        source=present(source_type=given.source_type, source_id=given.source_id),
        create_time=moment(given.created_ms),
        last_update_time=moment(given.updated_ms),
        rationale=given.rationale,
        metadata=given.metadata,
        overrides=given.overrides or None,
        valid=given.is_valid,
        **{given.kind: _value_of(given)},
    )


def _value_of(given: Assessment) -> dict[str, Any]:
    if given.kind == "issue":
        return present(issue_name=given.value)
    if given.kind == "expectation" and isinstance(given.value, list | dict):
        return {"serialized_value": {"serialization_format": "JSON_FORMAT", "value": json_text(given.value)}}
    error = given.error
    told = {} if error is None else {"error": {key: text for key, text in _error(error).items() if text}}
    return {"value": as_doubles(given.value), **told}


def _error(error: Any) -> dict[str, str]:
    return {
        "error_code": error.error_code,
        "error_message": error.error_message,
        "stack_trace": error.stack_trace,
    }


def as_doubles(value: Any) -> Any:
    """A value as protobuf's `Value` has it: every number is a double.

    >>> as_doubles([1, True, {"a": 2}])
    [1.0, True, {'a': 2.0}]
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return float(value) if abs(value) < 1 << 1000 else None
    if isinstance(value, list):
        return [as_doubles(each) for each in value]
    return {key: as_doubles(each) for key, each in value.items()} if isinstance(value, dict) else value


def trace_of(trace: Trace) -> dict[str, Any]:
    """A trace with its spans."""
    return present(trace_info=info_of(trace.info), spans=[span_of(span) for span in trace.spans])


def span_of(span: Span) -> dict[str, Any]:
    """A span of OpenTelemetry."""
    status = {"message": span.status_message} if span.status_message else {}
    status |= {} if span.status == "UNSET" else {"code": f"STATUS_CODE_{span.status}"}
    made = present(
        trace_id=bytes_of(span.trace_id),
        span_id=bytes_of(span.span_id),
        parent_span_id=bytes_of(span.parent_id) if span.parent_id else None,
        name=span.name,
        kind=None if span.kind == "UNSPECIFIED" else f"SPAN_KIND_{span.kind}",
        start_time_unix_nano=span.start_ns,
        end_time_unix_nano=span.end_ns,
        attributes=_pairs(span.attributes),
        events=[
            present(time_unix_nano=each.time_ns, name=each.name, attributes=_pairs(each.attributes))
            for each in span.events
        ],
        links=[
            present(
                trace_id=bytes_of(each.trace_id),
                span_id=bytes_of(each.span_id),
                attributes=_pairs(each.attributes),
            )
            for each in span.links
        ],
    )
    return {**made, "status": status}


def bytes_of(digits: str) -> str:
    """Hexadecimal digits as protobuf's JSON writes bytes."""
    return base64.b64encode(bytes.fromhex(digits)).decode()


def _pairs(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key} if value is None else {"key": key, "value": _any(value)} for key, value in attributes.items()]


def _any(value: Any) -> dict[str, Any]:
    """A value of OpenTelemetry: one field, named by its kind."""
    if isinstance(value, list):
        return {"array_value": present(values=[_any(each) for each in value])}
    if isinstance(value, dict):
        return {"kvlist_value": present(values=_pairs(value))}
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        value = float(value)
    return {} if value is None else {_FIELDS[type(value)]: value}


_FIELDS: dict[type, str] = {bool: "bool_value", str: "string_value", int: "int_value", float: "double_value"}


# --- whole answers -------------------------------------------------------------------------------------------------


def info_answer(info: TraceInfo) -> bytes:
    """`{trace: {trace_info}}`."""
    return write({"trace": {"trace_info": info_of(info)}})


def trace_answer(trace: Trace) -> bytes:
    """`{trace}`."""
    return write({"trace": trace_of(trace)})


def traces_answer(traces: Traces) -> bytes:
    """`{traces}`."""
    return write(present(traces=[trace_of(each) for each in traces.items]))


def infos_answer(infos: TraceInfos) -> bytes:
    """`{trace_infos}`."""
    return write(present(trace_infos=[info_of(each) for each in infos.items]))


def page_answer(page: TracePage) -> bytes:
    """`{traces, next_page_token}`."""
    return write(present(traces=[info_of(each) for each in page.items], next_page_token=page.next_page_token or None))


# --- version 2 -----------------------------------------------------------------------------------------------------


def old_info_of(info: TraceInfo) -> dict[str, Any]:
    """The head of a trace as MLflow 2 has it."""
    return present(
        request_id=info.trace_id,
        experiment_id=info.experiment_id,
        timestamp_ms=info.request_ms,
        execution_time_ms=info.duration_ms or 0,
        status="TRACE_STATUS_UNSPECIFIED" if info.state == "STATE_UNSPECIFIED" else info.state,
        request_metadata=pairs_of(_cut(info.metadata, SHOWN_METADATA)),
        tags=pairs_of(_cut(info.tags, SHOWN_TAG)),
    )


def old_info_answer(info: TraceInfo) -> bytes:
    """`{trace_info}`."""
    return write({"trace_info": old_info_of(info)})


def old_page_answer(page: TracePage) -> bytes:
    """`{traces, next_page_token}` of MLflow 2."""
    return write(
        present(traces=[old_info_of(each) for each in page.items], next_page_token=page.next_page_token or None)
    )
