"""Intervals: of a share (Wilson), of a mean or ratio over entities (linearised), of anything (bootstrap).

Rows of one household resemble one another. Where an entity is given, each entity is one draw: variances are sums over
entities (Obuchowski 1997, Rao and Scott 1992), which agrees with resampling entities and costs one `bincount`.
"""

import math
from collections.abc import Callable

import numpy as np
from scipy import stats

from airside.core.estimate import Estimate
from airside.quality.measures.adjust import cluster_codes
from airside.quality.measures.arrays import AnyArray, Floats
from airside.quality.measures.numbers import normal_quantile

LEVEL = 0.95
RESAMPLES = 1_000
SEED = 20_150_101


class Entities:
    """The entities of some rows, numbered once.

    >>> Entities(np.array([5, 5, 9]), 3).count
    2
    """

    def __init__(self, entity: AnyArray | None, rows: int) -> None:
        self.rows = rows
        self.is_rows = entity is None
        if entity is None:
            self.codes, self.count = np.arange(rows), rows
        else:
            self.codes, self.count = cluster_codes(entity)

    def sums(self, values: Floats) -> Floats:
        """The sum of a value over the rows of each entity."""
        if self.is_rows:
            return values
        return np.bincount(self.codes, weights=values, minlength=self.count).astype(np.float64)

    def variance(self, influence: Floats) -> float:
        """The variance of an estimate, from what each row adds to it (influences sum to about zero)."""
        used = self.sums(influence)
        if self.count < 2:
            return math.nan
        return float((used**2).sum()) * self.count / (self.count - 1)


def wilson(successes: float, n: float, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's score interval of a share; `n` may be an effective number of rows.

    >>> low, high = wilson(0, 1471)
    >>> low, round(high, 4)
    (0.0, 0.0026)
    """
    if n <= 0:
        return 0.0, 1.0
    z = normal_quantile(level)
    p = successes / n
    middle = p + z * z / (2 * n)
    reach = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = (middle - reach) / (1 + z * z / n), (middle + reach) / (1 + z * z / n)
    return (0.0 if successes <= 0 else max(low, 0.0)), (1.0 if successes >= n else min(high, 1.0))


def share(hits: AnyArray, among: AnyArray, entities: Entities, level: float = LEVEL) -> Estimate:
    """The share of `among` that are `hits`, with Wilson's interval on the effective number of rows.

    Args:
        hits: which rows count; those outside `among` are ignored. Shape (n,).
        among: which rows are asked. Shape (n,).
        entities: the entities of the rows.
        level: the coverage.
    """
    inside = among.astype(np.float64)
    n = float(inside.sum())
    if not n:
        return Estimate(value=math.nan, level=level, n=0)
    k = float((inside * hits).sum())
    p = k / n
    effective = n
    if 0 < p < 1 and not entities.is_rows:
        variance = entities.variance(inside * (hits - p) / n)
        effect = variance / (p * (1 - p) / n)
        effective = n / effect if math.isfinite(effect) and effect > 0 else n
    low, high = wilson(p * effective, effective, level)
    return Estimate(value=p, low=low, high=high, level=level, n=int(n))


def mean(values: Floats, entities: Entities, level: float = LEVEL) -> Estimate:
    """The mean of a value, with a normal interval from the variance over entities."""
    n = len(values)
    if not n:
        return Estimate(value=math.nan, level=level, n=0)
    middle = float(values.mean())
    reach = normal_quantile(level) * math.sqrt(entities.variance((values - middle) / n)) if entities.count > 1 else None
    return Estimate(
        value=middle,
        low=None if reach is None else middle - reach,
        high=None if reach is None else middle + reach,
        level=level,
        n=n,
    )


def newcombe(first: Estimate, second: Estimate) -> Estimate:
    """The difference of two shares, second - first, with Newcombe's interval from their Wilson intervals.

    >>> a = Estimate(value=0.5, low=0.4, high=0.6, n=100)
    >>> b = Estimate(value=0.7, low=0.6, high=0.78, n=100)
    >>> newcombe(a, b).value
    0.2
    """
    p, q = first.value, second.value
    bounds = (first.low, first.high, second.low, second.high)
    if None in bounds:
        return Estimate(value=round(q - p, 15), level=first.level, n=first.n + second.n)
    l1, u1, l2, u2 = (float(bound) for bound in bounds if bound is not None)
    return Estimate(
        value=round(q - p, 15),
        low=(q - p) - math.hypot(q - l2, u1 - p),
        high=(q - p) + math.hypot(u2 - q, p - l1),
        level=first.level,
        n=first.n + second.n,
    )


def absolute(difference: Estimate) -> Estimate:
    """The size of a difference, whatever its direction.

    >>> absolute(Estimate(value=-0.1, low=-0.2, high=0.05)).high
    0.2
    """
    low, high = difference.low, difference.high
    if low is None or high is None:
        return Estimate(value=abs(difference.value), level=difference.level, n=difference.n)
    least = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
    return Estimate(
        value=abs(difference.value),
        low=least,
        high=max(abs(low), abs(high)),
        level=difference.level,
        n=difference.n,
    )


def resampled(entities: Entities, sums: Floats, *, resamples: int = RESAMPLES, seed: int = SEED) -> Floats:
    """The totals of several sums over resamples of whole entities.

    Args:
        entities: the entities.
        sums: one row for each entity: what it adds to each total. Shape (entities, k).
        resamples: how many.
        seed: of the random numbers, so that the same data give the same interval.

    Returns:
        Shape (resamples, k).
    """
    random = np.random.default_rng(seed)
    totals = np.empty((resamples, sums.shape[1]))
    for index in range(resamples):
        drawn = np.bincount(random.integers(0, entities.count, entities.count), minlength=entities.count)
        totals[index] = drawn.astype(np.float64) @ sums
    return totals


def percentile(values: Floats, level: float = LEVEL) -> tuple[float, float]:
    """The middle part of resampled values; those that could not be computed are left out.

    >>> percentile(np.arange(101.0), 0.5)
    (25.0, 75.0)
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return math.nan, math.nan
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def bootstrap(
    statistic: Callable[..., float],
    arrays: tuple[AnyArray, ...],
    *,
    entity: AnyArray | None = None,
    resamples: int = 2_000,
    level: float = LEVEL,
) -> Estimate:
    """Any measure with a bootstrap interval: BCa over rows, percentile over entities.

    Args:
        statistic: takes the arrays, returns a number.
        arrays: equally long; resampled together.
        entity: whole entities are drawn when given.
        resamples: how many.
        level: the coverage.
    """
    value = statistic(*arrays)
    random = np.random.default_rng(SEED)
    if entity is None:
        found = stats.bootstrap(
            arrays,
            statistic,
            paired=True,
            vectorized=False,
            n_resamples=resamples,
            confidence_level=level,
            method="BCa",
            rng=random,
        ).confidence_interval
        return Estimate(value=value, low=float(found.low), high=float(found.high), level=level, n=len(arrays[0]))
    codes, count = cluster_codes(entity)
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(count + 1))
    drawn = np.empty(resamples)
    for index in range(resamples):
        chosen = random.integers(0, count, count)
        rows = np.concatenate([order[starts[one] : starts[one + 1]] for one in chosen])
        drawn[index] = statistic(*(array[rows] for array in arrays))
    low, high = percentile(drawn, level)
    return Estimate(value=value, low=low, high=high, level=level, n=len(arrays[0]))
