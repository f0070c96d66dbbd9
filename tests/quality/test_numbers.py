"""Two samples of numbers against SciPy, within the tolerances that are stated."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from airside.quality.measures import levels, numbers

VALUES = st.lists(st.one_of(st.integers(-5, 5).map(float), st.floats(-1e6, 1e6)), min_size=1, max_size=300)


def ordered(values: list[float]) -> np.ndarray:
    return np.sort(np.array(values, dtype=float))


@settings(max_examples=50, deadline=None)
@given(VALUES, VALUES)
def test_ks_and_wasserstein_are_scipys(left: list[float], right: list[float]) -> None:
    r, c = ordered(left), ordered(right)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # SciPy's, on very few rows
        expected = stats.ks_2samp(r, c, method="exact").statistic
    assert numbers.ks_statistic(r, c) == pytest.approx(expected, abs=1e-12)
    assert numbers.wasserstein(r, c) == pytest.approx(stats.wasserstein_distance(r, c), rel=1e-10, abs=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_ks_is_scipys_on_many_rows_with_atoms_tails_and_shifts(seed: int) -> None:
    random = np.random.default_rng(seed)
    n, m = random.integers(5_000, 30_000, 2)
    r, c = random.normal(size=n), random.normal(0.1 * seed, 1 + 0.2 * seed, size=m)
    if seed % 2:
        r, c = np.round(r, seed % 3), np.round(c, seed % 3)
    if seed == 4:
        r, c = np.exp(4 * r), np.append(np.exp(4 * c), 1e12)
    r, c = np.sort(r), np.sort(c)
    assert numbers.ks_statistic(r, c) == pytest.approx(stats.ks_2samp(r, c, method="asymp").statistic, abs=1e-12)
    assert numbers.wasserstein(r, c) == pytest.approx(stats.wasserstein_distance(r, c), rel=1e-9)


def test_ks_is_scipys_when_nothing_changed_on_many_rows() -> None:
    random = np.random.default_rng(0)
    r, c = np.sort(random.normal(size=100_000)), np.sort(random.normal(size=90_000))
    assert numbers.ks_statistic(r, c) == pytest.approx(stats.ks_2samp(r, c, method="asymp").statistic, abs=1e-12)


@pytest.mark.parametrize(("n", "m"), [(50, 80), (400, 400), (3_000, 2_500), (20_000, 15_000)])
def test_the_p_value_is_scipys(n: int, m: int) -> None:
    random = np.random.default_rng(n)
    r, c = np.sort(random.normal(size=n)), np.sort(random.normal(0.05, 1, size=m))
    d, p = numbers.ks_test(r, c)
    if max(n, m) <= 10_000:
        assert p == pytest.approx(stats.ks_2samp(r, c, method="auto").pvalue, rel=1e-9)
    else:
        assert p == pytest.approx(stats.kstwo.sf(d, round(n * m / (n + m))), rel=1e-9)


@settings(max_examples=50, deadline=None)
@given(VALUES, VALUES, st.floats(0.1, 1e3))
def test_monotone_transforms_leave_ks_and_decile_psi_and_scaling_scales_wasserstein(
    left: list[float], right: list[float], factor: float
) -> None:
    r, c = ordered([round(value, 3) for value in left]), ordered([round(value, 3) for value in right])
    ranks = np.unique(np.concatenate((r, c)))
    r2, c2 = (np.searchsorted(ranks, side).astype(float) ** 3 for side in (r, c))
    assert numbers.ks_statistic(r, c) == pytest.approx(numbers.ks_statistic(r2, c2), abs=1e-12)
    assert psi(r, c) == pytest.approx(psi(r2, c2), abs=1e-12)
    scaled = numbers.wasserstein(r * factor, c * factor)
    assert scaled == pytest.approx(factor * numbers.wasserstein(r, c), rel=1e-9, abs=1e-9)


def psi(r: np.ndarray, c: np.ndarray) -> float:
    edges = numbers.decile_edges(r)
    counts = (numbers.cell_counts(side, edges).astype(float) for side in (r, c))
    return levels.psi(*counts)


def test_one_outlier_does_not_blind_the_distances() -> None:
    """Equal-width bins report 0.025 here instead of 0.247, an equal-width KS reports 0: faults of the peers."""
    random = np.random.default_rng(3)
    r, c = np.append(random.normal(size=50_000), 1e9), random.normal(0.5, 1, size=50_000)
    r, c = np.sort(r), np.sort(c)
    assert psi(r, c) > 0.2
    assert numbers.ks_statistic(r, c) > 0.19


def test_an_empty_side_is_no_evidence() -> None:
    r, nothing = np.array([1.0, 2.0]), np.empty(0)
    assert numbers.ks_test(r, nothing) == (0.0, 1.0)
    assert numbers.wasserstein(r, nothing) == 0.0
    assert len(numbers.decile_edges(nothing)) == 0
    assert numbers.expected_ks(0, 5) == 0.0


def test_the_normalised_distance_survives_a_constant() -> None:
    assert numbers.normalised_wasserstein(np.zeros(5), np.ones(5)) == pytest.approx(1000.0)
