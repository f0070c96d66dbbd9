"""What is decided about traces without I/O. The texts are those of MLflow's wire (contract, section 12)."""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from airside.core.errors import Invalid
from airside.tracking import rules
from airside.tracking.records import Tag
from airside.tracking.traces.records import Assessment, NewAssessment, Span, Texts

NAME = "mlflow.traceName"
ARTIFACT_LOCATION = "mlflow.artifactLocation"
SPANS_LOCATION = "mlflow.trace.spansLocation"
IN_STORE = "TRACKING_STORE"
FINALIZED = "mlflow.trace.infoFinalized"
SOURCE_RUN = "mlflow.sourceRun"
SESSION = "mlflow.trace.session"
SIZE_STATS = "mlflow.trace.sizeStats"
MANAGED = frozenset({ARTIFACT_LOCATION, SPANS_LOCATION, "mlflow.trace.archiveLocation", "mlflow.trace.archivalFailure"})
"""Tags that the server alone writes."""

MAX_ID = 255
MAX_TEXT = 8000
MAX_PREVIEW = 1000
MAX_TAGS = 1000
MAX_ASSESSMENTS = 1000
MAX_LINKS = 100
MAX_SPANS = 20_000
MAX_CALL_SPANS = 10_000
MAX_CONTENT = 8 << 20
MAX_ANSWER = 128 << 20
MAX_SEARCH = 500
_TRACE_ID = re.compile(r"[^\x00-\x1f\x7f]{1,255}\Z")


def check_trace_id(trace_id: str) -> None:
    """Refuse what cannot be the id of a trace: clients choose them.

    Raises:
        Invalid: it is empty, too long, or has control characters.
    """
    if not _TRACE_ID.match(trace_id):
        raise Invalid(
            f"Invalid trace ID {trace_id[:100]!r}: it must have 1 to {MAX_ID} characters, all of them visible."
        )


def not_found(trace_id: str) -> str:
    """The text of a trace that is not there.

    >>> not_found("tr-0")
    "Trace with ID 'tr-0' not found."
    """
    return f"Trace with ID '{trace_id[:MAX_ID]}' not found."


def kept_tags(tags: Mapping[str, str]) -> Texts:
    """The tags of a client that are stored: without the server's own, long values cut.

    >>> kept_tags({"a": "b", "mlflow.artifactLocation": "x"})
    {'a': 'b'}

    Raises:
        Invalid: there are too many, or a key is too long.
    """
    return kept_texts({key: value for key, value in tags.items() if key not in MANAGED}, "tags")


def kept_texts(texts: Mapping[str, str], what: str) -> Texts:
    """Texts by key as they are stored: long ones are cut.

    Raises:
        Invalid: there are too many, or a key is too long.
    """
    if len(texts) > MAX_TAGS:
        raise Invalid(f"A trace can have at most {MAX_TAGS} {what}, got {len(texts)}.")
    for key in texts:
        rules.check_length(key, "key", rules.MAX_KEY)
    return {key: value[:MAX_TEXT] for key, value in texts.items()}


def kept_metadata(texts: Mapping[str, str]) -> Texts:
    """The metadata of a trace as it is stored.

    Raises:
        Invalid: there is too much of it, a key is too long, or the name of the session.
    """
    rules.check_length(texts.get(SESSION, ""), "Session ID", rules.MAX_KEY)
    return kept_texts(texts, "metadata")


def checked_tag(key: str, value: str) -> Tag:
    """A tag that a client sets.

    Raises:
        Invalid: it is the server's own, or its name breaks a rule.
    """
    check_mutable(key, "set")
    return rules.checked_tag(Tag(key=key, value=value))


def check_mutable(key: str, verb: str) -> None:
    """Refuse to touch a tag of the server's own.

    Raises:
        Invalid: it is one.
    """
    if key in MANAGED:
        raise Invalid(f"Tag '{key}' is immutable and cannot be {verb} on a trace.")


def check_spans(spans: Sequence[Span]) -> None:
    """Refuse spans that cannot be kept.

    Raises:
        Invalid: there are too many, or an id or a time is none.
    """
    if len(spans) > MAX_CALL_SPANS:
        raise Invalid(f"At most {MAX_CALL_SPANS} spans can be sent at once, got {len(spans)}. Send smaller batches.")
    for span in spans:
        if not _is_id(span.trace_id, 32) or not _is_id(span.span_id, 16):
            raise Invalid("Every span needs a trace_id of 32 and a span_id of 16 hexadecimal digits.")
        if span.parent_id and not _is_id(span.parent_id, 16):
            raise Invalid("A parent_id has 16 hexadecimal digits.")
        if not 0 <= span.start_ns < 2**63 or (span.end_ns is not None and not 0 <= span.end_ns < 2**63):
            raise Invalid("The times of a span are nanoseconds since 1970, below 2^63.")


def _is_id(text: str, size: int) -> bool:
    return len(text) == size and all(digit in "0123456789abcdef" for digit in text)


def trace_id_of(span: Span) -> str:
    """The id of the trace that a span belongs to.

    >>> trace_id_of(Span(trace_id="0" * 31 + "1", span_id="0" * 16, name="x", start_ns=0))
    'tr-00000000000000000000000000000001'
    """
    return f"tr-{span.trace_id}"


def expected_spans(metadata: Mapping[str, str]) -> int:
    """How many spans the client said that the trace has; 0 when it did not.

    >>> expected_spans({"mlflow.trace.sizeStats": '{"num_spans": 3}'}), expected_spans({})
    (3, 0)
    """
    stats = _json(metadata.get(SIZE_STATS, ""))
    count = stats.get("num_spans") if isinstance(stats, dict) else None
    return count if isinstance(count, int) and not isinstance(count, bool) else 0


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


# --- previews ------------------------------------------------------------------------------------------------------


def preview(value: Any, role: str) -> str:
    """The beginning of what came in (`user`) or went out (`assistant`): the last message of a chat, else the JSON.

    >>> preview({"messages": [{"role": "user", "content": "hi"}]}, "user")
    'hi'
    >>> preview({"x": 1}, "user")
    '{"x": 1}'
    """
    text = _last_message(value, role) or json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_PREVIEW else text[: MAX_PREVIEW - 3] + "..."


def _last_message(value: Any, role: str) -> str:
    messages = [each for each in _messages(value) if isinstance(each, dict) and "role" in each and "content" in each]
    if not messages:
        return ""
    chosen = next((each for each in reversed(messages) if each["role"] == role), messages[-1])
    content = chosen["content"]
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]
    return " ".join(texts)


def _messages(value: Any) -> list[Any]:
    """Where chat requests and answers have their messages."""
    for _ in range(3):
        if not isinstance(value, dict):
            return []
        for key in ("messages", "input", "output"):
            if isinstance(value.get(key), list) and value[key]:
                return list(value[key])
        choices = value.get("choices")
        if isinstance(choices, list) and choices and isinstance(choices[0], dict):
            return [choices[0].get("message")]
        value = value.get("request")
    return []


# --- sums over the tree of spans -----------------------------------------------------------------------------------

Node = tuple[str, str, dict[str, Any] | None]
"""A span's id, its parent's, and what it used."""


def summed(nodes: Iterable[Node], keys: Sequence[str], optional: Sequence[str] = ()) -> dict[str, int | float]:
    """What a trace used: a span that says so speaks for all below it, so that nothing counts twice.

    >>> summed([("a", "", {"n": 5}), ("b", "a", {"n": 3}), ("c", "x", {"n": 2})], ["n"])
    {'n': 7}
    """
    known = {node[0]: node for node in nodes}
    spoken: dict[str, bool] = {}
    totals: dict[str, int | float] = {}
    for own, parent, used in known.values():
        if used is None or _is_spoken_for(parent, known, spoken):
            continue
        for key in keys:
            totals[key] = totals.get(key, 0) + _figure(used.get(key))
        for key in optional:
            if key in used:
                totals[key] = totals.get(key, 0) + _figure(used[key])
        spoken[own] = True
    return totals


def _is_spoken_for(parent: str, known: Mapping[str, Node], spoken: dict[str, bool]) -> bool:
    """Whether a span at or above this one says what was used. `spoken` remembers the way up; it stops at circles."""
    path: list[str] = []
    verdict = False
    while parent in known:
        if parent in spoken:
            verdict = spoken[parent]
            break
        if known[parent][2] is not None:
            verdict = True
            break
        spoken[parent] = False
        path.append(parent)
        parent = known[parent][1]
    spoken.update(dict.fromkeys(path, verdict))
    return verdict


def _figure(value: Any) -> int | float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return value if is_number else 0


# --- assessments ---------------------------------------------------------------------------------------------------


def json_text(value: Any) -> str:
    """A value as searches see it: its JSON.

    >>> json_text(True), json_text("yes"), json_text(3.0)
    ('true', '"yes"', '3.0')
    """
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:  # not a number somewhere: JSON has no word for it
        return msgspec.json.encode(value).decode()


def figure_of(value: Any) -> float | None:
    """A value as a number, when it is one.

    >>> figure_of(3), figure_of(True), figure_of("3")
    (3.0, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > rules.LARGEST:
        return None
    return float(value) if math.isfinite(value) else None


def check_assessment(given: NewAssessment) -> None:
    """Refuse an over-long part.

    Raises:
        Invalid: there is one.
    """
    for what, text, limit in (
        ("assessment_id", given.assessment_id, MAX_ID),
        ("assessment_name", given.name, MAX_ID),
        ("source_id", given.source_id or "", MAX_ID),
        ("span_id", given.span_id or "", MAX_ID),
    ):
        rules.check_length(text, what, limit)


def merged_metadata(before: Assessment, more: Mapping[str, str]) -> Texts:
    """The metadata after a change: new texts in place of old ones."""
    return {**before.metadata, **more}
