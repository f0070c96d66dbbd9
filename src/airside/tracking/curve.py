"""Which points of a curve are sent. Pure.

For drawing: the lowest and the highest value under each pixel column, so that no spike is lost (design of the
interface, section 8). For MLflow's clients: evenly by rank (wire contract, section 5.4).
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Literal

from airside.core.ids import RunId
from airside.core.record import Record
from airside.tracking.records import Curve
from airside.tracking.rules import LARGEST

Point = tuple[int, int, float, bool]
"""Step, time in milliseconds, value, and whether it is not a number."""


class View(Record):
    """What is to be drawn: the axis, the range on it, the width in pixels, the smoothing."""

    axis: Literal["step", "relative", "wall"] = "step"
    start: float | None = None
    end: float | None = None
    width: int = 600
    smoothing: float = 0.0
    is_log: bool = False


def sampled_ranks(n_points: int, wanted: int) -> list[int]:
    """The ranks of an even sample: all when there are few, else `wanted` of them, the last point always.

    >>> sampled_ranks(10, 4)
    [0, 3, 6, 9]
    >>> sampled_ranks(10, 1)
    [9]
    >>> sampled_ranks(3, 5)
    [0, 1, 2]
    """
    if n_points <= wanted:
        return list(range(n_points))
    quotient, rest = divmod(n_points, wanted)
    ranks = [index * quotient + min(index, rest) for index in range(wanted)]
    ranks[-1] = n_points - 1
    return ranks


def smoothed(values: Sequence[float], weight: float) -> list[float]:
    """The debiased exponential mean.

    >>> smoothed([1.0, 1.0, 1.0], 0.9)
    [1.0, 1.0, 1.0]
    """
    mean, decay, means = 0.0, 1.0, []
    for value in values:
        mean = weight * mean + (1 - weight) * value
        decay *= weight
        means.append(round(mean / (1 - decay), 12))
    return means


def extremes(xs: Sequence[float], ys: Sequence[float], places: Sequence[float], width: int) -> list[int]:
    """The indices of the first and the last point and of the extremes of each of `width` buckets, in order.

    Args:
        xs: ascending, not empty.
        ys: one for each of `xs`.
        places: where each point is drawn, ascending: `xs`, or their logarithms.
        width: how many buckets.

    >>> extremes([0, 1, 2, 3], [0.0, 9.0, -9.0, 0.0], [0, 1, 2, 3], 1)
    [0, 1, 2, 3]
    """
    low, high = places[0], places[-1]
    span = (high - low) / width or 1.0
    kept = {0, len(xs) - 1}
    begin = 0
    for bucket in range(width):
        end = len(xs) if bucket == width - 1 else bisect_left(places, low + (bucket + 1) * span, begin)
        if end > begin:
            inside = range(begin, end)
            kept.add(min(inside, key=ys.__getitem__))
            kept.add(max(inside, key=ys.__getitem__))
        begin = end
    return sorted(kept)


def drawn(run_id: RunId, key: str, points: Sequence[Point], view: View) -> Curve:
    """The points of a curve that a drawing can show.

    At most `2 * width` points in the range: all of them. Else the extremes of each pixel column, the first and the
    last point, and one neighbour beyond each end.
    """
    places = _placed(points, view)
    finite = [(x, y) for x, y, is_finite in places if is_finite]
    xs, ys = [x for x, _ in finite], [y for _, y in finite]
    start = -math.inf if view.start is None else view.start
    end = math.inf if view.end is None else view.end
    low, high = bisect_left(xs, start), bisect_right(xs, end)
    odd = [x for x, _, is_finite in places if not is_finite and start <= x <= end]
    is_exact = high - low <= 2 * view.width
    if is_exact:
        chosen = list(range(low, high))
    else:
        inside = xs[low:high]
        drawn_at = [math.log(x) for x in inside] if view.is_log else inside
        chosen = [low + index for index in extremes(inside, ys[low:high], drawn_at, view.width)]
    chosen = [*([low - 1] if low > 0 else []), *chosen, *([high] if high < len(xs) else [])]
    means = smoothed(ys, view.smoothing) if view.smoothing else []
    return Curve(
        run_id=run_id,
        key=key,
        n_points=high - low + len(odd),
        n_sent=len(chosen),
        exact=is_exact,
        x=tuple(xs[index] for index in chosen),
        y=tuple(ys[index] for index in chosen),
        smooth=tuple(means[index] for index in chosen) if means else (),
        not_finite_x=tuple(odd[: 2 * view.width]),
    )


def _placed(points: Sequence[Point], view: View) -> list[tuple[float, float, bool]]:
    """Every point on the drawn axis, in its order: x, y, and whether y is finite."""
    if view.axis == "step":
        places = [(float(step), value, not is_nan and abs(value) < LARGEST) for step, _, value, is_nan in points]
    else:
        first = min((time_ms for _, time_ms, _, _ in points), default=0) if view.axis == "relative" else 0
        scale = 1000.0 if view.axis == "relative" else 1.0
        places = sorted(
            ((time_ms - first) / scale, value, not is_nan and abs(value) < LARGEST)
            for _, time_ms, value, is_nan in points
        )
    return [place for place in places if place[0] > 0] if view.is_log else places
