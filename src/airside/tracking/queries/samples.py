"""A long history in an order, and points of it by rank.

Chunks are put in order by what stands beside them. One that overlaps no other is picked from by rank; those that
overlap are merged, some in memory at a time, where a wanted point lies in them.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, repeat
from operator import gt, itemgetter
from typing import NamedTuple

from airside.core.operation import Transaction
from airside.tracking.chunk import Chunk, Columns, picked
from airside.tracking.queries import chunks, ranges
from airside.tracking.queries.chunks import Series
from airside.tracking.rules import Point

_TAIL = "SELECT {}, value, is_nan FROM metric_point WHERE run_no = ? AND key_no = ?"
_WITHIN = " AND step >= ? AND step <= ?"
ALL_STEPS = (-(1 << 63), (1 << 63) - 1)
_MERGED_AT_LEAST = 4096
MERGED_AT_MOST = 65_536
"""So many overlapping points are held at once: some 10 MB."""

Key = tuple[int, int, float, bool]
"""A point as it sorts in an order: its first two parts are step and time, or time and step."""


class Order(NamedTuple):
    """An order of points.

    Attributes:
        lead: the columns that lead in it.
        low, high: the keys that no point of a chunk is before, or behind.
        is_straight: whether a chunk's points are in this order.
        keys: the points of a chunk as keys.
    """

    lead: str
    low: Callable[[Chunk], Key]
    high: Callable[[Chunk], Key]
    is_straight: Callable[[Chunk], bool]
    keys: Callable[[Columns], list[Key]]


def _keys(lead: Sequence[int], second: Sequence[int], columns: Columns) -> list[Key]:
    if not columns.has_nan:
        return list(zip(lead, second, columns.values, repeat(False)))
    return [
        (first, then, 0.0, True) if value != value else (first, then, value, False)  # noqa: PLR0124 -- NaN
        for first, then, value in zip(lead, second, columns.values, strict=True)
    ]


BY_STEP = Order(
    "step, time_ms",
    lambda chunk: chunk.low_key,
    lambda chunk: chunk.high_key,
    lambda chunk: bool(chunk.is_by_step),
    lambda columns: _keys(columns.steps, columns.times_ms, columns),
)
BY_TIME = Order(
    "time_ms, step",
    lambda chunk: chunk.first,
    lambda chunk: chunk.last,
    lambda _chunk: True,
    lambda columns: _keys(columns.times_ms, columns.steps, columns),
)


class Part(NamedTuple):
    """Neighbouring points: a chunk that was not looked into, or points at hand, in order."""

    low: Key
    high: Key
    n_points: int
    points: Sequence[Key] = ()
    chunk: Chunk | None = None


_low = itemgetter(0)
Group = list[Part]
"""Parts that overlap, by their beginning; of several groups each ends before the next begins."""


def groups(tx: Transaction, series: Series, order: Order, steps: tuple[int, int] = ALL_STEPS) -> list[Group]:
    """All points of a series within a range of steps."""
    start, end = steps
    is_all = steps == ALL_STEPS
    parts: list[Part] = []
    cut: list[Chunk] = []
    for chunk in chunks.every(tx, series) if is_all else chunks.with_steps(tx, series, start, end):
        if start <= chunk.low_step and chunk.high_step <= end:
            parts.append(Part(order.low(chunk), order.high(chunk), chunk.n_points, (), chunk))
        else:
            cut.append(chunk)
    for _, columns in chunks.contents(tx, cut):
        inside = [point for point in columns.points() if start <= point[1] <= end]
        parts += _at_hand(sorted(order.keys(columns_of(inside))))
    parts.sort(key=_low)
    rows = tx.all(_TAIL.format(order.lead) + ("" if is_all else _WITHIN), series if is_all else (*series, *steps))
    tail = sorted((first, second, value, bool(is_nan)) for first, second, value, is_nan in rows)
    begin = 0
    for part in parts.copy():
        here = bisect_left(tail, part.low, begin)
        parts += _at_hand(tail[begin:here])
        begin = here
    parts += _at_hand(tail[begin:])
    return _grouped(sorted(parts, key=_low))


def columns_of(points: Sequence[Point]) -> Columns:
    """Points as columns."""
    times_ms = [point[0] for point in points]
    steps = [point[1] for point in points]
    values = [float("nan") if point[3] else point[2] for point in points]
    return Columns(times_ms, steps, values, has_nan=any(point[3] for point in points))


def _at_hand(points: Sequence[Key]) -> list[Part]:
    return [Part(points[0], points[-1], len(points), points)] if points else []


def _grouped(parts: Sequence[Part]) -> list[Group]:
    found: list[Group] = []
    high: Key | None = None
    for part in parts:
        if high is not None and part.low <= high:
            found[-1].append(part)
            high = max(high, part.high)
        else:
            found.append([part])
            high = part.high
    return found


def sampled(
    tx: Transaction, series: Series, steps: tuple[int, int], ranks: Callable[[int], Sequence[int]]
) -> list[Key]:
    """Points by their rank in the order (step, time, value) within a range of steps.

    Args:
        tx: the transaction.
        series: whose points.
        steps: the first and the last step, both included.
        ranks: which ranks are wanted, ascending, when there are so many points.
    """
    straight = _straight(tx, series, ranks) if steps == ALL_STEPS else None
    return _of_groups(tx, groups(tx, series, BY_STEP, steps), ranks) if straight is None else straight


def _straight(tx: Transaction, series: Series, ranks: Callable[[int], Sequence[int]]) -> list[Key] | None:
    """The same of a history whose steps and times grow together, the usual case; None when it is another."""
    spans = chunks.spans(tx, series)
    tail = sorted((row[0], row[1], row[2], bool(row[3])) for row in tx.all(_TAIL.format(BY_STEP.lead), series))
    ids, counts, are_by_step, *keys = zip(*spans, strict=True) if spans else ((),) * 7
    firsts, lasts = list(zip(*keys[:2], strict=True)), list(zip(*keys[2:], strict=True))
    firsts += [tail[0][:2]] if tail else []
    if not (all(are_by_step) and all(map(gt, firsts[1:], lasts))):
        return None
    ends = list(accumulate(counts))
    count = ends[-1] if ends else 0
    wanted = ranks(count + len(tail))
    split = bisect_left(wanted, count)
    by_chunk: dict[int, list[int]] = {}
    for rank in wanted[:split]:
        place = bisect_right(ends, rank)
        by_chunk.setdefault(place, []).append(rank - (ends[place - 1] if place else 0))
    held = chunks.bytes_of(tx, [ids[place] for place in by_chunk])
    found = [key for inside, points in zip(by_chunk.values(), held, strict=True) for key in picked(points, inside)]
    return found + [tail[rank - count] for rank in wanted[split:]]


def _of_groups(tx: Transaction, every: Sequence[Group], ranks: Callable[[int], Sequence[int]]) -> list[Key]:
    """The same of any history."""
    starts = [0, *accumulate(sum(part.n_points for part in group) for group in every)]
    wanted = ranks(starts[-1])
    found: list[Key] = []
    packed: list[tuple[Chunk, Sequence[int]]] = []
    at = 0
    for group, start, end in zip(every, starts, starts[1:], strict=False):
        begin, at = at, bisect_left(wanted, end, at)
        mine = [rank - start for rank in wanted[begin:at]]
        if not mine:
            continue
        if len(group) == 1 and group[0].chunk is not None and group[0].chunk.is_by_step:
            packed.append((group[0].chunk, mine))
            continue
        found += _picked(tx, packed)
        packed = []
        found += _ranked(tx, group, mine)
    return found + _picked(tx, packed)


def _picked(tx: Transaction, packed: Sequence[tuple[Chunk, Sequence[int]]]) -> list[Key]:
    held = chunks.bytes_of(tx, [chunk.id for chunk, _ in packed])
    return [key for (_, ranks), points in zip(packed, held, strict=True) for key in picked(points, ranks)]


def _ranked(tx: Transaction, group: Group, ranks: Sequence[int]) -> list[Key]:
    if sum(part.n_points for part in group) > MERGED_AT_MOST:
        high = max(part.high[0] for part in group)
        found_at = ranges.sorted_ranges(lambda: _contents(tx, group, BY_STEP), (group[0].low[0], high), ranks)
        return [points[rank - first] for first, points in found_at for rank in _between(ranks, first, len(points))]
    found: list[Key] = []
    passed = 0
    for points in flow(tx, group, BY_STEP):
        found += [points[rank - passed] for rank in _between(ranks, passed, len(points))]
        passed += len(points)
        if passed > ranks[-1]:
            break
    return found


def _between(ranks: Sequence[int], first: int, count: int) -> Sequence[int]:
    return ranks[bisect_left(ranks, first) : bisect_left(ranks, first + count)]


def _contents(tx: Transaction, group: Group, order: Order) -> Iterator[Sequence[Key]]:
    """The points of each part of a group."""
    contents = chunks.contents(tx, [part.chunk for part in group if part.chunk is not None])
    for part in group:
        yield part.points if part.chunk is None else order.keys(next(contents)[1])


def flow(tx: Transaction, group: Group, order: Order) -> Iterator[Sequence[Key]]:
    """The points of a group in order, some at a time.

    Parts are merged as they begin. Where so many overlap that this would hold very many points, what is left is read
    again, range by range.
    """
    held: list[Key] = []
    kept = 0
    for index, points in enumerate(_contents(tx, group, order)):
        held += points
        is_last = index + 1 == len(group)
        if not is_last and len(held) < 2 * kept + _MERGED_AT_LEAST:
            continue  # to sort after each part would be quadratic where all of them overlap
        held.sort()
        end = len(held) if is_last else bisect_left(held, group[index + 1].low)
        yield held[:end]
        del held[:end]
        kept = len(held)
        if kept > MERGED_AT_MOST:
            held.clear()
            yield from _behind(tx, group, order, group[index + 1].low)
            return


def _behind(tx: Transaction, group: Group, order: Order, low: Key) -> Iterator[Sequence[Key]]:
    """The points of a group from a key on, in order."""

    def left() -> Iterator[Sequence[Key]]:
        return ([point for point in points if point >= low] for points in _contents(tx, group, order))

    high = max(part.high[0] for part in group)
    yield from (points for _, points in ranges.sorted_ranges(left, (low[0], high), None))
