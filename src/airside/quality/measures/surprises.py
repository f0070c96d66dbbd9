"""Tests of their own: missing values, unseen levels, values out of range, changes of unit.

None may be folded into a distance: half of a column becoming null leaves every distance where it was.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import special, stats

from airside.quality.measures import levels, numbers
from airside.quality.measures.arrays import Floats

UNITS = (10.0, 100.0, 1000.0, 12.0, 60.0, 3600.0, 24.0, 7.0, 1024.0, 25.4, 2.54, 0.4536, 1.609344, 365.25)
"""Factors by which people mistake units: tens, months, seconds, hours, kilobytes, inches, pounds, miles, years."""
FITS = 0.25
LARGE = 0.1
NEGLIGIBLE = 1e-15


def missing_share(missing_r: int, n: int, missing_c: int, m: int) -> float:
    """The p-value of equal shares of missing values: pooled z², Fisher's exact test where a count is small.

    >>> missing_share(0, 1000, 0, 1000), missing_share(20, 1000, 500, 1000) < 1e-100
    (1.0, True)
    """
    if not n or not m or missing_r + missing_c in {0, n + m}:
        return 1.0
    table = np.array([[missing_r, n - missing_r], [missing_c, m - missing_c]], dtype=np.float64)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    if expected.min() < levels.FEWEST_EXPECTED:
        return float(stats.fisher_exact(table.astype(int)).pvalue)
    return float(special.chdtrc(1, float(((table - expected) ** 2 / expected).sum())))


def all_on_current_side(rows: int, n: int, m: int) -> float:
    """The chance that all of `rows` exchangeable rows stand on the current side: Π (m-i)/(N-i).

    >>> round(all_on_current_side(2, 10, 10), 6)
    0.236842
    """
    if rows > m:
        return 0.0
    total = n + m
    logs = (special.gammaln(m + 1) - special.gammaln(m - rows + 1) - special.gammaln(total + 1)) + special.gammaln(
        total - rows + 1
    )
    return float(math.exp(min(logs, 0.0)))


def unseen_levels(reference: Mapping[Any, int], current: Mapping[Any, int]) -> float:
    """The p-value of the levels that the reference does not have, under exchangeability of the rows.

    Two looks, doubled: how many rows have an unseen level, and how large the largest unseen level is.

    >>> unseen_levels({"a": 500, "b": 500}, {"a": 500, "b": 500})
    1.0
    >>> unseen_levels({"a": 500, "b": 500}, {"a": 495, "c": 505}) < 1e-100
    True
    """
    unseen = {level: rows for level, rows in current.items() if rows and not reference.get(level)}
    if not unseen:
        return 1.0
    n, m = sum(reference.values()), sum(current.values())
    sizes = [reference.get(level, 0) + current.get(level, 0) for level in {*reference, *current}]
    chances = [(size, all_on_current_side(size, n, m)) for size in sizes if size]
    largest = max(unseen.values())
    some = 1 - math.prod(1 - chance for size, chance in chances if size >= largest)
    many = _chance_of_rows(chances, sum(unseen.values()))
    return min(1.0, 2 * min(some, many))


def _chance_of_rows(chances: Sequence[tuple[int, float]], rows: int) -> float:
    """P(Σ size · Bernoulli(chance) ≥ rows), by convolution up to `rows`, where all that is more gathers."""
    mass = np.zeros(rows + 1)
    mass[0] = 1.0
    for size, chance in chances:
        if chance < NEGLIGIBLE:
            continue
        step = min(size, rows)
        moved = np.zeros_like(mass)
        moved[step:] = mass[: rows + 1 - step]
        moved[rows] += mass[rows + 1 - step :].sum()
        mass = (1 - chance) * mass + chance * moved
    return float(mass[rows])


def out_of_range(above: int, below: int, n: int, m: int) -> float:
    """The p-value of current values beyond the reference's extremes; free of any distribution.

    >>> out_of_range(0, 0, 100, 100), round(out_of_range(5, 0, 1000, 1000), 4)
    (1.0, 0.0622)
    """
    if not n or not m or not above + below:
        return 1.0
    chance = min(all_on_current_side(rows, n, m) for rows in (above, below) if rows)
    return min(1.0, 2 * chance)


def unit_factor(r: Floats, c: Floats) -> float | None:
    """The factor by which the current values seem to be in another unit, or None.

    Dividing all values, or those alone that lie beyond the reference's maximum, must bring the distance down to a
    quarter of what it was. A factor below 1 means that the values became smaller.

    >>> ages = np.sort(np.tile(np.arange(16.0, 95.0), 50))
    >>> unit_factor(ages, ages * 12), unit_factor(ages, ages / 1000), unit_factor(ages, ages)
    (12.0, 0.001, None)
    """
    if not len(r) or not len(c):
        return None
    distance = numbers.ks_statistic(r, c)
    if distance < LARGE:
        return None
    beyond = np.searchsorted(c, r[-1], "right")
    best: tuple[float, float] | None = None
    for factor in (*UNITS, *(1 / unit for unit in UNITS)):
        candidates = [c / factor]
        if 0 < beyond < len(c):
            candidates.append(np.sort(np.concatenate((c[:beyond], c[beyond:] / factor))))
        fit = min(numbers.ks_statistic(r, candidate) for candidate in candidates)
        if fit <= FITS * distance and (best is None or fit < best[0]):
            best = (fit, factor)
    return None if best is None else best[1]
