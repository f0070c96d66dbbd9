"""Sorting with few points in memory: the same order as with all of them."""

from collections.abc import Iterator, Sequence
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from airside.tracking.queries import ranges
from airside.tracking.queries.ranges import Key, sorted_ranges

numbers = st.one_of(st.integers(-5, 5), st.integers(-(1 << 62), 1 << 62))
keys = st.tuples(numbers, numbers, st.floats(allow_nan=False), st.booleans())


@settings(max_examples=50)
@given(st.lists(st.lists(keys, max_size=30), min_size=1, max_size=5), st.integers(1, 20), st.data())
def test_the_points_of_all_ranges_are_all_points_in_order(
    parts: list[list[Key]], held: int, data: st.DataObject
) -> None:
    every = sorted(point for part in parts for point in part)
    span = (every[0][0], every[-1][0]) if every else (0, 0)
    wanted = sorted(data.draw(st.sets(st.integers(0, len(every) - 1)))) if every else []
    with mock.patch.object(ranges, "GATHERED_AT_ONCE", held):
        whole = list(sorted_ranges(lambda: iter(parts), span, None))
        some = list(sorted_ranges(lambda: iter(parts), span, wanted))

    assert every == [point for _, points in whole for point in points]
    assert [first for first, _ in whole] == [sum(len(points) for _, points in whole[:at]) for at in range(len(whole))]
    picked = {first + at: point for first, points in some for at, point in enumerate(points)}
    assert {rank: every[rank] for rank in wanted} == {rank: picked[rank] for rank in wanted}


def test_a_range_of_many_points_is_divided_until_it_fits() -> None:
    asked = 0

    def points() -> Iterator[Sequence[Key]]:
        nonlocal asked
        asked += 1
        yield [(step % 3, time_ms, 0.5, False) for time_ms, step in enumerate(range(900))]

    with mock.patch.object(ranges, "GATHERED_AT_ONCE", 100):
        found = [found for _, found in sorted_ranges(points, (0, 1 << 60), None)]

    assert max(map(len, found)) <= 100
    assert sum(map(len, found)) == 900
