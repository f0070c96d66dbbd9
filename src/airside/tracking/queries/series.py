"""Writing points: the latest moves forward, the tail grows, and is packed when it is long (docs/decisions/0012)."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

from airside.core.operation import Dialect, Row, Transaction
from airside.tracking.chunk import FULL, Chunk, parted
from airside.tracking.queries import chunks
from airside.tracking.queries.chunks import Series
from airside.tracking.rules import Point

PACK_AT = 512
"""So many points since the last time make a write pack the tail."""
LEAST = 256
"""Fewer new points than this are no chunk."""
SERIES_AT_ONCE = 2
"""How many tails one write packs: a batch of a thousand metrics must not hold the writer for seconds."""
ROWS_AT_ONCE = 4096
REWRITES_AT_ONCE = 8

SIZES = (64, 16, 4, 1)
"""How many rows one statement inserts: few sizes, so that statements stay prepared."""

_POINT: dict[Dialect, str] = {
    # by IGNORE nothing can fail, so that SQLite keeps no copy of what a statement of many rows has changed
    "sqlite": "INSERT OR IGNORE INTO metric_point (run_no, key_no, time_ms, step, value, is_nan) VALUES {}",
    "postgresql": "INSERT INTO metric_point (run_no, key_no, time_ms, step, value, is_nan) VALUES {} "
    "ON CONFLICT DO NOTHING",
}
_POINT_OF = {
    (dialect, size): text.format(", ".join(["(?, ?, ?, ?, ?, ?)"] * size))
    for dialect, text in _POINT.items()
    for size in SIZES
}
_NEWER = (
    "(excluded.step, excluded.time_ms, excluded.value) > "
    "(metric_latest.step, metric_latest.time_ms, metric_latest.value)"
)
_LATEST = (
    "INSERT INTO metric_latest (run_no, key_no, experiment_no, step, time_ms, value, is_nan, n_since_packed, "
    "packed_ms) VALUES {} ON CONFLICT (run_no, key_no) DO UPDATE SET "
    + ", ".join(
        f"{name} = CASE WHEN {_NEWER} THEN excluded.{name} ELSE metric_latest.{name} END"
        for name in ("step", "time_ms", "value", "is_nan")
    )
    + ", n_since_packed = metric_latest.n_since_packed + excluded.n_since_packed"
)
_LATEST_OF = {size: _LATEST.format(", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, -1)"] * size)) for size in SIZES}
_STATE = "SELECT key_no, n_since_packed, packed_ms FROM metric_latest WHERE run_no = ? AND key_no IN ({})"
_STATE_OF = {size: _STATE.format(", ".join("?" * size)) for size in SIZES}
_RETURNING = " RETURNING key_no, n_since_packed, packed_ms"
_LATEST_RETURNING = _LATEST_OF[1] + _RETURNING
_TAIL = (
    "SELECT time_ms, step, value, is_nan FROM metric_point WHERE run_no = ? AND key_no = ? "
    "ORDER BY time_ms, step, value, is_nan LIMIT ?"
)
_DROP_TAIL = "DELETE FROM metric_point WHERE run_no = ? AND key_no = ?"
_DROP = f"{_DROP_TAIL} AND time_ms = ? AND step = ? AND value = ? AND is_nan = ?"
_PACKED = "UPDATE metric_latest SET n_since_packed = 0, packed_ms = ? WHERE run_no = ? AND key_no = ?"

RunNumbers = tuple[int, int]
"""The number of a run and of its experiment."""

_by_rank = itemgetter(1, 0, 2)
"""Step, time, value: the greatest is the latest."""


def add(tx: Transaction, run: RunNumbers, by_key: Mapping[int, Sequence[Point]]) -> None:
    """Append points of some keys, in any order; a point that is there already is not added again."""
    _store(tx, run[0], by_key, _advanced(tx, run, by_key))


def add_one(tx: Transaction, run: RunNumbers, key: int, point: Point) -> None:
    """The same for one point, by far the most frequent: the same statements, without looking for several."""
    time_ms, step, value, is_nan = point
    latest = (run[0], key, run[1], step, time_ms, value, is_nan, 1)
    state: Row | None
    if tx.dialect == "postgresql":
        state = tx.one(_LATEST_RETURNING, latest)
    else:
        tx.run(_LATEST_OF[1], latest)
        state = tx.one(_STATE_OF[1], (run[0], key))
    if state is not None and state[1] < PACK_AT and state[2] < time_ms:
        tx.run(_POINT_OF[tx.dialect, 1], (run[0], key, *point))
    elif state is not None:
        _store(tx, run[0], {key: (point,)}, [state])


def _store(tx: Transaction, number: int, by_key: Mapping[int, Sequence[Point]], states: Sequence[Row]) -> None:
    """Add points whose latest have moved forward to the tails, and pack those that are long."""
    rows: list[Row] = []
    left = SERIES_AT_ONCE
    for key, since_packed, packed_ms in states:
        series, new = (number, key), by_key[key]
        if packed_ms >= 0 and any(point[0] <= packed_ms for point in new):
            new = _unknown(tx, series, new)
        is_long = len(new) >= PACK_AT  # sooner packed than stored as rows
        if since_packed >= PACK_AT and (left or is_long):
            left -= not is_long
            new = _packed(tx, series, new)
        rows += [(*series, *point) for point in new]
    for size, values in _sized(sorted(rows)):  # in the order of the table: neighbours are written together
        tx.run(_POINT_OF[tx.dialect, size], values)


def _sized(rows: Sequence[Row]) -> Iterator[tuple[int, Sequence[Any]]]:
    """Rows in parts that there is a statement for: how many, and their values one after another."""
    start, end = 0, len(rows)
    for size in SIZES if end > 1 else ():
        while start + size <= end:
            yield size, list(chain.from_iterable(rows[start : start + size]))
            start += size
    if end == 1:  # by far the most frequent
        yield 1, rows[0]


def _advanced(tx: Transaction, run: RunNumbers, by_key: Mapping[int, Sequence[Point]]) -> list[Row]:
    """Move the latest of each key forward; each key with what came since its last packing, and that one's end.

    The first statement of a write: on PostgreSQL it holds other writers off the series.
    """
    number, experiment_no = run
    rows = []
    for key in sorted(by_key):  # in one order, so that two servers do not wait for each other
        points = by_key[key]
        time_ms, step, value, is_nan = points[0] if len(points) == 1 else max(points, key=_by_rank)
        rows.append((number, key, experiment_no, step, time_ms, value, is_nan, len(points)))
    if tx.dialect == "postgresql":
        return [row for size, values in _sized(rows) for row in tx.all(_LATEST_OF[size] + _RETURNING, values)]
    for size, values in _sized(rows):  # SQLite asks twice sooner than it returns: rows returned become a table first
        tx.run(_LATEST_OF[size], values)
    keys = _sized([(row[1],) for row in rows])
    return [row for size, values in keys for row in tx.all(_STATE_OF[size], (number, *values))]


def _unknown(tx: Transaction, series: Series, points: Sequence[Point]) -> list[Point]:
    """The points that no chunk holds."""
    ordered = sorted(points)
    homes = chunks.around(tx, series, ordered[0], ordered[-1])
    asked = _by_home(homes, ordered)
    held = chunks.contents(tx, [homes[place] for place in asked])
    known: set[Point] = set()
    for mine, (chunk, columns) in zip(asked.values(), held, strict=True):
        known.update(point for point in mine if point <= chunk.last and columns.holds(point))
    return [point for point in points if point not in known]


def _by_home(homes: Sequence[Chunk], points: Sequence[Point]) -> dict[int, list[Point]]:
    """Points by the place of the chunk that they belong to: the last that begins at or before them, or the first."""
    if not homes:
        return {}
    firsts = [chunk.first for chunk in homes]
    found: defaultdict[int, list[Point]] = defaultdict(list)
    for point in points:
        found[max(0, bisect_right(firsts, point) - 1)].append(point)
    return found


def _packed(tx: Transaction, series: Series, new: Sequence[Point]) -> list[Point]:
    """Pack the tail and the new points as far as one write may; the new points that are still to be stored as rows."""
    tail: list[Point] = tx.all(_TAIL, (*series, ROWS_AT_ONCE))
    is_whole = len(tail) < ROWS_AT_ONCE
    # of a tail that is not read whole only what is before its end is packed: behind it a row might be the same point
    coming = sorted(set(new) if is_whole else {point for point in new if point <= tail[-1]})
    is_behind = not tail or not coming or tail[-1] < coming[0]
    points = tail + coming if is_behind else sorted({*tail, *coming})
    newest = chunks.newest(tx, series)
    if is_whole and len(points) >= LEAST and (newest is None or newest.last < points[0]):  # as nearly always
        chunks.add(tx, series, parted(points))
        tx.run(_PACKED, (points[-1][0], *series))
        tx.run(_DROP_TAIL, series)
        return []
    split = bisect_right(points, newest.last) if newest else 0
    late, fresh = points[:split], points[split:]
    moved = _joined(tx, series, late) if late else []
    if len(fresh) >= LEAST:
        chunks.add(tx, series, parted(fresh))
        moved += fresh
        packed_ms = fresh[-1][0]
    else:
        packed_ms = newest.last_ms if newest else -1
    tx.run(_PACKED, (packed_ms, *series))
    packed = set(moved)
    gone = [point for point in tail if point in packed]
    if is_whole and len(gone) == len(tail):
        tx.run(_DROP_TAIL, series)
    elif gone:
        tx.many(_DROP, [(*series, *point) for point in gone])
    return [point for point in new if point not in packed]


def _joined(tx: Transaction, series: Series, late: Sequence[Point]) -> list[Point]:
    """Put late points into the chunks that they belong to, those with the most of them first; the points that went."""
    homes = chunks.around(tx, series, late[0], late[-1]) or [next(chunks.from_point(tx, series, None))]
    places = sorted(_by_home(homes, late).items(), key=lambda item: -len(item[1]))[:REWRITES_AT_ONCE]
    moved: list[Point] = []
    for place, points in places:
        chunk = homes[place]
        whole = sorted({*chunks.content(tx, chunk).points(), *points})
        chunks.drop(tx, chunk)
        chunks.add(tx, series, parted(whole) if len(whole) > FULL else (whole,))
        moved += points
    return moved
