"""Two samples of categories, as two vectors of counts over the same cells.

Definitions: p and q are the shares of the reference's and the current counts. A zero share counts as 0.0001 in PSI
and KL. Chi-square is the two-sample test (the reference's own noise counts), never the one-sample one.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import special

from airside.quality.measures.arrays import Floats

SMALL_SHARE = 1e-4
FEWEST_EXPECTED = 5.0


def aligned(reference: Mapping[Any, int], current: Mapping[Any, int]) -> tuple[list[Any], Floats, Floats]:
    """The levels of either side, and both sides' counts of them.

    >>> aligned({"a": 1}, {"a": 2, "b": 3})
    (['a', 'b'], array([1., 0.]), array([2., 3.]))
    """
    levels = [*reference, *(level for level in current if level not in reference)]
    return (
        levels,
        np.array([reference.get(level, 0) for level in levels], dtype=np.float64),
        np.array([current.get(level, 0) for level in levels], dtype=np.float64),
    )


def pooled(reference: Floats, current: Floats) -> tuple[Floats, Floats]:
    """The counts with every cell whose expected count is below 5 on either side put into one; never below two cells.

    >>> pooled(np.array([50.0, 1.0, 2.0, 47.0]), np.array([50.0, 2.0, 1.0, 47.0]))
    (array([50., 47.,  3.]), array([50., 47.,  3.]))
    """
    total = reference + current
    smaller = min(reference.sum(), current.sum())
    everything = total.sum()
    if not everything:
        return reference, current
    rare = total * (smaller / everything) < FEWEST_EXPECTED
    if rare.sum() < 2 or (~rare).sum() < 1:
        return reference, current
    return (
        np.append(reference[~rare], reference[rare].sum()),
        np.append(current[~rare], current[rare].sum()),
    )


def chi_square(reference: Floats, current: Floats, *, inflation: float = 1.0) -> tuple[float, float]:
    """The two-sample chi-square statistic and its p-value; with two cells with Yates' correction.

    Args:
        reference: counts of each cell.
        current: counts of the same cells.
        inflation: the statistic is divided by it before the p-value: how much it is inflated because rows come in
            entities (see `adjust.inflation`).

    >>> statistic, p = chi_square(np.array([10.0, 20.0, 30.0]), np.array([20.0, 20.0, 20.0]))
    >>> round(statistic, 4), round(p, 4)
    (5.3333, 0.0695)
    """
    used = (reference + current) > 0
    table = np.stack([reference[used], current[used]])
    cells = table.shape[1]
    sides = table.sum(axis=1)
    if cells < 2 or not sides.all():
        return 0.0, 1.0
    expected = np.outer(sides, table.sum(axis=0)) / table.sum()
    difference = np.abs(table - expected)
    if cells == 2:
        difference -= np.minimum(0.5, difference)
    statistic = float((difference**2 / expected).sum())
    return statistic, float(special.chdtrc(cells - 1, statistic / inflation))


def shares(counts: Floats) -> Floats:
    """The counts divided by their sum; zeros when there is nothing.

    >>> shares(np.array([1.0, 3.0]))
    array([0.25, 0.75])
    """
    total = counts.sum()
    return counts / total if total else counts.astype(np.float64)


def total_variation(reference: Floats, current: Floats) -> float:
    """Half the sum of the absolute differences of the shares.

    >>> total_variation(np.array([1.0, 1.0]), np.array([1.0, 3.0]))
    0.25
    """
    return min(float(np.abs(shares(reference) - shares(current)).sum() / 2), 1.0)


def _floored(counts: Floats) -> Floats:
    values = shares(counts)
    return np.where(values == 0, SMALL_SHARE, values)


def psi(reference: Floats, current: Floats) -> float:
    """The population stability index; a zero share counts as 0.0001.

    >>> round(psi(np.array([50.0, 50.0]), np.array([60.0, 40.0])), 6)
    0.040547
    """
    used = (reference + current) > 0
    p, q = _floored(reference[used]), _floored(current[used])
    return float(((p - q) * np.log(p / q)).sum())


def jensen_shannon(reference: Floats, current: Floats, *, base: float = 2.0) -> float:
    """The Jensen-Shannon distance (the root of the divergence); base 2 makes 1 its maximum.

    >>> jensen_shannon(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    1.0
    """
    p, q = shares(reference), shares(current)
    middle = (p + q) / 2
    divergence = float((special.rel_entr(p, middle) + special.rel_entr(q, middle)).sum() / 2)
    return math.sqrt(max(divergence, 0.0) / math.log(base))


def expected_total_variation(counts: Floats, n: int, m: int) -> float:
    """What sampling alone makes of the total variation distance, to first order: the half normal of each cell."""
    if not n or not m:
        return 0.0
    p = shares(counts)
    return float(np.sqrt(2 * p * (1 - p) * (1 / n + 1 / m) / math.pi).sum() / 2)
