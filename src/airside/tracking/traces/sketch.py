"""What a batch of spans says about its trace. Pure; done before the transaction."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from airside.core.errors import Invalid, TooLarge
from airside.tracking.rules import MAX_KEY
from airside.tracking.traces.conventions import COST, INPUTS, OUTPUTS, REQUEST_ID, TRACE_TAG, USAGE, translated
from airside.tracking.traces.queries.spans import content_of
from airside.tracking.traces.records import Span, Texts, TraceState
from airside.tracking.traces.rules import (
    MAX_CONTENT,
    MAX_TEXT,
    SESSION,
    check_spans,
    checked_tag,
    json_text,
    kept_texts,
    preview,
    trace_id_of,
)

USER = "mlflow.trace.user"
_SESSIONS = ("session.id", "gen_ai.conversation.id")
_UNTOLD = ("telemetry.sdk.", "mlflow.")
"""Beginnings of the names of a resource's attributes that are not kept as tags."""


class Sketch(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a trace, ready to be written.

    Attributes:
        spans: each with its encoded content.
        root_state: of the trace as its root tells it; empty while no root came.
    """

    trace_id: str
    spans: tuple[tuple[Span, str], ...]
    start_ms: int
    end_ms: int | None
    root_state: TraceState | None
    request_preview: str | None
    response_preview: str | None
    metadata: Texts
    tags: Texts
    has_usage: bool
    has_cost: bool


def sketches(spans: tuple[Span, ...], resources: Mapping[str, Texts]) -> list[Sketch]:
    """The spans of one call by their traces.

    Raises:
        Invalid: a span cannot be kept. TooLarge: one is too large.
    """
    check_spans(spans)
    groups: dict[str, list[Span]] = {}
    for span in spans:
        groups.setdefault(trace_id_of(span), []).append(span)
    return [_sketch(trace_id, group, resources.get(group[0].trace_id, {})) for trace_id, group in groups.items()]


def _sketch(trace_id: str, group: list[Span], resource: Mapping[str, str]) -> Sketch:
    known = [told(span, trace_id) for span in {span.span_id: span for span in group}.values()]
    root = next((span for span in known if not span.parent_id), None)
    ends = [span.end_ns for span in known if span.end_ns is not None]
    inputs = root.attributes.get(INPUTS) if root else None
    outputs = root.attributes.get(OUTPUTS) if root else None
    return Sketch(
        trace_id=trace_id,
        spans=tuple((span, _content(span)) for span in known),
        start_ms=min(span.start_ns for span in known) // 1_000_000,
        end_ms=max(ends) // 1_000_000 if ends else None,
        root_state=None if root is None else "ERROR" if root.status == "ERROR" else "OK",
        request_preview=None if inputs is None else preview(inputs, "user"),
        response_preview=None if outputs is None else preview(outputs, "assistant"),
        metadata=_metadata(known),
        tags=_tags(root, resource),
        has_usage=any(isinstance(span.attributes.get(USAGE), dict) for span in known),
        has_cost=any(isinstance(span.attributes.get(COST), dict) for span in known),
    )


def told(span: Span, trace_id: str) -> Span:
    """A span as it is kept: with our words beside those of its maker."""
    attributes = translated({**span.attributes, REQUEST_ID: trace_id})
    name = span.name.replace("\0", "\ufffd")[:MAX_TEXT]
    return msgspec.structs.replace(span, attributes=attributes, name=name)


def _content(span: Span) -> str:
    try:
        content = content_of(span)
    except UnicodeEncodeError:
        raise Invalid(f"A text of the span {span.span_id} is not valid Unicode.") from None
    if len(content) > MAX_CONTENT:
        raise TooLarge(f"The span {span.span_id} is larger than {MAX_CONTENT >> 20} MiB, the limit of one span.")
    return content


def _metadata(spans: Iterable[Span]) -> Texts:
    """The session and the user that the first span names."""
    found: Texts = {}
    for span in spans:
        for key, names in ((SESSION, _SESSIONS), (USER, ("user.id",))):
            value = next((span.attributes[name] for name in names if span.attributes.get(name)), None)
            if value is not None and key not in found:
                found[key] = _plain(value)
    return kept_texts(found, "metadata")


def _tags(root: Span | None, resource: Mapping[str, str]) -> Texts:
    """The resource's attributes, and what the root's attributes say are tags; what breaks a rule is left out."""
    every = {key: value for key, value in resource.items() if not key.startswith(_UNTOLD)}
    if root is not None:
        prefix = TRACE_TAG
        every |= {key[len(prefix) :]: _plain(value) for key, value in root.attributes.items() if key.startswith(prefix)}
    kept: Texts = {}
    for key, value in list(every.items())[:MAX_KEY]:
        try:
            tag = checked_tag(key, value)
        except Invalid:
            continue
        kept[tag.key] = tag.value
    return kept


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json_text(value)
