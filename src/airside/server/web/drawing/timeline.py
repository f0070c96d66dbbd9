"""A trace as a tree on an axis of time: each span a row, in the order in which a reader follows it."""

from collections import defaultdict
from collections.abc import Sequence

from airside.core.record import Record
from airside.tracking.traces.records import Span

WIDTH = 1000
LEAST = 4
"""The width of the shortest bar: a span that took no time can still be seen."""
MAX_DEPTH = 12
"""Deeper spans are indented no further."""


class Bar(Record):
    """A span's row: how deep it stands, and its bar on an axis of 1,000."""

    span: Span
    depth: int
    x: float
    width: float


def timeline(spans: Sequence[Span]) -> tuple[Bar, ...]:
    """The rows of a trace: a span, then those below it by their start. Whose parent is not there is a root.

    >>> spans = [Span(trace_id="0" * 32, span_id=i, parent_id=p, name=i, start_ns=s, end_ns=e)
    ...          for i, p, s, e in (("b", "a", 5, 10), ("a", "", 0, 10), ("c", "gone", 2, 4))]
    >>> [(bar.span.name, bar.depth, bar.x, bar.width) for bar in timeline(spans)]
    [('a', 0, 0.0, 1000.0), ('b', 1, 500.0, 500.0), ('c', 0, 200.0, 200.0)]
    """
    if not spans:
        return ()
    least = min(span.start_ns for span in spans)
    most = max(span.start_ns if span.end_ns is None else max(span.start_ns, span.end_ns) for span in spans)
    return tuple(_bar(span, depth, least, max(most - least, 1)) for span, depth in _ordered(spans))


def _ordered(spans: Sequence[Span]) -> list[tuple[Span, int]]:
    """Depth first. Clients choose the ids: a circle of parents is cut where it starts first."""
    by_start = sorted(spans, key=lambda span: (span.start_ns, span.span_id))
    known = {span.span_id for span in spans}
    below: dict[str, list[Span]] = defaultdict(list)
    for span in by_start:
        below[span.parent_id].append(span)
    found: list[tuple[Span, int]] = []
    seen: set[str] = set()
    for start in (*(span for span in by_start if span.parent_id not in known), *by_start):
        waiting = [(start, 0)]
        while waiting:
            span, depth = waiting.pop()
            if span.span_id in seen:
                continue
            seen.add(span.span_id)
            found.append((span, min(depth, MAX_DEPTH)))
            waiting += [(child, depth + 1) for child in reversed(below[span.span_id])]
    return found


def _bar(span: Span, depth: int, least: int, length: int) -> Bar:
    end = least + length if span.end_ns is None else max(span.start_ns, span.end_ns)
    width = max((end - span.start_ns) / length * WIDTH, LEAST)
    x = min((span.start_ns - least) / length * WIDTH, WIDTH - width)
    return Bar(span=span, depth=depth, x=round(max(x, 0), 1), width=round(width, 1))
