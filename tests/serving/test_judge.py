import math
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.serving import judge
from airside.serving.judge import Tick, TwoSample
from airside.serving.records import Brake

TICKS = [
    (Tick(540, 3, 60, 0), -0.671993),
    (Tick(540, 2, 60, 2), 0.424957),
    (Tick(540, 3, 60, 4), 3.884248),
    (Tick(540, 3, 60, 3), 6.682721),
    (Tick(540, 2, 60, 3), 10.110342),
]


def test_the_published_ticks_give_the_published_evidence() -> None:
    state, found = TwoSample(), []
    for tick, _ in TICKS:
        state = judge.look(state, tick)
        found.append(round(state.log_e, 6))
    assert found == [expected for _, expected in TICKS]


def test_each_ratio_has_its_published_evidence_after_the_third_tick() -> None:
    state = TwoSample()
    for tick, _ in TICKS[:3]:
        state = judge.look(state, tick)
    assert [round(value, 4) for value in state.log_e_ratios] == [
        0.9984, 1.7596, 2.8423, 4.0662, 4.9658, 4.6725, 1.7942,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("bad", "rows", "expected"),
    [
        (0, 100, (0.0, 0.063542)),
        (5, 1000, (0.000462, 0.018937)),
        (50, 10000, (0.002622, 0.008498)),
        (10, 100, (0.026473, 0.236859)),
    ],
)
def test_the_intervals_are_the_published_ones(bad: int, rows: int, expected: tuple[float, float]) -> None:
    low, high = judge.interval(bad, rows, 0.025)
    assert (round(low, 6), round(high, 6)) == expected


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("past", [(0, 0), (50, 5), (400, 300)])
@pytest.mark.parametrize(("rows_a", "rows_b"), [(1, 1), (9, 1), (3, 7)])
def test_the_expected_factor_of_a_tick_is_at_most_one_at_equal_rates(
    rate: float, past: tuple[int, int], rows_a: int, rows_b: int
) -> None:
    start = TwoSample(champion_rows=past[0], champion_bad=past[1])
    expected = 0.0
    for bad_a, bad_b in product(range(rows_a + 1), range(rows_b + 1)):
        chance = (
            math.comb(rows_a, bad_a)
            * math.comb(rows_b, bad_b)
            * rate ** (bad_a + bad_b)
            * (1 - rate) ** (rows_a + rows_b - bad_a - bad_b)
        )
        expected += chance * math.exp(judge.look(start, Tick(rows_a, bad_a, rows_b, bad_b)).log_e)
    assert expected <= 1 + 1e-9


def test_a_tick_without_one_of_the_arms_says_nothing() -> None:
    assert judge.look(TwoSample(), Tick(10, 1, 0, 0)) == judge.look(TwoSample(), Tick(0, 0, 5, 5)) == TwoSample()


@given(st.integers(1, 3000), st.data(), st.sampled_from([0.01, 0.025, 0.05]))
@settings(max_examples=50, deadline=None)
def test_an_interval_holds_its_own_rate(rows: int, data: st.DataObject, gamma: float) -> None:
    bad = data.draw(st.integers(0, rows))
    low, high = judge.interval(bad, rows, gamma)
    assert 0 <= low <= bad / rows <= high <= 1


@pytest.mark.parametrize("margin", [0.0, 0.01, 0.05])
def test_the_margin_test_expects_no_gain_where_the_challenger_is_worse_by_the_margin(margin: float) -> None:
    only_champion, only_challenger = 0.05, 0.05 + margin
    gains = [
        (only_champion, judge.log_e_margin(1, 1, 0, margin)),
        (only_challenger, judge.log_e_margin(1, 0, 1, margin)),
        (1 - only_champion - only_challenger, judge.log_e_margin(1, 0, 0, margin)),
    ]
    assert sum(chance * math.exp(gain) for chance, gain in gains) <= 1 + 1e-12


def test_the_paired_test_expects_no_gain_where_both_err_alike() -> None:
    expected = 0.5 * math.exp(judge.log_e_paired(1, 0)) + 0.5 * math.exp(judge.log_e_paired(0, 1))
    assert expected == pytest.approx(1)


@given(st.integers(10, 5000), st.data())
@settings(max_examples=30, deadline=None)
def test_the_paired_interval_holds_the_difference_found(rows: int, data: st.DataObject) -> None:
    ours = data.draw(st.integers(0, rows // 2))
    theirs = data.draw(st.integers(0, rows // 2))
    low, high = judge.paired_interval(rows, ours, theirs, 0.05)
    assert low <= (theirs - ours) / rows <= high


@pytest.mark.parametrize(
    ("recent", "text"),
    [
        ("11111", "5 failures in a row"),
        ("1111", ""),
        ("01" * 10, ""),
        ("01" * 9 + "11", "11 of the last 20 requests failed"),
        ("", ""),
    ],
)
def test_the_brake_falls_at_five_in_a_row_or_more_than_half_of_twenty(recent: str, text: str) -> None:
    assert judge.brake_text(recent, Brake()) == text


def test_a_gross_regression_is_found_within_some_hundred_rows() -> None:
    state, rows = TwoSample(), 0
    while state.log_e < judge.log_limit(0.05, 1):
        rows += 10
        state = judge.look(state, Tick(9, 2, 1, (rows // 10) % 5 < 3))
    assert rows <= 300
