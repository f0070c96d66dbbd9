"""Two samples of numbers. Every function takes sorted, finite arrays: `r` of the reference, `c` of the current side."""

import math
import warnings

import numpy as np
from scipy import special, stats

from airside.quality.measures.arrays import Floats, Ints

CELLS = 1024
EXACT_UP_TO = 10_000
FINE_CELLS = 32_768


def ks_statistic(r: Floats, c: Floats) -> float:
    """Kolmogorov-Smirnov D: the largest distance of the two empirical distribution functions. Exact.

    The reference's quantiles cut the line into cells; a cell is merged value by value only when the bound of its gap
    exceeds the largest gap that is known. Where too many do, because nothing changed, finer cells come first.

    >>> ks_statistic(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
    0.5
    """
    n, m = len(r), len(c)
    if not n or not m:
        return 0.0
    best, cells = _ks_cells(r, c, CELLS)
    if sum(cell[1] - cell[0] + cell[3] - cell[2] for cell in cells) > (n + m) // 8 and n > FINE_CELLS:
        best, cells = _ks_cells(r, c, FINE_CELLS)
    for from_r, to_r, from_c, to_c in cells:
        if max(to_r / n - from_c / m, to_c / m - from_r / n) <= best:
            break
        inside_r, inside_c = r[from_r:to_r], c[from_c:to_c]
        values = np.concatenate((inside_r, inside_c))
        if len(values):
            f = (from_r + np.searchsorted(inside_r, values, "right")) / n
            g = (from_c + np.searchsorted(inside_c, values, "right")) / m
            best = max(best, float(np.abs(f - g).max()))
    return best


def _ks_cells(r: Floats, c: Floats, count: int) -> tuple[float, list[list[int]]]:
    """The largest gap at the edges, and the cells that may hold a larger one, widest bound first.

    A cell is the open interval before an edge (and the one behind the last, in which only `c` has values), as four
    places: from and to in `r`, from and to in `c`.
    """
    n, m = len(r), len(c)
    edges = np.unique(r[(np.arange(count + 1) * (n - 1)) // count])
    f_right, g_right = np.searchsorted(r, edges, "right"), np.searchsorted(c, edges, "right")
    f_left, g_left = np.searchsorted(r, edges, "left"), np.searchsorted(c, edges, "left")
    best = float(np.abs(f_right / n - g_right / m).max())
    places = np.stack(
        [np.append(0, f_right), np.append(f_left, n), np.append(0, g_right), np.append(g_left, m)], axis=1
    )
    bound = np.maximum(places[:, 1] / n - places[:, 2] / m, places[:, 3] / m - places[:, 0] / n)
    chosen = np.flatnonzero(bound > best)
    return best, places[chosen[np.argsort(-bound[chosen])]].tolist()


def ks_p(d: float, n: int, m: int, *, inflation: float = 1.0) -> float:
    """The two-sided p-value of D for large samples; `inflation` divides the effective number of rows.

    >>> round(ks_p(0.02, 49073, 50268, inflation=1.26), 8)
    2.8e-07
    """
    if not n or not m:
        return 1.0
    effective = max(round(n * m / (n + m) / inflation), 1)
    return float(np.clip(stats.kstwo.sf(d, effective), 0.0, 1.0))


def ks_test(r: Floats, c: Floats, *, inflation: float = 1.0) -> tuple[float, float]:
    """D and its p-value: exact up to 10,000 rows a side, as `scipy.stats.ks_2samp(method="auto")`."""
    d = ks_statistic(r, c)
    n, m = len(r), len(c)
    if not n or not m or inflation != 1.0 or max(n, m) > EXACT_UP_TO:
        return d, ks_p(d, n, m, inflation=inflation)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # SciPy falls back to the other method and says so
        return d, float(stats.ks_2samp(r, c, method="auto").pvalue)


def expected_ks(n: int, m: int) -> float:
    """What sampling alone makes of D: the mean of Kolmogorov's distribution.

    >>> round(expected_ks(1000, 1000), 4)
    0.0389
    """
    return math.sqrt(math.pi / 2) * math.log(2) * math.sqrt(1 / n + 1 / m) if n and m else 0.0


def decile_edges(r: Floats) -> Floats:
    """The nine deciles of the reference as order statistics, duplicates merged.

    >>> decile_edges(np.arange(10.0))
    array([1., 2., 3., 4., 5., 6., 7., 8., 9.])
    """
    if not len(r):
        return np.empty(0)
    return np.unique(r[(np.arange(1, 10) * len(r)) // 10])


def cell_counts(values: Floats, edges: Floats) -> Ints:
    """How many sorted values lie in each cell (lower, upper]; one more cell than edges.

    >>> cell_counts(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0]))
    array([1, 1, 1])
    """
    below = np.searchsorted(values, edges, "right")
    return np.diff(np.concatenate(([0], below, [len(values)]))).astype(np.int64)


def wasserstein(r: Floats, c: Floats) -> float:
    """The Wasserstein-1 distance, exact: the mean distance of equal quantiles.

    >>> wasserstein(np.array([0.0, 1.0]), np.array([1.0, 2.0]))
    1.0
    """
    n, m = len(r), len(c)
    if not n or not m:
        return 0.0
    if n == m:
        return float(np.abs(r - c).mean())
    # r's i-th value owns [i·m, (i+1)·m) of [0, n·m), c's j-th owns [j·n, (j+1)·n).
    borders = np.union1d(np.arange(n + 1) * m, np.arange(m + 1) * n)
    starts = borders[:-1]
    return float((np.diff(borders) * np.abs(r[starts // m] - c[starts // n])).sum() / (n * m))


def normalised_wasserstein(r: Floats, c: Floats) -> float:
    """Wasserstein-1 over the reference's standard deviation, at least 0.001."""
    return wasserstein(r, c) / max(float(np.std(r)) if len(r) else 0.0, 0.001)


def normal_quantile(level: float) -> float:
    """How many standard errors an interval of this level reaches to either side.

    >>> round(normal_quantile(0.95), 3)
    1.96
    """
    return float(special.ndtri((1 + level) / 2))
