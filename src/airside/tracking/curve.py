"""Which points of a curve are sent. Pure.

For drawing: the lowest and the highest value under each pixel column, so that no spike is lost (design of the
interface, section 8). For MLflow's clients: evenly by rank (wire contract, section 5.4).
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
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


class Smoothing:
    """The debiased exponential mean, continued from part to part of a curve."""

    __slots__ = ("_decay", "_mean", "_weight")

    def __init__(self, weight: float) -> None:
        self._weight, self._mean, self._decay = weight, 0.0, 1.0

    def over(self, values: Iterable[float]) -> list[float]:
        """The mean at each of the next values.

        >>> smoothing = Smoothing(0.9)
        >>> smoothing.over([1.0, 1.0]) + smoothing.over([1.0])
        [1.0, 1.0, 1.0]
        """
        weight, mean, decay, means = self._weight, self._mean, self._decay, []
        for value in values:
            mean = weight * mean + (1 - weight) * value
            decay *= weight
            means.append(round(mean / (1 - decay), 12))
        self._mean, self._decay = mean, decay
        return means


class Scale:
    """Where points are drawn on an axis."""

    __slots__ = ("_first_ms", "_view", "end", "start")

    def __init__(self, view: View, first_ms: int) -> None:
        self._view, self._first_ms = view, first_ms
        self.start = -math.inf if view.start is None else view.start
        self.end = math.inf if view.end is None else view.end

    def x(self, lead: int) -> float:
        """The place of a step, or of a time in milliseconds."""
        return (lead - self._first_ms) / 1000.0 if self._view.axis == "relative" else float(lead)

    def has(self, lead: int) -> bool:
        """Whether the axis has a place for it: a logarithmic one begins behind 0."""
        return not self._view.is_log or self.x(lead) > 0

    def place(self, x: float) -> float:
        """Where a pixel counts: the logarithm on a logarithmic axis."""
        return math.log(x) if self._view.is_log else x

    def shows(self, x: float) -> bool:
        """Whether a place is in the range."""
        return self.start <= x <= self.end and (x > 0 or not self._view.is_log)


def is_finite(point: Point) -> bool:
    """Whether a point has a finite value.

    >>> is_finite((0, 0, 1.0, False)), is_finite((0, 0, 0.0, True))
    (True, False)
    """
    return not point[3] and abs(point[2]) < LARGEST


def borders(low: float, high: float, width: int) -> list[float]:
    """Where the second and each further of `width` pixel columns begins.

    >>> borders(0.0, 10.0, 5)
    [2.0, 4.0, 6.0, 8.0]
    """
    span = (high - low) / width or 1.0
    return [low + (bucket + 1) * span for bucket in range(width - 1)]


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
    kept = {0, len(xs) - 1}
    begin = 0
    for border in (*borders(places[0], places[-1], width), math.inf):
        end = bisect_left(places, border, begin)
        if end > begin:
            inside = range(begin, end)
            kept.add(min(inside, key=ys.__getitem__))
            kept.add(max(inside, key=ys.__getitem__))
        begin = end
    return sorted(kept)


def drawn(
    run_id: RunId, key: str, points: Sequence[Point], view: View, *, n_hidden: int = 0, means: Sequence[float] = ()
) -> Curve:
    """The points of a curve that a drawing can show.

    At most `2 * width` points in the range: all of them. Else the extremes of each pixel column, the first and the
    last point, and one neighbour beyond each end.

    Args:
        run_id: the run.
        key: the metric.
        points: in order of step, or of time; all of them, or at least those that any pixel column could keep.
        view: what is to be drawn.
        n_hidden: how many points of the range were left out.
        means: the smoothed value at each of the points.
    """
    first_ms = min((point[1] for point in points), default=0) if view.axis == "relative" else 0
    scale = Scale(view, first_ms)
    leads = [point[0] if view.axis == "step" else point[1] for point in points]
    places = [
        (scale.x(lead), point[2], index)
        for index, (lead, point) in enumerate(zip(leads, points, strict=True))
        if is_finite(point) and scale.has(lead)
    ]
    if view.axis != "step":
        places.sort()
    xs, ys = [x for x, _, _ in places], [y for _, y, _ in places]
    odd = [scale.x(lead) for lead, point in zip(leads, points, strict=True) if not is_finite(point)]
    odd = [x for x in odd if scale.shows(x)]
    low, high = bisect_left(xs, scale.start), bisect_right(xs, scale.end)
    is_exact = high - low + n_hidden <= 2 * view.width
    if is_exact:
        chosen = list(range(low, high))
    else:
        inside = xs[low:high]
        drawn_at = [math.log(x) for x in inside] if view.is_log else inside
        chosen = [low + index for index in extremes(inside, ys[low:high], drawn_at, view.width)]
    chosen = [*([low - 1] if low > 0 else []), *chosen, *([high] if high < len(xs) else [])]
    return Curve(
        run_id=run_id,
        key=key,
        n_points=high - low + n_hidden + len(odd),
        n_sent=len(chosen),
        exact=is_exact,
        x=tuple(xs[index] for index in chosen),
        y=tuple(ys[index] for index in chosen),
        smooth=tuple(means[places[index][2]] for index in chosen) if means else (),
        not_finite_x=tuple(odd[: 2 * view.width]),
    )
