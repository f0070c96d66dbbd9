"""What both encodings of an export request are read into."""

from typing import Any

import msgspec

from airside.core.errors import Invalid, Unprocessable
from airside.tracking.traces.records import Span, SpanEvent, SpanKind, SpanLink, SpanStatus, Texts

MAX_SPANS = 10_000
MAX_ATTRIBUTES = 1000
MAX_EVENTS = 1000
MAX_LINKS = 1000
MAX_RESOURCES = 1000
MAX_DEPTH = 32
KINDS: tuple[SpanKind, ...] = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
STATUSES: tuple[SpanStatus, ...] = ("UNSET", "OK", "ERROR")


class Export(msgspec.Struct):
    """The spans of a request, and of each trace the attributes of what made it."""

    spans: list[Span]
    resources: dict[str, Texts]

    def add(self, span: Span, resource: dict[str, Any]) -> None:
        """Take a span in.

        Raises:
            Invalid: there are too many.
        """
        if len(self.spans) >= MAX_SPANS:
            raise Invalid(f"At most {MAX_SPANS} spans can be sent at once. Send smaller batches.")
        self.spans.append(span)
        if resource and span.trace_id not in self.resources:
            self.resources[span.trace_id] = {key: _text(value) for key, value in resource.items()}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def malformed() -> Invalid:
    """The error of a request that cannot be read."""
    return Invalid("Invalid OpenTelemetry format")


def checked_id(digits: str, size: int, what: str) -> str:
    """An id as the records have it: lower-case hexadecimal digits, as many as it must have.

    Raises:
        Unprocessable: it is none.
    """
    if not digits or len(digits) > size or not digits.strip("0"):
        raise Unprocessable(
            f"Cannot convert OpenTelemetry span: its {what} must have {size // 2} bytes that are not all zero.",
            code="INVALID_PARAMETER_VALUE",
        )
    return digits.rjust(size, "0")


def made(parts: dict[str, Any]) -> Span:
    """A span of its parts, with OpenTelemetry's numbers for kind and status.

    Raises:
        Unprocessable: an id is missing.
    """
    parent = parts.get("parent_id", "")
    kind, status = parts.get("kind", 0), parts.get("status", 0)
    end_ns = parts.get("end_ns", 0)
    return Span(
        trace_id=checked_id(parts.get("trace_id", ""), 32, "trace_id"),
        span_id=checked_id(parts.get("span_id", ""), 16, "span_id"),
        parent_id=checked_id(parent, 16, "parent_span_id") if parent.strip("0") else "",
        name=parts.get("name", ""),
        kind=KINDS[kind] if 0 <= kind < len(KINDS) else "UNSPECIFIED",
        start_ns=parts.get("start_ns", 0),
        end_ns=end_ns or None,
        status=STATUSES[status] if 0 <= status < len(STATUSES) else "UNSET",
        status_message=parts.get("status_message", ""),
        attributes=parts.get("attributes", {}),
        events=tuple(SpanEvent(**each) for each in parts.get("events", ())),
        links=tuple(_link(each) for each in parts.get("links", ()) if _is_link(each)),
    )


def _is_link(parts: dict[str, Any]) -> bool:
    """Some tracers send ids that are too wide: such links are dropped, the span stays."""
    return len(parts["trace_id"]) <= 32 and len(parts["span_id"]) <= 16


def _link(parts: dict[str, Any]) -> SpanLink:
    ids = {"trace_id": parts["trace_id"].rjust(32, "0"), "span_id": parts["span_id"].rjust(16, "0")}
    return SpanLink(**{**parts, **ids})
