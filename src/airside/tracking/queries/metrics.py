"""Histories of metrics: packed chunks and the tail of rows, as one (docs/decisions/0012)."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from airside.core.ids import RunId
from airside.core.operation import Context, Transaction
from airside.core.search import PageToken, read_token, write_token
from airside.tracking.chunk import Columns
from airside.tracking.queries import chunks
from airside.tracking.queries.chunks import Series
from airside.tracking.queries.keys import known_key
from airside.tracking.queries.runs import numbers
from airside.tracking.rules import Point

_TAIL = "SELECT time_ms, step, value, is_nan FROM metric_point WHERE run_no = ? AND key_no = ?"
_ORDER = " ORDER BY time_ms, step, value, is_nan"
_BEHIND = f"{_TAIL} AND (time_ms, step, value, is_nan) > (?, ?, ?, ?){_ORDER} LIMIT ?"
_FROM_START = f"{_TAIL}{_ORDER} LIMIT ?"
_BEFORE_ALL: Point = (-1, 0, 0.0, False)


def series_of(ctx: Context, run_id: RunId, key: str) -> Series | None:
    """The numbers of a run and of a metric; None when one of them is unknown."""
    found = numbers(ctx, run_id)
    number = known_key(ctx, key)
    return None if found is None or number is None else (found[0], number)


def page(ctx: Context, run_id: RunId, key: str, limit: int, token_text: str) -> tuple[list[Columns], str]:
    """Points by time, then step, then value, and the next page's token. Nothing for an unknown run or key."""
    found = series_of(ctx, run_id, key)
    token = read_token(token_text)
    if found is None:
        return [], ""
    after = _point_of(token.after) if token.after else None
    parts: list[Columns] = []
    skipped, left = token.offset, limit + 1
    for part in _in_order(ctx.tx, found, after, skipped + left):
        count = len(part.values)
        if skipped >= count:
            skipped -= count
            continue
        cut = _cut(part, skipped, skipped + left)
        skipped = 0
        left -= len(cut.values)
        parts.append(cut)
        if not left:
            break
    if left:
        return parts, ""
    parts[-1] = _cut(parts[-1], 0, len(parts[-1].values) - 1)
    parts = [part for part in parts if part.values]
    last = parts[-1].point(len(parts[-1].values) - 1)
    return parts, write_token(PageToken(after=(*last[:3], int(last[3]))))


def _point_of(after: Sequence[object]) -> Point:
    """What a token names; a token of something else begins at the start."""
    if len(after) != 4 or not all(isinstance(part, int | float) for part in after):
        return _BEFORE_ALL
    time_ms, step, value, is_nan = after
    return int(time_ms), int(step), float(value), bool(is_nan)  # type: ignore[call-overload,arg-type]  # looked at above


def _in_order(tx: Transaction, series: Series, after: Point | None, wanted: int) -> Iterator[Columns]:
    """The points behind one, in the order of histories, part by part. At least `wanted` of them, if there are."""
    where = (*series, *after) if after else series
    tail = [_as_point(row) for row in tx.all(_BEHIND if after else _FROM_START, (*where, wanted))]
    used = 0
    for chunk in chunks.from_point(tx, series, after):
        columns = chunks.content(tx, chunk)
        if after is not None and chunk.first <= after:
            points = columns.points()
            columns = _columns(points[bisect_right(points, after) :])
        end = bisect_right(tail, chunk.last, used)
        if end > used:
            columns = _columns(sorted({*tail[used:end], *columns.points()}))
            used = end
        yield columns
    if used < len(tail):
        yield _columns(tail[used:])


def _as_point(row: Sequence[object]) -> Point:
    time_ms, step, value, is_nan = row
    return time_ms, step, value, bool(is_nan)  # type: ignore[return-value]  # as the columns are declared


def _columns(points: Sequence[Point]) -> Columns:
    if not points:
        return Columns((), (), (), has_nan=False)
    times_ms, steps, values, nans = zip(*points, strict=True)
    if not any(nans):
        return Columns(times_ms, steps, values, has_nan=False)
    marked = [float("nan") if is_nan else value for value, is_nan in zip(values, nans, strict=True)]
    return Columns(times_ms, steps, marked, has_nan=True)


def _cut(part: Columns, start: int, end: int) -> Columns:
    if start == 0 and end >= len(part.values):
        return part
    return Columns(part.times_ms[start:end], part.steps[start:end], part.values[start:end], part.has_nan)
