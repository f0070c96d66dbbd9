"""Packed points: the rows of `metric_chunk`."""

from collections.abc import Iterable, Iterator, Sequence

from airside.core.operation import Transaction
from airside.tracking.chunk import Chunk, Columns, pack, unpack
from airside.tracking.rules import Point

Series = tuple[int, int]
"""The numbers of a run and of a key."""

COLUMNS = (
    "n_points, first_ms, first_step, first_value, first_nan, last_ms, last_step, last_value, last_nan, low_step, "
    "high_step, is_by_step, is_finite, least_value, least_ms, least_step, greatest_value, greatest_ms, greatest_step"
)
_SELECT = f"SELECT id, {COLUMNS} FROM metric_chunk WHERE run_no = ? AND key_no = ?"
_FIRST = "(first_ms, first_step, first_value, first_nan)"
_ORDER = "ORDER BY first_ms, first_step, first_value, first_nan"
_BACKWARD = "ORDER BY first_ms DESC, first_step DESC, first_value DESC, first_nan DESC"
_ALL = f"{_SELECT} {_ORDER}"
_SPANS = (  # from the index alone
    "SELECT id, n_points, is_by_step, first_step, first_ms, last_step, last_ms FROM metric_chunk "
    f"WHERE run_no = ? AND key_no = ? {_ORDER}"
)
_BY_STEPS = f"{_SELECT} AND high_step >= ? AND low_step <= ? {_ORDER}"
_UP_TO = f"{_SELECT} AND {_FIRST} <= (?, ?, ?, ?) {_BACKWARD} LIMIT 1"
_BEHIND = f"{_SELECT} AND {_FIRST} > (?, ?, ?, ?) {_ORDER} LIMIT ?"
_BETWEEN = f"{_SELECT} AND {_FIRST} > (?, ?, ?, ?) AND {_FIRST} <= (?, ?, ?, ?) {_ORDER}"
_NEWEST = f"{_SELECT} {_BACKWARD} LIMIT 1"
_ADD = f"INSERT INTO metric_chunk (run_no, key_no, points, {COLUMNS}) VALUES ({', '.join('?' * 22)})"
_DROP = "DELETE FROM metric_chunk WHERE id = ?"
_POINTS = "SELECT id, points FROM metric_chunk WHERE id IN ({})"
_SIZES = (1, 8, 32)
"""How many chunks one statement asks for: few sizes, so that statements stay prepared, and some 400 KB at a time."""


def every(tx: Transaction, series: Series) -> list[Chunk]:
    """All chunks of a series, in the order of histories."""
    return [Chunk._make(row) for row in tx.all(_ALL, series)]


def spans(tx: Transaction, series: Series) -> list[tuple[int, int, bool, int, int, int, int]]:
    """Of all chunks, in that order: id, how many points, whether by step, first step and time, last step and time."""
    return tx.all(_SPANS, series)


def with_steps(tx: Transaction, series: Series, start: int, end: int) -> list[Chunk]:
    """Those that may hold points of a range of steps, both ends included."""
    return [Chunk._make(row) for row in tx.all(_BY_STEPS, (*series, start, end))]


def around(tx: Transaction, series: Series, low: Point, high: Point) -> list[Chunk]:
    """Those in which points from `low` to `high` belong: no other chunk can hold one of them."""
    rows = tx.all(_UP_TO, (*series, *low))
    if low != high:
        rows += tx.all(_BETWEEN, (*series, *low, *high))
    return [Chunk._make(row) for row in rows]


def from_point(tx: Transaction, series: Series, after: Point | None) -> Iterator[Chunk]:
    """Those with points behind `after`, in the order of histories, read a few at a time."""
    if after is not None:
        for row in tx.all(_UP_TO, (*series, *after)):
            found = Chunk._make(row)
            if found.last > after:
                yield found
    at = after or (-1, 0, 0.0, False)
    while rows := tx.all(_BEHIND, (*series, *at, 64)):
        yield from map(Chunk._make, rows)
        at = Chunk._make(rows[-1]).first


def newest(tx: Transaction, series: Series) -> Chunk | None:
    """The last one in the order of histories."""
    row = tx.one(_NEWEST, series)
    return Chunk._make(row) if row else None


def bytes_of(tx: Transaction, wanted: Sequence[int]) -> Iterator[bytes]:
    """The packed points of chunks, in the order given; a few are in memory at a time."""
    for start in range(0, len(wanted), _SIZES[-1]):
        part = wanted[start : start + _SIZES[-1]]
        size = next(size for size in _SIZES if size >= len(part))
        held: dict[int, bytes] = dict(
            tx.all(_POINTS.format(", ".join("?" * size)), [*part, *[-1] * (size - len(part))])
        )
        for number in part:
            yield held[number]


def contents(tx: Transaction, chunks: Sequence[Chunk]) -> Iterator[tuple[Chunk, Columns]]:
    """Chunks with their points, in the order given."""
    return zip(chunks, map(unpack, bytes_of(tx, [chunk.id for chunk in chunks])), strict=True)


def content(tx: Transaction, chunk: Chunk) -> Columns:
    """The points of one."""
    return next(columns for _, columns in contents(tx, (chunk,)))


def add(tx: Transaction, series: Series, parts: Iterable[Sequence[Point]]) -> None:
    """Store sorted, distinct points as chunks, one for each part."""
    rows = []
    for part in parts:
        chunk, held = pack(part)
        rows.append((*series, held, *chunk[1:]))
    tx.many(_ADD, rows)


def drop(tx: Transaction, chunk: Chunk) -> None:
    """Remove one."""
    tx.run(_DROP, (chunk.id,))
