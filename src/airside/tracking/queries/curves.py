"""The points of a long history that a drawing can show, from what stands beside the chunks where that is enough."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise

from airside.core.ids import RunId
from airside.core.operation import Context, Transaction
from airside.tracking import curve as drawing
from airside.tracking.chunk import Chunk, Columns
from airside.tracking.queries import chunks
from airside.tracking.queries.metrics import series_of
from airside.tracking.queries.samples import BY_STEP, BY_TIME, Group, Key, columns_of, flow, groups
from airside.tracking.records import Curve


def drawn(ctx: Context, run_id: RunId, key: str, view: drawing.View) -> Curve:
    """The points of a curve that a drawing can show."""
    series = series_of(ctx, run_id, key)
    if series is None:
        return drawing.drawn(run_id, key, [], view)
    return _Drawing(ctx.tx, groups(ctx.tx, series, BY_STEP if view.axis == "step" else BY_TIME), view).drawn(
        run_id, key
    )


class _Drawing:
    """One curve: which chunks must be looked into, and what the others show."""

    def __init__(self, tx: Transaction, every: Sequence[Group], view: drawing.View) -> None:
        self._tx = tx
        self._every = every
        self._view = view
        self._order = BY_STEP if view.axis == "step" else BY_TIME
        first_ms = every[0][0].low[0] if every and view.axis == "relative" else 0
        self._scale = drawing.Scale(view, first_ms)

    def drawn(self, run_id: RunId, key: str) -> Curve:
        """Its points."""
        items = list(self._items())
        inside = [item for item in items if isinstance(item, Chunk) and self._is_inside(item)]
        n_inside = sum(chunk.n_points for chunk in inside)
        borders: list[float] | None = None
        if n_inside > 2 * self._view.width:
            borders = self._borders(items)
        points: list[Key] = []
        n_hidden = 0
        for item in items:
            if not isinstance(item, Chunk):
                points += item
            elif not self._is_inside(item):
                points += self._order.keys(columns_of(item.extremes))
            elif borders is not None and self._is_within_one(borders, item):
                points += self._order.keys(columns_of(item.extremes))
                n_hidden += item.n_points - len(item.extremes)
            else:
                columns = chunks.content(self._tx, item)
                if borders is not None:
                    columns = self._thinned(columns, borders)
                    n_hidden += item.n_points - len(columns.values)
                points += self._order.keys(columns)
        means = self._means(points) if self._view.smoothing else []
        return drawing.drawn(run_id, key, self._as_steps(points), self._view, n_hidden=n_hidden, means=means)

    def _items(self) -> Iterator[Chunk | Sequence[Key]]:
        """Chunks whose extremes may be enough, and the points of all others."""
        for group in self._every:
            chunk = group[0].chunk
            if len(group) == 1 and chunk is not None and self._may_hide(chunk):
                yield chunk
            else:
                yield from flow(self._tx, group, self._order)

    def _may_hide(self, chunk: Chunk) -> bool:
        if not (chunk.is_finite and self._order.is_straight(chunk)):
            return False
        low, high = self._ends(chunk)
        if not self._scale.has(self._order.low(chunk)[0]):
            return False
        return self._is_inside(chunk) or high < self._scale.start or low > self._scale.end

    def _ends(self, chunk: Chunk) -> tuple[float, float]:
        return self._scale.x(self._order.low(chunk)[0]), self._scale.x(self._order.high(chunk)[0])

    def _is_inside(self, chunk: Chunk) -> bool:
        low, high = self._ends(chunk)
        return self._scale.start <= low and high <= self._scale.end

    def _borders(self, items: Sequence[Chunk | Sequence[Key]]) -> list[float]:
        """Where pixel columns begin, as `drawing.extremes` cuts them."""
        xs: list[float] = []
        for item in items:
            if isinstance(item, Chunk):
                xs += self._ends(item) if self._is_inside(item) else ()
            else:
                finite = (self._scale.x(point[0]) for point in item if drawing.is_finite(point))
                shown = [x for x in finite if self._scale.shows(x)]
                xs += (shown[0], shown[-1]) if shown else ()
        return drawing.borders(self._scale.place(min(xs)), self._scale.place(max(xs)), self._view.width)

    def _is_within_one(self, borders: Sequence[float], chunk: Chunk) -> bool:
        low, high = self._order.low(chunk)[0], self._order.high(chunk)[0]
        return bisect_right(borders, self._place(low)) == bisect_right(borders, self._place(high))

    def _thinned(self, columns: Columns, borders: Sequence[float]) -> Columns:
        """Of a finite chunk that pixel columns cut, the ends and the extremes of each piece."""
        leads = columns.steps if self._order is BY_STEP else columns.times_ms
        places = range(len(leads))
        inner = bisect_right(borders, self._place(leads[0])), bisect_right(borders, self._place(leads[-1]))
        cuts = [bisect_left(places, border, key=lambda at: self._place(leads[at])) for border in borders[slice(*inner)]]
        kept: set[int] = set()
        for start, end in pairwise((0, *cuts, len(leads))):
            if start < end:
                part = columns.values[start:end]
                kept |= {start, start + part.index(min(part)), start + part.index(max(part)), end - 1}
        chosen = sorted(kept)
        return Columns(
            [columns.times_ms[at] for at in chosen],
            [columns.steps[at] for at in chosen],
            [columns.values[at] for at in chosen],
            has_nan=False,
        )

    def _place(self, lead: int) -> float:
        return self._scale.place(self._scale.x(lead))

    def _means(self, points: Sequence[Key]) -> list[float]:
        """The smoothed value at each of some points, over all points of the series; 0.0 where there is none."""
        smoothing, means = drawing.Smoothing(self._view.smoothing), dict.fromkeys(points, 0.0)
        for group in self._every:
            for some in flow(self._tx, group, self._order):
                finite = [point for point in some if drawing.is_finite(point) and self._scale.has(point[0])]
                found = zip(finite, smoothing.over([point[2] for point in finite]), strict=True)
                means.update((point, mean) for point, mean in found if point in means)
        return [means[point] for point in points]

    def _as_steps(self, points: Sequence[Key]) -> list[drawing.Point]:
        if self._order is BY_STEP:
            return list(points)
        return [(step, time_ms, value, is_nan) for time_ms, step, value, is_nan in points]
