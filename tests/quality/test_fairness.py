"""Groups, gaps, segments, balance of the label: small groups are told, never judged, never dropped."""

import numpy as np
import pytest

from airside.quality.measures import balance, fairness
from airside.quality.measures.intervals import Entities
from airside.quality.measures.segments import segments
from airside.quality.records import Measured

N = 3_000


def people(seed: int = 0) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    random = np.random.default_rng(seed)
    labels = random.random(N) < 0.6
    columns = {
        "SEX": random.integers(1, 3, N),
        "RACE": np.where(np.arange(N) < 4, 9, random.integers(1, 4, N)),
        "AGE": random.integers(16, 95, N),
    }
    selected = np.where(random.random(N) < np.where(columns["SEX"] == 1, 0.1, 0.25), ~labels, labels)
    return labels, selected, columns


def found(measured: tuple[Measured, ...], measure: str, segment: str) -> Measured:
    [one] = [one for one in measured if (one.measure, one.segment) == (measure, segment)]
    return one


def test_rates_and_gaps_are_what_they_are_called() -> None:
    y, chosen, columns = people()
    measured = fairness.by_group(y, chosen, columns, ["SEX"], entities=Entities(None, N))
    rates = {}
    for sex in (1, 2):
        rows = columns["SEX"] == sex
        rates[sex] = chosen[rows & y].mean()
        assert found(measured, "true_positive_rate", f"SEX={sex}").estimate.value == pytest.approx(
            rates[sex], abs=1e-12
        )
        assert found(measured, "selection_rate", f"SEX={sex}").estimate.value == pytest.approx(
            chosen[rows].mean(), abs=1e-12
        )
        assert found(measured, "accuracy", f"SEX={sex}").estimate.n == rows.sum()
    gap = found(measured, "true_positive_rate_gap", "SEX").estimate
    assert gap.value == pytest.approx(abs(rates[1] - rates[2]), abs=1e-12)
    assert gap.low is not None
    assert 0.08 < gap.low < gap.value < (gap.high or 0) < 0.2


def test_a_group_that_is_too_small_is_told_and_does_not_make_the_gap() -> None:
    y, chosen, columns = people()
    chosen[:4] = False
    measured = fairness.by_group(y, chosen, columns, ["RACE"], entities=Entities(None, N))
    few = found(measured, "selection_rate", "RACE=9")
    assert (few.is_known, few.note, few.estimate.n) == (False, "too few rows: 4, 50 are needed", 4)
    gap = found(measured, "selection_rate_gap", "RACE")
    assert gap.estimate.value < 0.1
    assert gap.note == "too small to be judged: RACE=9"
    assert gap.estimate.low is not None
    assert gap.estimate.low <= gap.estimate.value <= (gap.estimate.high or 0)


def test_a_gap_of_one_group_is_unknown() -> None:
    y, chosen, columns = people()
    columns["SEX"] = np.ones(N, dtype=int)
    gap = found(fairness.by_group(y, chosen, columns, ["SEX"], entities=Entities(None, N)), "accuracy_gap", "SEX")
    assert (gap.is_known, gap.note) == (False, "fewer than two groups")


def test_a_group_with_too_few_of_one_label_is_told() -> None:
    y = np.array([True] * 100 + [False] * 100)
    columns = {"G": np.array(["a"] * 100 + ["b"] * 100, dtype=object)}
    measured = fairness.by_group(y, y, columns, ["G"], entities=Entities(None, 200))
    assert found(measured, "accuracy", "G=a").note == "too few of one label: 0, 10 are needed"
    assert not found(measured, "true_positive_rate", "G=b").is_known


def test_households_widen_the_interval_of_a_rate() -> None:
    y, chosen, columns = people()
    three = [np.repeat(one, 3) for one in (y, chosen, columns["SEX"])]
    house = np.repeat(np.arange(N), 3)
    wide, narrow = (
        found(
            fairness.by_group(three[0], three[1], {"SEX": three[2]}, ["SEX"], entities=Entities(one, 3 * N)),
            "accuracy",
            "SEX=1",
        ).estimate
        for one in (house, None)
    )
    assert (wide.high or 0) - (wide.low or 0) == pytest.approx(
        3**0.5 * ((narrow.high or 0) - (narrow.low or 0)), rel=0.03
    )


def test_segments_are_levels_ranges_and_intersections_and_name_what_is_missing() -> None:
    table = {
        "SEX": np.array([1, 2, 2, 1]),
        "TOWN": np.array(["a", None, "b", "a"], dtype=object),
        "AGE": np.array([20.0, 30.0, 50.0, np.nan]),
    }
    names = {name: rows.tolist() for name, rows in segments(table, ["SEX&TOWN", "AGE"], {"AGE": [25, 35]})}
    assert names == {
        "SEX&TOWN=1&a": [True, False, False, True],
        "SEX&TOWN=2&b": [False, False, True, False],
        "SEX&TOWN=2&missing": [False, True, False, False],
        "AGE=<25": [True, False, False, False],
        "AGE=25-35": [False, True, False, False],
        "AGE=≥35": [False, False, True, False],
        "AGE=missing": [False, False, False, True],
    }


def test_a_column_of_too_many_levels_is_refused() -> None:
    with pytest.raises(ValueError, match="'ID' has 500 levels"):
        list(segments({"ID": np.arange(500)}, ["ID"]))


def test_labels_set_to_zero_in_one_group_show_in_that_group() -> None:
    y, _, columns = people()
    wrong = y & ~((columns["SEX"] == 2) & (np.arange(N) % 5 == 0))
    measured = balance.label_balance(y, columns, wrong, columns, ["SEX"])
    assert [one.segment for one in measured] == ["", "SEX=1", "SEX=2"]
    whole, men, women = (one.estimate for one in measured)
    assert men.value == 0.0
    assert (women.high or 0) < -0.07
    assert whole.value == pytest.approx(women.value / 2, abs=0.01)
    assert measured[2].note == "61.7% before, 48.9% now, p = 2.8e-12"


def test_a_group_that_the_reference_lacks_is_not_compared() -> None:
    y, _, columns = people()
    other = {"SEX": np.full(N, 3)}
    assert [one.segment for one in balance.label_balance(y, columns, y, other, ["SEX"])] == [""]
