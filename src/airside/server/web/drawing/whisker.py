"""A check at a glance: its value with interval against its threshold, on one line."""

import math
from collections.abc import Sequence

from airside.core.record import Record

WIDTH, HEIGHT, MARGIN = 160, 20, 6


class Whisker(Record):
    """A drawn interval: x coordinates on a line of 160."""

    value_x: float | None = None
    low_x: float | None = None
    high_x: float | None = None
    limits_x: tuple[float, ...] = ()
    width: int = WIDTH
    height: int = HEIGHT


def whisker(value: float | None, low: float | None, high: float | None, limits: Sequence[float] = ()) -> Whisker:
    """Lay out an interval and its limits; what is unknown or not finite is left out.

    >>> w = whisker(0.8, 0.7, 0.9, [0.75])
    >>> w.low_x < w.limits_x[0] < w.value_x < w.high_x
    True
    """
    known = [x for x in (value, low, high, *limits) if x is not None and math.isfinite(x)]
    if not known:
        return Whisker()
    least, most = min(known), max(known)
    room = (most - least) * 0.12 or abs(most) * 0.05 or 1.0
    least, most = least - room, most + room

    def x(at: float | None) -> float | None:
        if at is None or not math.isfinite(at):
            return None
        return round(MARGIN + (at - least) / (most - least) * (WIDTH - 2 * MARGIN), 1)

    drawn = tuple(at for at in map(x, limits) if at is not None)
    return Whisker(value_x=x(value), low_x=x(low), high_x=x(high), limits_x=drawn)
