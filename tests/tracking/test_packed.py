"""Packed histories answer as plain rows would: same points, same order, same samples, same drawings."""

import itertools
import math
import random
from collections.abc import Callable
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airside.core.ids import RunId
from airside.core.operation import LOCAL, Context
from airside.platform.wiring import Platform
from airside.tracking import chunk
from airside.tracking.chunk import by_step, pack, unpack
from airside.tracking.curve import Smoothing, View, drawn, sampled_ranks
from airside.tracking.operations.histories import (
    GetCurves,
    GetMetricHistory,
    GetMetricInterval,
    GetMetricPoints,
)
from airside.tracking.operations.logging import LogBatch, LogHistory, LogMetric
from airside.tracking.operations.runs import CreateRun, GetRun
from airside.tracking.queries import chunks, ranges, samples, series
from airside.tracking.records import LoggedMetric, Metric
from airside.tracking.rules import Point

times = st.integers(0, 40) | st.integers(0, 2**62)
steps = st.integers(-5, 40) | st.integers(-(2**63), 2**63 - 1)
values = st.integers(-3, 3).map(float) | st.floats(-1e300, 1e300)
stored = st.tuples(times, steps, values, st.just(value=False)) | st.tuples(
    times, steps, st.just(0.0), st.just(value=True)
)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of a few points, so that a few points are many chunks."""
    for module, name, value in (
        (series, "PACK_AT", 7),
        (series, "LEAST", 4),
        (series, "FULL", 12),
        (series, "ROWS_AT_ONCE", 16),
        (series, "REWRITES_AT_ONCE", 2),
        (chunk, "USUAL", 6),
        (chunks, "_SIZES", (1, 3)),
        (samples, "_MERGED_AT_LEAST", 5),
    ):
        monkeypatch.setattr(module, name, value)


@given(st.lists(stored, min_size=1, max_size=60, unique=True))
@settings(max_examples=50)
def test_what_is_packed_comes_back(points: list[Point]) -> None:
    ordered = sorted(points)
    found, held = pack(ordered)
    columns = unpack(held)
    assert columns.points() == ordered
    assert all(columns.holds(point) for point in ordered)
    assert not columns.holds((ordered[0][0], ordered[0][1], 70000.5, False))
    assert (found.first, found.last) == (ordered[0], ordered[-1])
    assert all(found.low_key <= by_step(point) <= found.high_key for point in ordered)


def test_a_regular_history_costs_a_value_each() -> None:
    _, held = pack([(index * 1000, index, 0.5, False) for index in range(1000)])
    assert len(held) < 8_060


def log(platform: Platform, run_id: RunId, points: list[Point]) -> None:
    """One batch."""
    metrics = tuple(
        LoggedMetric(key="m", value=None if is_nan else value, timestamp_ms=time_ms, step=step)
        for time_ms, step, value, is_nan in points
    )
    platform.call(LOCAL, LogBatch(run_id=run_id, metrics=metrics))


def by_pages(platform: Platform, run_id: RunId, size: int) -> list[Metric]:
    found, token = list[Metric](), ""
    while True:
        page = platform.call(LOCAL, GetMetricHistory(run_id=run_id, key="m", max_results=size, page_token=token))
        found += page.items
        token = page.next_page_token
        if not token:
            return found


def metric_of(point: Point) -> Metric:
    time_ms, step, value, is_nan = point
    return Metric(key="m", value=None if is_nan else value, timestamp_ms=time_ms, step=step)


def points_of(kind: str, count: int) -> list[Point]:
    """Points as programs log them: in order, resumed, by several workers, at one step, or in no order at all."""
    chance = random.Random(kind)
    made: dict[str, Callable[[int], Point]] = {
        "in order": lambda at: (at, at, chance.random(), False),
        "resumed": lambda at: (at, at if at < count // 2 else at - count // 4, at / 7, False),
        "workers": lambda at: (at + chance.randrange(4), at // 2, chance.random(), at % 9 == 4),
        "one step": lambda at: (at, 0, math.sin(at), False),
        "one time": lambda at: (0, at, chance.random(), False),
        "random": lambda _at: (chance.randrange(50), chance.randrange(50), float(chance.randrange(3)), False),
        "backwards": lambda at: (count - at, -at, chance.random(), False),
    }
    return [
        (time_ms, step, 0.0 if is_nan else value, is_nan)
        for time_ms, step, value, is_nan in map(made[kind], range(count))
    ]


KINDS = ("in order", "resumed", "workers", "one step", "one time", "random", "backwards")
HELD = [*((kind, 65_536) for kind in KINDS), ("random", 20), ("resumed", 20), ("workers", 20)]
"""Kinds, and how many points are merged at once; more are sorted range by range."""


@pytest.mark.parametrize(("kind", "held"), HELD)
def test_a_packed_history_reads_as_rows_would(
    platform: Platform, small: None, monkeypatch: pytest.MonkeyPatch, kind: str, held: int
) -> None:
    monkeypatch.setattr(samples, "MERGED_AT_MOST", held)
    monkeypatch.setattr(ranges, "GATHERED_AT_ONCE", held)
    run_id = platform.call(LOCAL, CreateRun()).info.run_id
    points = points_of(kind, 120)
    chance, at = random.Random(3), 0
    while at < len(points):
        size = chance.choice((1, 1, 2, 5, 9, 30))
        log(platform, run_id, points[at : at + size])
        at += size
    log(platform, run_id, points[20:50])  # again: no second points

    ordered = sorted(set(points))
    assert n_packed(platform) > 60
    assert [metric_of(point) for point in ordered] == by_pages(platform, run_id, 1000)
    assert [metric_of(point) for point in ordered] == by_pages(platform, run_id, 7)
    latest = max(reversed(ordered), key=lambda point: (point[1], point[0], point[2]))
    assert platform.call(LOCAL, GetRun(run_id=run_id)).metrics == (metric_of(latest),)
    for wanted, start, end in ((1, None, None), (9, None, None), (50, None, None), (1000, None, None), (6, 7, 31)):
        within = sorted((point for point in ordered if start is None or start <= point[1] <= (end or 0)), key=by_step)
        asked = GetMetricInterval(run_ids=(run_id,), key="m", max_results=wanted, start_step=start, end_step=end)
        assert [metric_of(within[rank]) for rank in sampled_ranks(len(within), wanted)] == [
            Metric(key=p.key, value=p.value, timestamp_ms=p.timestamp_ms, step=p.step)
            for p in platform.call(LOCAL, asked).items
        ]


@pytest.mark.parametrize(("kind", "held"), HELD)
def test_a_packed_history_is_drawn_as_rows_would(
    platform: Platform, small: None, monkeypatch: pytest.MonkeyPatch, kind: str, held: int
) -> None:
    monkeypatch.setattr(samples, "MERGED_AT_MOST", held)
    monkeypatch.setattr(ranges, "GATHERED_AT_ONCE", held)
    run_id = platform.call(LOCAL, CreateRun()).info.run_id
    points = points_of(kind, 400)
    for at in range(0, len(points), 40):
        log(platform, run_id, points[at : at + 40])
    by_time = [(step, time_ms, value, is_nan) for time_ms, step, value, is_nan in sorted(set(points))]
    axes: tuple[Literal["step", "wall", "relative"], ...] = ("step", "wall", "relative")
    for axis, (start, end, is_log) in itertools.product(
        axes, ((None, None, False), (10, 200, False), (None, None, True))
    ):
        ordered = sorted(by_time) if axis == "step" else by_time
        view = View(axis=axis, start=start, end=end, width=60, is_log=is_log)
        asked = GetCurves(run_ids=(run_id,), key="m", axis=axis, start=start, end=end, width=60, is_log=is_log)
        assert drawn(run_id, "m", ordered, view) == platform.call(LOCAL, asked).items[0]
    smooth = platform.call(LOCAL, GetCurves(run_ids=(run_id,), key="m", width=60, smoothing=0.5)).items[0]
    ys = [point[2] for point in sorted(by_time) if not point[3]]
    assert smooth.smooth[-1] == Smoothing(0.5).over(ys)[-1]
    assert len(smooth.smooth) == len(smooth.x)


def n_packed(platform: Platform) -> int:
    def count(ctx: Context) -> int:
        found = ctx.tx.one("SELECT COALESCE(SUM(n_points), 0) FROM metric_chunk")
        assert found is not None
        return int(found[0])

    return platform.read(count)


@given(
    batches=st.lists(st.lists(stored, min_size=1, max_size=9), min_size=1, max_size=9),
    size=st.integers(1, 9),
    wanted=st.integers(1, 40),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_the_order_of_writes_each_point_is_there_once(
    platform: Platform, small: None, batches: list[list[Point]], size: int, wanted: int
) -> None:
    run_id = platform.call(LOCAL, CreateRun()).info.run_id
    for batch in batches:
        log(platform, run_id, batch)
    # what the store makes of -0.0 is 0.0
    ordered = sorted(
        {(time_ms, step, value + 0.0, is_nan) for batch in batches for time_ms, step, value, is_nan in batch}
    )
    assert [metric_of(point) for point in ordered] == by_pages(platform, run_id, size)
    within = sorted(ordered, key=by_step)
    found = platform.call(LOCAL, GetMetricInterval(run_ids=(run_id,), key="m", max_results=wanted)).items
    assert [metric_of(within[rank]) for rank in sampled_ranks(len(within), wanted)] == [
        Metric(key=p.key, value=p.value, timestamp_ms=p.timestamp_ms, step=p.step) for p in found
    ]


def test_single_points_are_packed_when_there_are_many(platform: Platform) -> None:
    run_id = platform.call(LOCAL, CreateRun()).info.run_id
    for index in range(series.PACK_AT + 1):
        platform.call(LOCAL, LogMetric(run_id=run_id, key="m", value=float(index), timestamp_ms=index, step=index))
    assert n_packed(platform) == series.PACK_AT
    assert len(by_pages(platform, run_id, 100)) == series.PACK_AT + 1


def test_a_whole_history_is_logged_as_columns(platform: Platform) -> None:
    run_id = platform.call(LOCAL, CreateRun()).info.run_id
    count = 3000
    asked = LogHistory(
        run_id=run_id,
        key="m",
        timestamps_ms=tuple(range(count)),
        steps=tuple(range(count)),
        values=tuple(None if index == 9 else index / 2 for index in range(count)),
    )
    platform.call(LOCAL, asked)
    platform.call(LOCAL, asked)
    assert n_packed(platform) == count
    page = platform.call(LOCAL, GetMetricPoints(run_id=run_id, key="m", max_results=2000))
    rest = platform.call(LOCAL, GetMetricPoints(run_id=run_id, key="m", page_token=page.next_page_token))
    assert (*page.values, *rest.values) == asked.values
    assert (*page.timestamps_ms, *rest.timestamps_ms) == asked.timestamps_ms
    assert platform.call(LOCAL, GetRun(run_id=run_id)).metrics[0].step == count - 1
