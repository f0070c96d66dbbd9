"""Spans of traces."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from airside.core.operation import Row, Transaction
from airside.tracking.traces.conventions import COST, TYPE, USAGE
from airside.tracking.traces.records import Content, Span

_PUT = (
    "INSERT INTO span (trace_no, span_id, experiment_no, parent_id, name, span_type, status, start_ns, end_ns, usage, "
    "cost, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (trace_no, span_id) DO UPDATE SET "
    "parent_id = excluded.parent_id, name = excluded.name, span_type = excluded.span_type, status = excluded.status, "
    "start_ns = excluded.start_ns, end_ns = excluded.end_ns, usage = excluded.usage, cost = excluded.cost, "
    "content = excluded.content"
)
_ADD = f"{_PUT.partition(' DO UPDATE')[0]} DO NOTHING"
_COUNT = "SELECT COUNT(*) FROM span WHERE trace_no = ?"
_NODES = "SELECT span_id, parent_id, {} FROM span WHERE trace_no = ?"
_LOAD = (
    "SELECT s.trace_no, s.span_id, s.parent_id, s.name, s.status, s.start_ns, s.end_ns, s.content FROM span s "
    "WHERE s.trace_no IN ({}) ORDER BY s.trace_no, CASE WHEN s.parent_id = '' THEN 0 ELSE 1 END, s.start_ns, s.span_id"
)
_SIZE = "SELECT COALESCE(SUM(LENGTH(content)), 0) FROM span WHERE trace_no IN ({})"
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""A NUL in JSON: PostgreSQL cannot look into a text that has one."""
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Content).decode


def put(tx: Transaction, trace: tuple[int, int], spans: Iterable[tuple[Span, str]], *, overwrites: bool = True) -> None:
    """Write spans of a trace, told by its number and its experiment's, each with its encoded content."""
    rows = [
        (
            trace[0],
            span.span_id,
            trace[1],
            span.parent_id,
            span.name,
            _text(span.attributes.get(TYPE)),
            span.status,
            span.start_ns,
            span.end_ns,
            _object(span.attributes.get(USAGE)),
            _object(span.attributes.get(COST)),
            content,
        )
        for span, content in spans
    ]
    tx.many(_PUT if overwrites else _ADD, rows)


def content_of(span: Span) -> str:
    """The text of what has no column of its own."""
    content = Content(
        attributes=span.attributes,
        status_message=span.status_message,
        kind=span.kind,
        events=span.events,
        links=span.links,
    )
    text = _encode(content).decode()
    return _NUL.sub("\\1\ufffd", text) if "\\u0000" in text else text


def count(tx: Transaction, trace_no: int) -> int:
    """How many spans a trace has."""
    row = tx.one(_COUNT, (trace_no,))
    return int(row[0]) if row else 0


def counts(tx: Transaction, numbers: Sequence[int]) -> dict[int, int]:
    """How many spans some traces have; those without any are left out."""
    marks = ", ".join("?" * len(numbers))
    sql = f"SELECT trace_no, COUNT(*) FROM span WHERE trace_no IN ({marks}) GROUP BY trace_no"
    return dict(tx.all(sql, numbers)) if numbers else {}


def size(tx: Transaction, numbers: Sequence[int]) -> int:
    """How many characters the spans of some traces have."""
    row = tx.one(_SIZE.format(", ".join("?" * len(numbers))), numbers) if numbers else None
    return int(row[0]) if row else 0


def nodes(tx: Transaction, trace_no: int, column: str) -> list[tuple[str, str, dict[str, Any] | None]]:
    """The tree of a trace's spans, with what each used (`usage` or `cost`)."""
    rows = tx.all(_NODES.format(column), (trace_no,))
    return [(row[0], row[1], None if row[2] is None else msgspec.json.decode(row[2])) for row in rows]


def load(tx: Transaction, traces: Sequence[tuple[int, str]]) -> dict[int, list[Span]]:
    """The spans of some traces, told by their numbers and the ids that their spans carry."""
    found: dict[int, list[Span]] = {}
    if not traces:
        return found
    ids = dict(traces)
    marks = ", ".join("?" * len(ids))
    for row in tx.all(_LOAD.format(marks), list(ids)):
        found.setdefault(row[0], []).append(_of_row(row, ids[row[0]]))
    return found


def _of_row(row: Row, trace_id: str) -> Span:
    content = _decode(row[7])
    return Span(
        trace_id=trace_id,
        span_id=row[1],
        parent_id=row[2],
        name=row[3],
        status=row[4],
        start_ns=row[5],
        end_ns=row[6],
        attributes=content.attributes,
        status_message=content.status_message,
        kind=content.kind,
        events=content.events,
        links=content.links,
    )


def _text(value: Any) -> str:
    return value[:200] if isinstance(value, str) else ""


def _object(value: Any) -> str | None:
    return _encode(value).decode() if isinstance(value, dict) else None
