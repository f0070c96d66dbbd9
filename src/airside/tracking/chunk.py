"""Points of a metric packed into columns, and what stands beside a packed chunk. Pure (docs/decisions/0012).

The bytes: a head, then times, steps and values. Times and steps are a progression (`first + index * stride`, no bytes
at all) or offsets from the smallest in the narrowest width; values are doubles, "not a number" among them.
Little-endian on every machine.
"""

import struct
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from operator import itemgetter
from typing import NamedTuple, overload

from airside.tracking.rules import LARGEST, Point

StepKey = tuple[int, int, float, bool]
"""Step, time, value, whether it is not a number: sorts as a sample."""

FULL = 2048
"""A chunk with more points is split."""
USUAL = 1024
"""How many points a new chunk has, about."""

_HEAD = struct.Struct("<BccBIqqqq")
_VALUE = struct.Struct("<d")
_VERSION = 1
_PROGRESSION = b"="
_WIDTHS = ((b"B", 1 << 8), (b"H", 1 << 16), (b"I", 1 << 32), (b"Q", 1 << 64))
_WIDTH = {_PROGRESSION: 0, b"B": 1, b"H": 2, b"I": 4, b"Q": 8}
_NAN = float("nan")
_IS_FOREIGN = sys.byteorder == "big"

by_step = itemgetter(1, 0, 2, 3)
"""The `StepKey` of a point."""


class Columns(NamedTuple):
    """The points of a chunk, in the order of histories. Not a number is NaN here."""

    times_ms: Sequence[int]
    steps: Sequence[int]
    values: Sequence[float]
    has_nan: bool

    def point(self, index: int) -> Point:
        """One of them."""
        value = self.values[index]
        is_nan = value != value  # noqa: PLR0124 -- the quickest test for NaN
        return self.times_ms[index], self.steps[index], 0.0 if is_nan else value, is_nan

    def points(self) -> list[Point]:
        """All of them."""
        if not self.has_nan:
            return list(zip(self.times_ms, self.steps, self.values, repeat(False)))
        return [self.point(index) for index in range(len(self.values))]

    def holds(self, point: Point) -> bool:
        """Whether a point is among them."""
        time_ms, step, value, is_nan = point
        low, high = bisect_left(self.times_ms, time_ms), bisect_right(self.times_ms, time_ms)
        low, high = bisect_left(self.steps, step, low, high), bisect_right(self.steps, step, low, high)
        return (time_ms, step, value, is_nan) in (self.point(index) for index in range(low, high))


class Chunk(NamedTuple):
    """A chunk without its points: a row of `metric_chunk`.

    Attributes:
        is_by_step: its points are in the order of samples, too.
        is_finite: no value is "not a number" or an infinity.
        least_value, greatest_value: the first point with each; of finite chunks only.
    """

    id: int
    n_points: int
    first_ms: int
    first_step: int
    first_value: float
    first_nan: bool
    last_ms: int
    last_step: int
    last_value: float
    last_nan: bool
    low_step: int
    high_step: int
    is_by_step: bool
    is_finite: bool
    least_value: float
    least_ms: int
    least_step: int
    greatest_value: float
    greatest_ms: int
    greatest_step: int

    @property
    def first(self) -> Point:
        """The first point."""
        return self.first_ms, self.first_step, self.first_value, bool(self.first_nan)

    @property
    def last(self) -> Point:
        """The last point."""
        return self.last_ms, self.last_step, self.last_value, bool(self.last_nan)

    @property
    def extremes(self) -> tuple[Point, ...]:
        """Its first, least, greatest and last point, each once and in order: what a drawing needs of it."""
        least = (self.least_ms, self.least_step, self.least_value, False)
        greatest = (self.greatest_ms, self.greatest_step, self.greatest_value, False)
        return tuple(sorted({self.first, least, greatest, self.last}))

    @property
    def low_key(self) -> StepKey:
        """No point is before it in the order of samples."""
        return by_step(self.first) if self.is_by_step else (self.low_step, -1, 0.0, False)

    @property
    def high_key(self) -> StepKey:
        """No point is behind it in the order of samples."""
        return by_step(self.last) if self.is_by_step else (self.high_step, 1 << 63, 0.0, False)


def pack(points: Sequence[Point]) -> tuple[Chunk, bytes]:
    """A chunk of sorted, distinct points, without an id yet, and its bytes.

    >>> chunk, held = pack([(5, 1, 0.5, False), (6, 2, 0.0, True)])
    >>> chunk.n_points, chunk.is_by_step, chunk.is_finite
    (2, True, False)
    >>> unpack(held).points()
    [(5, 1, 0.5, False), (6, 2, 0.0, True)]
    """
    times_ms, steps, values, nans = map(list, zip(*points, strict=True))
    has_nan = any(nans)
    least, greatest = min(values), max(values)
    is_finite = not has_nan and least > -LARGEST and greatest < LARGEST
    is_by_step = steps == sorted(steps)
    least_at, greatest_at = values.index(least), values.index(greatest)
    chunk = Chunk(
        0,
        len(points),
        *points[0],
        *points[-1],
        steps[0] if is_by_step else min(steps),
        steps[-1] if is_by_step else max(steps),
        is_by_step,
        is_finite,
        least,
        times_ms[least_at],
        steps[least_at],
        greatest,
        times_ms[greatest_at],
        steps[greatest_at],
    )
    time_code, first_ms, time_stride, time_bytes = _squeezed(times_ms)
    step_code, low_step, step_stride, step_bytes = _squeezed(steps)
    stored = [_NAN if is_nan else value for value, is_nan in zip(values, nans, strict=True)] if has_nan else values
    head = _HEAD.pack(
        _VERSION, time_code, step_code, has_nan, len(points), first_ms, time_stride, low_step, step_stride
    )
    return chunk, head + time_bytes + step_bytes + _bytes("d", stored)


def unpack(held: bytes) -> Columns:
    """The points of a chunk's bytes, as columns."""
    _, time_code, step_code, has_nan, count, first_ms, time_stride, low_step, step_stride = _HEAD.unpack_from(held)
    times_ms, at = _widened(held, _HEAD.size, time_code, count, (first_ms, time_stride))
    steps, at = _widened(held, at, step_code, count, (low_step, step_stride))
    return Columns(times_ms, steps, _array("d", held[at : at + 8 * count]), bool(has_nan))


def picked(held: bytes, ranks: Iterable[int]) -> list[StepKey]:
    """Some points of a chunk's bytes by their place, as they sort in samples; its columns are not copied for them.

    >>> picked(pack([(5, 1, 0.5, False), (6, 2, 0.0, True)])[1], [1])
    [(2, 6, 0.0, True)]
    """
    _, time_code, step_code, _, count, first_ms, time_stride, low_step, step_stride = _HEAD.unpack_from(held)
    time_width, step_width = _WIDTH[time_code], _WIDTH[step_code]
    steps_at = _HEAD.size + time_width * count
    values_at = steps_at + step_width * count
    found: list[StepKey] = []
    for rank in ranks:
        time_ms, step = first_ms + rank * time_stride, low_step + rank * step_stride
        if time_width:
            at = _HEAD.size + rank * time_width
            time_ms += int.from_bytes(held[at : at + time_width], "little")
        if step_width:
            at = steps_at + rank * step_width
            step += int.from_bytes(held[at : at + step_width], "little")
        (value,) = _VALUE.unpack_from(held, values_at + 8 * rank)
        found.append((step, time_ms, value, False) if value == value else (step, time_ms, 0.0, True))  # noqa: PLR0124
    return found


def parted(points: Sequence[Point]) -> Iterable[Sequence[Point]]:
    """Sorted points in parts of about the usual size: the parts of chunks.

    >>> [len(part) for part in parted([(0, step, 0.0, False) for step in range(3000)])]
    [1000, 1000, 1000]
    """
    count = max(1, round(len(points) / USUAL))
    size = -(-len(points) // count)
    return (points[start : start + size] for start in range(0, len(points), size))


class _Offsets(Sequence[int]):
    """Numbers that are kept as offsets from one: decoded where they are looked at."""

    __slots__ = ("_base", "_offsets")

    def __init__(self, base: int, offsets: "array[int]") -> None:
        self._base, self._offsets = base, offsets

    def __len__(self) -> int:
        return len(self._offsets)

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> list[int]: ...
    def __getitem__(self, index: int | slice) -> int | list[int]:
        if isinstance(index, slice):
            base = self._base
            return [base + offset for offset in self._offsets[index]]
        return self._base + self._offsets[index]

    def __iter__(self) -> Iterator[int]:
        base = self._base
        return iter([base + offset for offset in self._offsets])


def _squeezed(numbers: list[int]) -> tuple[bytes, int, int, bytes]:
    """A code, the smallest (or first) number, the stride, and the bytes."""
    first = numbers[0]
    stride = numbers[1] - first if len(numbers) > 1 else 0
    is_even = numbers[-1] == first + stride * (len(numbers) - 1) and -(1 << 62) < stride < 1 << 62
    if is_even and numbers == _progression(first, stride, len(numbers)):
        return _PROGRESSION, first, stride, b""
    low = min(numbers)
    span = max(numbers) - low
    code = next(code for code, limit in _WIDTHS if span < limit)
    return code, low, 0, _bytes(code.decode(), [number - low for number in numbers])


def _progression(first: int, stride: int, count: int) -> list[int]:
    return [first] * count if stride == 0 else list(range(first, first + stride * count, stride))


def _widened(held: bytes, at: int, code: bytes, count: int, progression: tuple[int, int]) -> tuple[Sequence[int], int]:
    """A column of whole numbers, and where the next column begins."""
    first, stride = progression
    if code == _PROGRESSION:
        if stride:
            return range(first, first + stride * count, stride), at
        return (first,) * count, at
    offsets: array[int] = array(code.decode())
    end = at + offsets.itemsize * count
    return _Offsets(first, _array(code.decode(), held[at:end])), end


def _bytes(code: str, numbers: Iterable[float]) -> bytes:
    column = array(code, numbers)
    if _IS_FOREIGN:
        column.byteswap()
    return column.tobytes()


def _array(code: str, part: bytes) -> "array[int]":
    column: array[int] = array(code)
    column.frombytes(part)
    if _IS_FOREIGN:
        column.byteswap()
    return column
