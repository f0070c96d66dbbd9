"""Numbers and times as people read them."""

import math
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from airside.core.estimate import Estimate
from airside.server.web import format as words

finite = st.floats(-1e12, 1e12, allow_nan=False)


def read_back(text: str) -> float:
    return float(text.replace(",", "").replace(words.MINUS, "-").replace("±", "").replace("+", ""))


@settings(max_examples=50)
@given(finite, st.integers(0, 6))
def test_a_number_reads_back_as_what_it_was_to_its_decimals(value: float, places: int) -> None:
    assert math.isclose(read_back(words.number(value, places)), value, abs_tol=0.5000001 * 10**-places, rel_tol=1e-9)


@settings(max_examples=50)
@given(finite)
def test_a_figure_keeps_four_digits(value: float) -> None:
    assert math.isclose(read_back(words.figure(value)), value, rel_tol=6e-3, abs_tol=1e-12)


@settings(max_examples=50)
@given(st.lists(st.floats(-1e5, 1e5), min_size=2, max_size=8))
def test_decimals_keep_the_largest_difference_visible(values: list[float]) -> None:
    places = words.decimals(values)
    assert 0 <= places <= 6
    if max(values) - min(values) > 1e-5:
        assert words.number(max(values), places) != words.number(min(values), places)


@settings(max_examples=50)
@given(finite)
def test_a_difference_always_carries_its_sign(value: float) -> None:
    assert words.signed(value)[0] in {"+", words.MINUS, "±"}


@settings(max_examples=50)
@given(st.floats(0, 1e8))
def test_a_duration_has_at_most_two_units_and_no_decimal_minutes(seconds: float) -> None:
    text = words.duration(seconds)
    units = [part for part in text.split(words.SPACE) if part.isalpha()]
    assert 1 <= len(units) <= 2
    assert set(units) <= {"ms", "s", "min", "h", "d"}


@settings(max_examples=50)
@given(st.integers(0, 2**45))
def test_a_size_is_never_of_a_thousand_and_more_units(n: int) -> None:
    figure, unit = words.size(n).split(words.SPACE)
    assert float(figure.replace(",", "")) <= 1024
    assert unit in {"B", "KiB", "MiB", "GiB", "TiB"}


def test_what_is_missing_is_never_zero() -> None:
    for shown in (words.number, words.figure, words.share, words.points, words.duration, words.size, words.estimate):
        assert shown(None) == words.DASH


def test_an_interval_shows_its_ends_apart() -> None:
    assert words.estimate(Estimate(value=0.81234, low=0.81229, high=0.81241)) == "0.81234 [0.81229, 0.81241]"


def test_under_a_day_a_time_is_an_age_and_then_a_date() -> None:
    now = datetime(2026, 11, 20, 14, 2, tzinfo=UTC)
    assert words.since(now - timedelta(hours=5), now) == f"5{words.SPACE}h ago"
    assert words.since(now - timedelta(days=2), now) == "18 Nov 2026, 14:02"
    assert words.since(now + timedelta(hours=1), now) == "20 Nov 2026, 15:02"
