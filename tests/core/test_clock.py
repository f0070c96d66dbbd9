"""Time: to the millisecond, aware, and in the hands of the tests."""

import time
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from airside.core.clock import Clock, FixedClock, from_ms, system_random, to_ms


@given(st.integers(-(2**45), 2**47))
def test_milliseconds_survive_the_way_to_a_datetime_and_back(ms: int) -> None:
    assert to_ms(from_ms(ms)) == ms


def test_an_instant_is_the_same_in_every_zone() -> None:
    there = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert to_ms(there.astimezone(None)) == to_ms(there)


def test_the_machines_clock_tells_now_in_one_unit() -> None:
    clock = Clock()
    before = time.time_ns() // 1_000_000
    now = clock.now_ms()
    assert before <= now <= time.time_ns() // 1_000_000
    assert abs(clock.now() - from_ms(now)) < timedelta(minutes=10)


def test_a_fixed_clock_moves_only_when_told() -> None:
    clock = FixedClock(1000)
    assert (clock.now_ms(), clock.now_ms()) == (1000, 1000)
    clock.advance(seconds=0.5)
    assert (clock.now_ms(), clock.now()) == (1500, from_ms(1500))


def test_chance_has_the_length_that_was_asked() -> None:
    assert len(system_random(10)) == 10
    assert system_random(16) != system_random(16)
