"""Points of several metrics of a run, bound together as they came in one write. Pure (docs/decisions/0022).

The bytes: how many metrics, their numbers and where the points of each end, then the points as in a chunk.
"""

import struct
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate, chain, pairwise, repeat

from airside.tracking.chunk import bytes_of, numbers_of, squeezed, unpack
from airside.tracking.rules import Point

_HEAD = struct.Struct("<BI")
_VERSION = 1


class Sheaf:
    """Points by the number of their metric, read from what `bind` made."""

    def __init__(self, held: bytes) -> None:
        _, count = _HEAD.unpack_from(held)
        at = _HEAD.size
        self._keys = numbers_of("q", held[at : at + 8 * count])
        self._ends = numbers_of("I", held[at + 8 * count : at + 12 * count])
        self._columns = unpack(held[at + 12 * count :])

    def points(self, key: int) -> list[Point]:
        """Those of a metric, in the order in which they came; none of one that is not here."""
        place = bisect_left(self._keys, key)
        if place == len(self._keys) or self._keys[place] != key:
            return []
        start, end = self._ends[place - 1] if place else 0, self._ends[place]
        times_ms, steps, values, has_nan = self._columns
        if has_nan:
            return self._columns.cut(start, end).points()
        return list(zip(times_ms[start:end], steps[start:end], values[start:end], repeat(False)))

    def counts(self) -> dict[int, int]:
        """How many points there are of each metric."""
        return {key: end - start for key, (start, end) in zip(self._keys, pairwise((0, *self._ends)), strict=True)}


def bind(by_key: Mapping[int, Sequence[Point]]) -> bytes:
    """Points by the number of their metric, as bytes.

    >>> held = Sheaf(bind({7: [(5, 1, 0.5, False)], 3: [(5, 1, 0.0, True), (6, 2, 2.0, False)]}))
    >>> held.points(3), held.points(4), held.counts()
    ([(5, 1, 0.0, True), (6, 2, 2.0, False)], [], {3: 2, 7: 1})
    """
    keys = sorted(by_key)
    ends = accumulate(len(by_key[key]) for key in keys)
    times_ms, steps, values, nans = zip(*chain.from_iterable(by_key[key] for key in keys), strict=True)
    directory = bytes_of("q", keys) + bytes_of("I", ends)
    return _HEAD.pack(_VERSION, len(keys)) + directory + squeezed(list(times_ms), list(steps), list(values), nans)
