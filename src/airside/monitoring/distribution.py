"""Then and now, cell by cell, as a person looks at it: from the counts of a profile."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from airside.monitoring.records import Distribution
from airside.quality.measures import profile
from airside.quality.measures.arrays import Floats, Ints
from airside.quality.profiles import ColumnProfile, ColumnReference, NumberReference

BINS = 20
LEVELS = 20
NEW_LEVELS = 10
LOW, HIGH = 0.005, 0.995


def distribution_of(one: ColumnReference, counted: ColumnProfile) -> Distribution | None:
    """Shares of the rows that have a value; None when either side has none."""
    return _levels(one, counted) if one.number is None else _numbers(one.number, counted)


def _levels(one: ColumnReference, counted: ColumnProfile) -> Distribution | None:
    then, now = profile.levels_of(one, counted)
    rows_then, rows_now = sum(then.values()), sum(now.values())
    if not rows_then or not rows_now:
        return None
    known = sorted(then, key=lambda level: -then[level])[:LEVELS]
    new = sorted((level for level in now if level not in then), key=lambda level: -now[level])[:NEW_LEVELS]
    shown = [*known, *new]
    reference = [then.get(level, 0) / rows_then for level in shown]
    current = [now.get(level, 0) / rows_now for level in shown]
    rest = (max(0.0, 1 - sum(reference)), max(0.0, 1 - sum(current)))
    cells = [str(level) for level in shown]
    if len(then) > len(known) or max(rest) > 1e-9:
        return Distribution(cells=(*cells, "other"), reference=(*reference, rest[0]), current=(*current, rest[1]))
    return Distribution(cells=tuple(cells), reference=tuple(reference), current=tuple(current))


def _numbers(number: NumberReference, counted: ColumnProfile) -> Distribution | None:
    edges = profile.unpack_floats(number.edges)
    then, now = profile.unpack_ints(number.counts), profile.unpack_ints(counted.counts)
    if not then.sum() or not now.sum() or not len(edges):
        return None
    total = np.cumsum(then)[:-1]
    low, high = np.interp(np.array((LOW, HIGH)) * then.sum(), total, edges).tolist()
    if not low < high:
        low, high = edges[0], edges[-1]
    borders = borders_of(low, high)
    return Distribution(
        cells=cells_of(borders),
        reference=tuple(_shares(edges, then, borders).tolist()),
        current=tuple(_shares(edges, now, borders).tolist()),
    )


def borders_of(low: float, high: float) -> Floats:
    """The borders of the bins: of equal width, whole numbers where the range is wide enough for them.

    >>> borders_of(16.0, 56.0)[:3].tolist()
    [16.0, 18.0, 20.0]
    """
    if high - low >= BINS:
        step = np.ceil((high - low) / BINS)
        found: Floats = np.floor(low) + step * np.arange(np.ceil((high - np.floor(low)) / step) + 1)
        return found
    return np.linspace(low, high, BINS + 1)


def cells_of(borders: Sequence[float] | Floats) -> tuple[str, ...]:
    """The bins in words, with one for what lies below and one for what lies above.

    >>> cells_of([0.0, 1.0, 2.0])
    ('up to 0', '0 to 1', '1 to 2', 'over 2')
    """
    texts = [f"{border:.4g}" for border in borders]
    middle = [f"{left} to {right}" for left, right in pairwise(texts)]
    return (f"up to {texts[0]}", *middle, f"over {texts[-1]}")


def _shares(edges: Floats, counts: Ints, borders: Floats) -> Floats:
    """Shares below, in and above the bins (lower, upper]; linear inside a cell of the profile."""
    total = np.cumsum(counts)[:-1] / counts.sum()
    below = np.interp(borders, edges, total, left=0.0, right=float(total[-1]))
    found: Floats = np.diff(np.concatenate(([0.0], below, [1.0])))
    return found
