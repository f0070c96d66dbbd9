"""Sorting very many points with few of them in memory: counted first, then gathered range by range. Pure."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

Key = tuple[int, int, float, bool]
Passes = Callable[[], Iterator[Sequence[Key]]]
"""Begins a pass over all points; they come in any order, some at a time."""

GATHERED_AT_ONCE = 65_536
_BITS = 13
"""A pass counts in 8,192 ranges."""


def sorted_ranges(
    points: Passes, span: tuple[int, int], ranks: Sequence[int] | None, at: int = 0
) -> Iterator[tuple[int, list[Key]]]:
    """Points in order, range by range: the rank of the first of a range, and its points.

    One pass counts, each further one gathers as many ranges as may be in memory. A range that is too large for that is
    divided in the same way: by its first part, then, where all have the same, by the second.

    >>> some = [[(3, 0, 0.5, False), (1, 9, 0.5, False)], [(1, 2, 0.5, False)]]
    >>> [(first, [key[:2] for key in keys]) for first, keys in sorted_ranges(lambda: iter(some), (1, 3), None)]
    [(0, [(1, 2), (1, 9)]), (2, [(3, 0)])]
    >>> [first for first, _ in sorted_ranges(lambda: iter(some), (1, 3), [2])]
    [2]

    Args:
        points: gives them all, as often as it is called.
        span: the least and the greatest that the part `at` of a point may be.
        ranks: which ranks are wanted, ascending; ranges without one are left out. None for all.
        at: which part of the points divides them.
    """
    low, shift = span[0], max(0, (span[1] - span[0]).bit_length() - _BITS)
    counts: Counter[int] = Counter()
    for some in points():
        counts.update([(point[at] - low) >> shift for point in some])  # type: ignore[operator]  # the first two are int
    rank = held = 0
    batch: dict[int, int] = {}
    for number in sorted(counts):
        first, count = rank, counts[number]
        rank += count
        wanted = None if ranks is None else ranks[bisect_left(ranks, first) : bisect_left(ranks, rank)]
        if wanted is not None and not wanted:
            continue
        is_divided = count > GATHERED_AT_ONCE and (shift > 0 or at == 0)
        if batch and (is_divided or held + count > GATHERED_AT_ONCE):
            yield from _gathered(points, low, shift, at, batch)
            batch, held = {}, 0
        if is_divided:
            inner = None if wanted is None else [each - first for each in wanted]
            for inside, found in _divided(points, low + (number << shift), shift, at, inner):
                yield first + inside, found
        else:
            batch[number] = first
            held += count
    yield from _gathered(points, low, shift, at, batch)


def _gathered(points: Passes, low: int, shift: int, at: int, batch: dict[int, int]) -> Iterator[tuple[int, list[Key]]]:
    """The points of some ranges, by number and rank of their first."""
    found: dict[int, list[Key]] = {number: [] for number in batch}
    for some in points() if batch else ():
        for point in some:
            number = (point[at] - low) >> shift  # type: ignore[operator]  # the first two are int
            if number in found:
                found[number].append(point)
    for number, first in batch.items():
        yield first, sorted(found.pop(number))


def _divided(
    points: Passes, low: int, shift: int, at: int, ranks: Sequence[int] | None
) -> Iterator[tuple[int, list[Key]]]:
    """The points of one range that is too large."""
    high = low + (1 << shift) - 1

    def inside() -> Iterator[Sequence[Key]]:
        return ([point for point in some if low <= point[at] <= high] for some in points())

    if shift:
        yield from sorted_ranges(inside, (low, high), ranks, at)
        return
    least, greatest = None, 0
    for second in (point[1] for point in chain.from_iterable(inside())):
        least, greatest = second if least is None else min(least, second), max(greatest, second)
    yield from sorted_ranges(inside, (least or 0, greatest), ranks, 1)
