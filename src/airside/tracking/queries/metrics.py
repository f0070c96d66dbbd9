"""Histories of metrics."""

from airside.core.ids import RunId
from airside.core.operation import Context
from airside.core.search import PageToken, read_token, write_token
from airside.tracking.queries.keys import known_key
from airside.tracking.queries.runs import numbers
from airside.tracking.records import Metric, MetricPage

_BY_TIME = (
    "SELECT time_ms, step, value, is_nan FROM metric_point WHERE run_no = ? AND key_no = ? "
    "ORDER BY time_ms, step, value, is_nan"
)
_BEHIND = (
    "SELECT time_ms, step, value, is_nan FROM metric_point WHERE run_no = ? AND key_no = ? "
    "AND (time_ms, step, value, is_nan) > (?, ?, ?, ?) ORDER BY time_ms, step, value, is_nan LIMIT ?"
)
_BY_STEP = "SELECT step, time_ms, value, is_nan FROM metric_point WHERE run_no = ? AND key_no = ?"
_WITHIN = f"{_BY_STEP} AND step >= ? AND step <= ?"
_ORDER = " ORDER BY step, time_ms, value, is_nan"

Point = tuple[int, int, float, bool]
"""Step, time, value, and whether it is not a number."""


def page(ctx: Context, run_id: RunId, key: str, limit: int | None, token_text: str) -> MetricPage:
    """Points by time, then step, then value; all of them without a limit. Nothing for an unknown run or key."""
    found = numbers(ctx, run_id)
    number = known_key(ctx, key)
    token = read_token(token_text)
    if found is None or number is None:
        return MetricPage(items=())
    where = [found[0], number]
    more = False
    if limit is None:
        rows = ctx.tx.all(_BY_TIME, where)
    elif token.after:
        is_point = len(token.after) == 4 and all(isinstance(part, int | float) for part in token.after)
        after = [*token.after[:3], bool(token.after[3])] if is_point else [0, 0, 0.0, False]
        rows = ctx.tx.all(_BEHIND, [*where, *after, limit + 1])
    else:
        rows = ctx.tx.all(f"{_BY_TIME} LIMIT ? OFFSET ?", [*where, limit + 1, token.offset])
    if limit is not None and len(rows) > limit:
        more = True
        rows.pop()
    items = tuple(
        Metric(key=key, value=None if is_nan else value, timestamp_ms=time_ms, step=step)
        for time_ms, step, value, is_nan in rows
    )
    following = write_token(PageToken(after=(*rows[-1][:3], int(rows[-1][3])))) if more else ""
    return MetricPage(items=items, next_page_token=following)


def by_step(ctx: Context, run_id: RunId, key: str, start: int | None, end: int | None) -> list[Point]:
    """Points by step, then time, then value; within a range of steps if one is given."""
    found = numbers(ctx, run_id)
    number = known_key(ctx, key)
    if found is None or number is None:
        return []
    if start is None or end is None:
        return ctx.tx.all(_BY_STEP + _ORDER, (found[0], number))
    return ctx.tx.all(_WITHIN + _ORDER, (found[0], number, start, end))
