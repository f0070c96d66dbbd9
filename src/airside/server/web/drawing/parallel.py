"""Parallel coordinates: an axis for each column, a line for each record."""

import math
from collections.abc import Mapping, Sequence

from airside.core.record import Record

HEIGHT, TOP, BOTTOM, SIDE, GAP = 320, 48, 292, 76, 152
MISSING_Y = 312
"""Where a line crosses an axis for which it has no value: below it."""
MAX_WORDS = 12
CLASSES = 5
LOG_FROM = 100.0
"""From how large a ratio on an axis is logarithmic, where all of it is above 0."""

Value = float | str | None


class Tick(Record):
    """A word beside an axis."""

    y: float
    text: str


class Axis(Record):
    """An axis: its place, and what stands beside it."""

    name: str
    x: float
    ticks: tuple[Tick, ...]
    is_log: bool = False


class Thread(Record):
    """A record's line; `rank` is its class by the last axis: 0 (least) to 4 (most), -1 for none."""

    id: str
    points: str
    rank: int = -1


class Parallel(Record):
    """The drawing. Its width is also that of its view box, so that text is never scaled."""

    width: int
    height: int
    axes: tuple[Axis, ...]
    threads: tuple[Thread, ...]


class _Scale:
    """Where the values of a column are on its axis."""

    def __init__(self, values: Sequence[Value]) -> None:
        there = [value for value in values if value is not None]
        numbers = [value for value in there if not isinstance(value, str)]
        self.words = [] if len(numbers) == len(there) else sorted({_word(value) for value in there})
        least, most = (min(numbers), max(numbers)) if numbers else (0.0, 0.0)
        self.is_log = not self.words and least > 0 and most / least >= LOG_FROM
        self.least, self.most = least, most

    def y(self, value: Value) -> float:
        """The height of a value; below the axis where there is none."""
        if value is None:
            return MISSING_Y
        if self.words:
            share = self.words.index(_word(value)) / max(len(self.words) - 1, 1) if len(self.words) > 1 else 0.5
        elif isinstance(value, str) or self.most <= self.least:
            share = 0.5
        elif self.is_log:
            share = math.log(value / self.least) / math.log(self.most / self.least)
        else:  # halves: the difference of two of the largest doubles is none
            share = (value / 2 - self.least / 2) / (self.most / 2 - self.least / 2)
        return round(BOTTOM - min(max(share, 0), 1) * (BOTTOM - TOP), 1)

    def ticks(self) -> tuple[Tick, ...]:
        """Words at their places, thinned out; of numbers the ends."""
        if self.words:
            every = math.ceil(len(self.words) / MAX_WORDS)
            return tuple(Tick(y=self.y(word), text=word) for word in self.words[::every])
        ends = (self.least,) if self.most <= self.least else (self.least, self.most)
        return tuple(Tick(y=self.y(end), text=f"{end:.4g}") for end in ends)


def parallel(columns: Sequence[str], rows: Mapping[str, Sequence[Value]]) -> Parallel:
    """Lay out records by their values in each column. Numbers that are not finite count as missing.

    >>> drawn = parallel(["a", "b"], {"x": [1.0, "u"], "y": [3.0, "v"]})
    >>> [axis.x for axis in drawn.axes], [thread.points for thread in drawn.threads]
    ([76, 228], ['76,292.0 228,292.0', '76,48.0 228,48.0'])
    """
    clean = {key: [_clean(value) for value in values] for key, values in rows.items()}
    scales = [_Scale([values[i] for values in clean.values()]) for i in range(len(columns))]
    axes = tuple(
        Axis(name=name, x=SIDE + i * GAP, ticks=scale.ticks(), is_log=scale.is_log)
        for i, (name, scale) in enumerate(zip(columns, scales, strict=True))
    )
    threads = tuple(_thread(key, values, scales) for key, values in clean.items())
    return Parallel(width=2 * SIDE + max(len(columns) - 1, 0) * GAP, height=HEIGHT, axes=axes, threads=threads)


def _thread(key: str, values: Sequence[Value], scales: Sequence[_Scale]) -> Thread:
    heights = [scale.y(value) for scale, value in zip(scales, values, strict=True)]
    points = " ".join(f"{SIDE + i * GAP},{y}" for i, y in enumerate(heights))
    if not values or values[-1] is None:
        return Thread(id=key, points=points)
    share = (BOTTOM - heights[-1]) / (BOTTOM - TOP)
    return Thread(id=key, points=points, rank=min(int(share * CLASSES), CLASSES - 1))


def _clean(value: Value) -> Value:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _word(value: Value) -> str:
    return value if isinstance(value, str) else f"{value:g}"
