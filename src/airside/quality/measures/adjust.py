"""Control of false alarms: many columns at once, and rows that come in households."""

from collections.abc import Sequence

import numpy as np

from airside.quality.measures.arrays import AnyArray, Floats


def benjamini_hochberg(p: Sequence[float | None]) -> list[float | None]:
    """p-values adjusted for their number, so that those at most q are a family with false discovery rate q.

    A None (it could not be computed) stays None and is not counted.

    >>> benjamini_hochberg([0.01, 0.04, None, 0.03])
    [0.03, 0.04, None, 0.04]
    """
    known = np.array([value for value in p if value is not None], dtype=np.float64)
    order = np.argsort(-known, kind="stable")
    ranks = np.arange(len(known), 0, -1)
    adjusted = np.empty_like(known)
    adjusted[order] = np.minimum(np.minimum.accumulate(known[order] * (len(known) / ranks)), 1.0)
    rest = iter(adjusted.tolist())
    return [None if value is None else next(rest) for value in p]


def cluster_codes(entity: AnyArray) -> tuple[AnyArray, int]:
    """The entities numbered from 0, and how many there are.

    >>> cluster_codes(np.array([7, 7, 3]))
    (array([1, 1, 0]), 2)
    """
    unique, codes = np.unique(entity, return_inverse=True)
    return codes, len(unique)


def inflation(cells: AnyArray, entity: AnyArray) -> float:
    """How much the chi-square of an unchanged column grows when whole entities are drawn instead of rows.

    The mean design effect of the column's cells (Rao and Scott 1981, first-order correction): for each cell, the
    variance of its share when entities are drawn, over p(1 - p)/n. 1 for rows that are alone; never below 1.

    Args:
        cells: the cell of each row: its level, or the decile that it lies in.
        entity: the household (or other entity) of each row.

    >>> inflation(np.array([0, 1] * 50), np.arange(100))
    1.0101010101010102
    >>> round(inflation(np.repeat([0, 1], 50), np.repeat(np.arange(50), 2)), 2)
    2.04
    """
    codes, entities = cluster_codes(entity)
    levels, cell = np.unique(cells, return_inverse=True)
    n = len(cell)
    if len(levels) < 2 or entities < 2:
        return 1.0
    sizes = np.bincount(codes, minlength=entities).astype(np.float64)
    total = 0.0
    for level in range(len(levels)):
        inside = np.bincount(codes[cell == level], minlength=entities)
        p = float(inside.sum()) / n
        residual: Floats = inside - p * sizes
        variance = float((residual**2).sum()) * entities / (entities - 1) / n**2
        total += variance / (p * (1 - p) / n) * (1 - p)
    return max(total / (len(levels) - 1), 1.0)
