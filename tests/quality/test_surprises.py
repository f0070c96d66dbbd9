"""What no distance sees: missing values, unseen levels, values out of range, another unit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from airside.core.column import Column
from airside.quality.measures import drift, surprises
from airside.quality.measures.adjust import benjamini_hochberg


def test_missing_values_are_tested_as_scipy_does() -> None:
    table = [[20, 980], [500, 500]]
    expected = stats.chi2_contingency(table, correction=False).pvalue
    assert surprises.missing_share(20, 1000, 500, 1000) == pytest.approx(expected, rel=1e-10)
    assert surprises.missing_share(1, 50, 0, 40) == pytest.approx(stats.fisher_exact([[1, 49], [0, 40]]).pvalue)
    assert surprises.missing_share(0, 0, 1, 1) == 1.0


def test_half_of_a_column_becoming_null_is_seen_and_a_null_column_does_not_stop_the_report() -> None:
    random = np.random.default_rng(0)
    column = Column(name="x", type="double")
    r = random.normal(size=1_000)
    half, empty = random.normal(size=1_000), np.full(1_000, np.nan)
    half[::2] = np.nan
    [found] = drift.compare({"x": r}, {"x": half}, [column])
    assert found.p_missing < 1e-100
    assert not found.is_drifted
    assert found.findings == ("50.0% missing, 0.0% in the reference",)
    [found] = drift.compare({"x": r}, {"x": empty}, [column])
    assert (found.p, found.missing, found.is_drifted) == (None, 1_000, False)


def test_the_chance_of_all_rows_on_one_side_is_the_hypergeometric_one() -> None:
    for rows, n, m in ((1, 5, 5), (3, 10, 20), (7, 100, 50)):
        expected = stats.hypergeom.pmf(rows, n + m, m, rows)
        assert surprises.all_on_current_side(rows, n, m) == pytest.approx(expected, rel=1e-9)
    assert surprises.all_on_current_side(6, 10, 5) == 0.0


def test_unseen_levels_are_rarely_flagged_when_nothing_changed() -> None:
    random = np.random.default_rng(5)
    weights = 1 / np.arange(1, 301)
    flagged = 0
    for _ in range(150):
        r, c = (dict(enumerate(random.multinomial(800, weights / weights.sum()).tolist())) for _ in range(2))
        flagged += surprises.unseen_levels(r, c) < 0.05
    assert flagged <= 14


def test_a_new_level_in_one_percent_of_the_rows_is_found() -> None:
    random = np.random.default_rng(6)
    weights = 1 / np.arange(1, 301)
    r, c = (dict(enumerate(random.multinomial(5_000, weights / weights.sum()).tolist())) for _ in range(2))
    assert surprises.unseen_levels(r, {**c, "new": 50}) < 0.002


def test_values_beyond_the_range_are_tested_without_a_distribution() -> None:
    random = np.random.default_rng(7)
    flagged = 0
    for _ in range(300):
        r, c = random.pareto(1, 500), random.pareto(1, 500)
        flagged += surprises.out_of_range(int((c > r.max()).sum()), int((c < r.min()).sum()), 500, 500) < 0.05
    assert flagged <= 25
    assert surprises.out_of_range(441, 0, 39_268, 4_000) < 1e-100
    assert surprises.out_of_range(0, 0, 1, 0) == 1.0


@pytest.mark.parametrize("factor", [12.0, 1000.0, 0.01, 0.4536])
def test_another_unit_is_named(factor: float) -> None:
    r = np.sort(np.random.default_rng(8).lognormal(3, 0.6, 4_000))
    c = np.sort(np.random.default_rng(9).lognormal(3, 0.6, 4_000)) * factor
    assert surprises.unit_factor(r, c) == pytest.approx(factor)


def test_a_part_of_the_rows_in_another_unit_is_named() -> None:
    r = np.sort(np.random.default_rng(8).uniform(16, 94, 4_000))
    c = np.random.default_rng(9).uniform(16, 94, 4_000)
    c[:1_500] *= 12
    assert surprises.unit_factor(r, np.sort(c)) == 12.0


def test_a_shift_is_no_other_unit() -> None:
    r = np.sort(np.random.default_rng(8).normal(50, 10, 4_000))
    assert surprises.unit_factor(r, r + 8) is None
    assert surprises.unit_factor(r, np.empty(0)) is None


P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@settings(max_examples=50, deadline=None)
@given(P_VALUES)
def test_benjamini_and_hochberg_are_scipys(p: list[float]) -> None:
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p, method="bh").tolist(), abs=1e-12)


def test_what_could_not_be_computed_is_not_counted() -> None:
    assert benjamini_hochberg([0.02, None]) == [0.02, None]
    assert benjamini_hochberg([]) == []


def test_clean_days_are_rarely_flagged_with_many_columns() -> None:
    random = np.random.default_rng(10)
    columns = [Column(name=str(index), type="double") for index in range(15)]
    days = 0
    for _ in range(60):
        r, c = ({column.name: random.normal(size=300) for column in columns} for _ in range(2))
        days += any(one.p_adjusted is not None and one.p_adjusted <= 0.05 for one in drift.compare(r, c, columns))
    assert days <= 8


def test_text_levels_and_booleans_are_compared_by_level() -> None:
    columns = [Column(name="town", type="string"), Column(name="own", type="boolean")]
    r = {"town": np.array(["a", "b"] * 500, dtype=object), "own": np.array([True, False] * 500)}
    c = {"town": np.array(["a", "c"] * 500, dtype=object), "own": np.array([True] * 900 + [False] * 100)}
    town, own = drift.compare(r, c, columns)
    assert (town.statistic, town.effect, town.is_drifted, own.is_drifted) == ("tvd", 0.5, True, True)
    assert town.findings == ("unseen levels c in 500 rows (50.0%)", "levels b are gone")
