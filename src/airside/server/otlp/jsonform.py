"""OTLP-JSON: protobuf's JSON with hexadecimal ids (opentelemetry.io/docs/specs/otlp, JSON encoding)."""

from typing import Any

import msgspec

from airside.core.errors import Invalid
from airside.server.otlp.export import (
    KINDS,
    MAX_ATTRIBUTES,
    MAX_DEPTH,
    MAX_EVENTS,
    MAX_LINKS,
    MAX_RESOURCES,
    STATUSES,
    Export,
    made,
    malformed,
)

_KINDS = {f"SPAN_KIND_{kind}": number for number, kind in enumerate(KINDS)}
_STATUSES = {f"STATUS_CODE_{status}": number for number, status in enumerate(STATUSES)}


def read_export(body: bytes) -> Export:
    """The spans of an `ExportTraceServiceRequest` in JSON.

    Raises:
        Invalid: it cannot be read, or has too much of something. Unprocessable: a span has no id.
    """
    try:
        sent = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise malformed() from None
    export = Export([], {})
    for group in _listed(_object(sent), "resourceSpans", MAX_RESOURCES):
        resource = _attributes(_object(group.get("resource") or {}))
        for scope in _listed(group, "scopeSpans", MAX_RESOURCES):
            for span in _listed(scope, "spans", None):
                export.add(_span(span), resource)
    return export


def _span(sent: dict[str, Any]) -> Any:
    status = _object(_get(sent, "status") or {})
    return made(
        {
            "trace_id": _hex(sent, "traceId"),
            "span_id": _hex(sent, "spanId"),
            "parent_id": _hex(sent, "parentSpanId"),
            "name": _text(sent, "name"),
            "kind": _enum(sent, "kind", _KINDS),
            "start_ns": _whole(sent, "startTimeUnixNano"),
            "end_ns": _whole(sent, "endTimeUnixNano"),
            "status": _enum(status, "code", _STATUSES),
            "status_message": _text(status, "message"),
            "attributes": _attributes(sent),
            "events": [_event(each) for each in _listed(sent, "events", MAX_EVENTS)],
            "links": [_link(each) for each in _listed(sent, "links", MAX_LINKS)],
        }
    )


def _event(sent: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": _text(sent, "name"),
        "time_ns": _whole(sent, "timeUnixNano"),
        "attributes": _attributes(sent),
    }


def _link(sent: dict[str, Any]) -> dict[str, Any]:
    return {
        "trace_id": _hex(sent, "traceId"),
        "span_id": _hex(sent, "spanId"),
        "attributes": _attributes(sent),
    }


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise malformed()
    return value


def _get(sent: dict[str, Any], name: str) -> Any:
    """A field by its JSON name, or by the one that the proto file has."""
    if name in sent:
        return sent[name]
    return sent.get("".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name))


def _listed(sent: dict[str, Any], name: str, limit: int | None) -> list[dict[str, Any]]:
    value = _get(sent, name) or []
    if not isinstance(value, list):
        raise malformed()
    if limit is not None and len(value) > limit:
        raise Invalid(f"A span of OpenTelemetry has more than {limit} {name}, the limit of this server.")
    return [_object(each) for each in value]


def _text(sent: dict[str, Any], name: str) -> str:
    value = _get(sent, name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise malformed()
    return value


def _hex(sent: dict[str, Any], name: str) -> str:
    digits = _text(sent, name).lower()
    if any(digit not in "0123456789abcdef" for digit in digits):
        raise malformed()
    return digits


def _whole(sent: dict[str, Any], name: str) -> int:
    return _int(_get(sent, name) or 0)


def _int(value: Any) -> int:
    if isinstance(value, str) and len(value) <= 20 and value.isascii() and value.removeprefix("-").isdigit():
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**64:
        raise malformed()
    return value


def _enum(sent: dict[str, Any], name: str, numbers: dict[str, int]) -> int:
    value = _get(sent, name)
    if isinstance(value, str):
        return numbers.get(value, 0)
    return 0 if value is None else _int(value)


def _attributes(sent: dict[str, Any], depth: int = 0, name: str = "attributes") -> dict[str, Any]:
    pairs = _listed(sent, name, MAX_ATTRIBUTES)
    return {_text(pair, "key"): _any(pair.get("value"), depth) for pair in pairs}


def _any(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise Invalid(f"A value of OpenTelemetry is nested more than {MAX_DEPTH} deep.")
    for name, one in _object(value or {}).items():
        kind = name.replace("_v", "V")
        if kind in {"arrayValue", "kvlistValue"}:
            inside = _object(one)
            if kind == "kvlistValue":
                return _attributes(inside, depth + 1, "values")
            return [_any(each, depth + 1) for each in _listed(inside, "values", None)]
        return _plain(kind, one)
    return None


def _plain(kind: str, value: Any) -> Any:
    if kind == "intValue":
        return _int(value)
    if kind == "doubleValue":
        return _double(value)
    if (kind in {"stringValue", "bytesValue"} and isinstance(value, str)) or (
        kind == "boolValue" and isinstance(value, bool)
    ):
        return value
    raise malformed()


def _double(value: Any) -> float | str:
    if isinstance(value, str) and value in {"NaN", "Infinity", "-Infinity"}:
        return value
    try:
        if not isinstance(value, bool):
            return float(value)
    except (TypeError, ValueError, OverflowError):
        pass
    raise malformed()
