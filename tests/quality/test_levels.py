"""Two samples of categories against SciPy, within the tolerances that are stated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance

from airside.quality.measures import levels

COUNTS = st.integers(1, 12).flatmap(
    lambda cells: st.tuples(*[st.lists(st.integers(0, 500), min_size=cells, max_size=cells)] * 2)
)


def filled(pair: tuple[list[int], list[int]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array(pair[0], dtype=float) + np.eye(1, len(pair[0]))[0], np.array(pair[1], dtype=float) + 1


@settings(max_examples=50, deadline=None)
@given(COUNTS)
def test_chi_square_is_scipys(pair: tuple[list[int], list[int]]) -> None:
    r, c = filled(pair)
    if len(r) > 1:
        expected = stats.chi2_contingency(np.stack([r, c]))
        assert levels.chi_square(r, c) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-10, abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(COUNTS)
def test_the_distances_are_their_formulas(pair: tuple[list[int], list[int]]) -> None:
    r, c = filled(pair)
    p, q = r / r.sum(), c / c.sum()
    assert levels.total_variation(r, c) == pytest.approx(np.abs(p - q).sum() / 2, abs=1e-12)
    assert levels.jensen_shannon(r, c) == pytest.approx(distance.jensenshannon(p, q, base=2), abs=1e-7)
    assert levels.jensen_shannon(r, c) ** 2 == pytest.approx(distance.jensenshannon(p, q, base=2) ** 2, abs=1e-12)
    floored = [np.where(share == 0, 1e-4, share) for share in (p, q)]
    assert levels.psi(r, c) == pytest.approx(
        ((floored[0] - floored[1]) * np.log(floored[0] / floored[1])).sum(), abs=1e-12
    )


def test_two_cells_have_yates_correction_as_in_scipy() -> None:
    r, c = np.array([12.0, 30]), np.array([25.0, 20])
    expected = stats.chi2_contingency(np.stack([r, c]))
    assert levels.chi_square(r, c) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-10)
    alike = np.array([20.0, 21]), np.array([20.0, 20])
    assert levels.chi_square(*alike)[0] == pytest.approx(stats.chi2_contingency(np.stack(alike)).statistic, abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(COUNTS)
def test_the_distances_do_not_care_which_side_is_which(pair: tuple[list[int], list[int]]) -> None:
    r, c = filled(pair)
    for measure in (levels.total_variation, levels.psi, levels.jensen_shannon):
        assert measure(r, c) == pytest.approx(measure(c, r), abs=1e-12)
        assert measure(r, r) == pytest.approx(0, abs=1e-7)


def test_rare_cells_are_pooled_and_two_cells_stay() -> None:
    r, c = np.array([1000.0, 900, 1, 2, 3]), np.array([100.0, 90, 0, 1, 0])
    assert [side.tolist() for side in levels.pooled(r, c)] == [[1000, 900, 6], [100, 90, 1]]
    two = np.array([1000.0, 1]), np.array([100.0, 0])
    assert levels.pooled(*two) == two


def test_an_unchanged_column_of_many_levels_is_not_flagged() -> None:
    """One-sample chi-square gives p = 3e-85 here, and JS of 0.1 flags it always: both are faults of the peers."""
    random = np.random.default_rng(0)
    weights = 1 / np.arange(1, 1001)
    r, c = (random.multinomial(20_000, weights / weights.sum()).astype(float) for _ in range(2))
    assert levels.chi_square(*levels.pooled(r, c))[1] > 0.01
    assert levels.total_variation(r, c) < 1.2 * levels.expected_total_variation(r, 20_000, 20_000)


def test_p_is_uniform_when_nothing_changed() -> None:
    random = np.random.default_rng(1)
    flagged = 0
    for _ in range(400):
        r, c = (random.multinomial(2_000, np.full(8, 1 / 8)).astype(float) for _ in range(2))
        flagged += levels.chi_square(r, c)[1] < 0.05
    assert 8 <= flagged <= 34


def test_inflation_divides_the_statistic() -> None:
    r, c = np.array([100.0, 200, 300]), np.array([150.0, 200, 250])
    statistic, p = levels.chi_square(r, c, inflation=2.0)
    assert p == pytest.approx(stats.chi2.sf(statistic / 2, 2), rel=1e-10)


def test_an_empty_side_is_no_evidence() -> None:
    r, nothing = np.array([5.0, 5]), np.zeros(2)
    assert levels.chi_square(r, nothing) == (0.0, 1.0)
    assert levels.pooled(nothing, nothing)[0].tolist() == [0, 0]
