"""Histories: exact and paged, sampled, drawn."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.core.errors import Invalid
from airside.core.ids import RunId
from airside.core.operation import LOCAL
from airside.platform.wiring import Platform
from airside.tracking.curve import Point, Smoothing, View, drawn, extremes, sampled_ranks
from airside.tracking.operations.histories import GetCurves, GetMetricBulk, GetMetricHistory, GetMetricInterval
from airside.tracking.operations.logging import LogBatch
from airside.tracking.operations.runs import CreateRun
from airside.tracking.records import LoggedMetric, Metric

RUN = RunId("r")


def logged(platform: Platform, points: list[tuple[int, int, float]]) -> RunId:
    """A run with the points `(time, step, value)` of the metric m."""
    run_id = platform.call(LOCAL, CreateRun()).info.run_id
    for first in range(0, len(points), 1000):
        platform.call(
            LOCAL,
            LogBatch(
                run_id=run_id,
                metrics=tuple(
                    LoggedMetric(key="m", value=value, timestamp_ms=time_ms, step=step)
                    for time_ms, step, value in points[first : first + 1000]
                ),
            ),
        )
    return run_id


def test_a_history_is_ordered_by_time_step_and_value_and_holds_each_point_once(platform: Platform) -> None:
    points = [(5, 1, 2.0), (3, 9, 1.0), (5, 0, 7.0), (5, 1, -2.0), (5, 1, 2.0), (5, 1, math.nan)]
    page = platform.call(LOCAL, GetMetricHistory(run_id=logged(platform, points), key="m"))
    assert [(point.timestamp_ms, point.step, point.value) for point in page.items] == [
        (3, 9, 1.0),
        (5, 0, 7.0),
        (5, 1, -2.0),
        (5, 1, None),
        (5, 1, 2.0),
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_pages_of_a_history_join_to_the_whole(platform: Platform, size: int) -> None:
    run_id = logged(
        platform, [(index // 3, index % 3, math.nan if index == 4 else float(index)) for index in range(10)]
    )
    whole = platform.call(LOCAL, GetMetricHistory(run_id=run_id, key="m")).items
    found, token = list[Metric](), ""
    while True:
        page = platform.call(LOCAL, GetMetricHistory(run_id=run_id, key="m", max_results=size, page_token=token))
        found += page.items
        token = page.next_page_token
        if not token:
            break
    assert tuple(found) == whole
    assert len(whole) == 10


def test_an_unknown_run_or_key_has_no_history(platform: Platform) -> None:
    run_id = logged(platform, [(1, 1, 1.0)])
    for asked in (GetMetricHistory(run_id=run_id, key="x"), GetMetricHistory(run_id=RunId("x"), key="m")):
        assert platform.call(LOCAL, asked).items == ()


def test_a_page_of_no_points_is_refused(platform: Platform) -> None:
    with pytest.raises(Invalid, match=r"It must be a positive integer\."):
        platform.call(LOCAL, GetMetricHistory(run_id=RUN, key="m", max_results=0))


def test_a_sample_keeps_the_first_and_the_last_point_of_each_run(platform: Platform) -> None:
    runs = [logged(platform, [(index, index, float(index)) for index in range(count)]) for count in (10, 3)]
    asked = GetMetricInterval(run_ids=(*runs, RunId("unknown")), key="m", max_results=4)
    found = platform.call(LOCAL, asked).items
    assert [(point.run_id, point.step) for point in found] == [
        *((runs[0], step) for step in (0, 3, 6, 9)),
        *((runs[1], step) for step in (0, 1, 2)),
    ]


def test_a_range_of_steps_bounds_the_sample(platform: Platform) -> None:
    run_id = logged(platform, [(index, index, float(index)) for index in range(10)])
    asked = GetMetricInterval(run_ids=(run_id,), key="m", start_step=3, end_step=5)
    assert [point.step for point in platform.call(LOCAL, asked).items] == [3, 4, 5]


@pytest.mark.parametrize(
    ("start", "end", "wanted", "text"),
    [
        (1, None, 5, "both must be specified"),
        (5, 3, 5, "end_step must be greater than start_step. Found start_step=5 and end_step=3."),
        (None, None, 0, "max_results must be between 1 and 2500."),
        (None, None, 2501, "max_results must be between 1 and 2500."),
    ],
)
def test_a_bad_interval_says_why(
    platform: Platform, start: int | None, end: int | None, wanted: int, text: str
) -> None:
    with pytest.raises(Invalid, match=text):
        platform.call(
            LOCAL, GetMetricInterval(run_ids=(RUN,), key="m", start_step=start, end_step=end, max_results=wanted)
        )


def test_bulk_goes_by_run_until_there_are_enough(platform: Platform) -> None:
    runs = sorted(logged(platform, [(1, 1, 1.0), (2, 2, 2.0)]) for _ in range(2))
    found = platform.call(LOCAL, GetMetricBulk(run_ids=(runs[1], runs[0]), key="m", max_results=3)).items
    assert [(point.run_id, point.step) for point in found] == [(runs[0], 1), (runs[0], 2), (runs[1], 1)]


def test_a_curve_of_few_points_is_exact(platform: Platform) -> None:
    run_id = logged(platform, [(1000 * index, index, float(index)) for index in range(50)])
    curve = platform.call(LOCAL, GetCurves(run_ids=(run_id,), key="m", axis="relative", start=10, end=12)).items[0]
    assert (curve.n_points, curve.exact) == (3, True)
    assert curve.x == (9.0, 10.0, 11.0, 12.0, 13.0)


values = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(n=st.integers(0, 400), wanted=st.integers(1, 50))
@settings(max_examples=50)
def test_a_sample_is_even_ordered_and_ends_with_the_last(n: int, wanted: int) -> None:
    ranks = sampled_ranks(n, wanted)
    assert len(ranks) == min(n, wanted)
    assert ranks == sorted(set(ranks))
    if ranks:
        assert ranks[-1] == n - 1
        assert ranks[0] == 0 or wanted == 1


@given(ys=st.lists(values, min_size=1, max_size=300), width=st.integers(1, 40))
@settings(max_examples=50)
def test_no_extreme_is_lost(ys: list[float], width: int) -> None:
    xs = [float(index) for index in range(len(ys))]
    kept = extremes(xs, ys, xs, width)
    assert kept == sorted(set(kept))
    assert {0, len(ys) - 1} <= set(kept)
    assert len(kept) <= 2 * width + 2
    assert {min(ys), max(ys)} <= {ys[index] for index in kept}


@given(ys=st.lists(values | st.just(math.nan), max_size=600), width=st.integers(60, 100))
@settings(max_examples=30)
def test_a_drawing_never_holds_more_than_it_can_show(ys: list[float], width: int) -> None:
    points: list[Point] = [(step, step, 0.0 if math.isnan(y) else y, math.isnan(y)) for step, y in enumerate(ys)]
    curve = drawn(RUN, "m", points, View(width=width))
    assert curve.n_points == len(ys)
    assert curve.n_sent == len(curve.x) == len(curve.y) <= 2 * width + 4
    assert list(curve.x) == sorted(curve.x)
    finite = [y for y in ys if not math.isnan(y)]
    if finite:
        assert {min(finite), max(finite)} <= set(curve.y)


@given(constant=values, weight=st.floats(0, 0.99), n=st.integers(1, 50))
@settings(max_examples=30)
def test_smoothing_leaves_a_constant_as_it_is(constant: float, weight: float, n: int) -> None:
    assert Smoothing(weight).over([constant] * n) == pytest.approx([constant] * n, rel=1e-6, abs=1e-9)


def test_a_logarithmic_axis_leaves_out_what_it_cannot_show() -> None:
    points: list[Point] = [(step, step, 1.0, False) for step in range(-3, 4)]
    assert drawn(RUN, "m", points, View(is_log=True)).x == (1.0, 2.0, 3.0)
