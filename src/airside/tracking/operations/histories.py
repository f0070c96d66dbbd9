"""Histories of metrics: exact and paged, sampled by rank, or drawn within so many pixels."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Literal

from airside.core.errors import Invalid
from airside.core.ids import RunId
from airside.core.operation import AnyOperation, Context, operation
from airside.core.record import Ask
from airside.tracking import curve as drawing
from airside.tracking.chunk import Columns
from airside.tracking.queries import curves as curve_queries
from airside.tracking.queries import metrics as queries
from airside.tracking.queries import samples
from airside.tracking.records import Curves, Metric, MetricPage, MetricPoints, RunMetric, RunMetrics

MAX_RUNS = 100
MAX_SAMPLE = 2500
MAX_BULK = 25_000
MAX_POINTS = 25_000
EVERY_POINT = 1 << 40
MAX_CHART_POINTS = 20_000


class GetMetricHistory(Ask[MetricPage]):
    """Ask for the points of a metric, in order of time. Without `max_results`: all of them."""

    run_id: RunId
    key: str
    max_results: int | None = None
    page_token: str = ""


@operation("metrics.history", needs="run:read")
def history(ctx: Context, ask: GetMetricHistory) -> MetricPage:
    """The points of a metric by time, then step, then value; a page costs what it holds, at any depth."""
    if ask.max_results is not None and ask.max_results <= 0:
        raise Invalid(
            f"Invalid value {ask.max_results} for parameter 'max_results' supplied. It must be a positive integer."
        )
    parts, following = queries.page(ctx, ask.run_id, ask.key, ask.max_results or EVERY_POINT, ask.page_token)
    items = tuple(
        Metric(key=ask.key, value=value, timestamp_ms=time_ms, step=step)
        for part in parts
        for time_ms, step, value in zip(part.times_ms, part.steps, _plain(part), strict=True)
    )
    return MetricPage(items=items, next_page_token=following)


class GetMetricPoints(Ask[MetricPoints]):
    """Ask for the points of a metric as columns, in order of time: long histories, a page at a time.

    Attributes:
        max_results: how many are wanted at most; a page has 25,000 at most, whatever is asked.
    """

    run_id: RunId
    key: str
    max_results: int | None = None
    page_token: str = ""


@operation("metrics.points", needs="run:read")
def points(ctx: Context, ask: GetMetricPoints) -> MetricPoints:
    """The points of a metric by time, then step, then value, as columns: a fifth of the bytes of records."""
    wanted = MAX_POINTS if ask.max_results is None else min(ask.max_results, MAX_POINTS)
    if wanted <= 0:
        raise Invalid(f"A page has at least one point, but max_results is {wanted}.")
    parts, following = queries.page(ctx, ask.run_id, ask.key, wanted, ask.page_token)
    return MetricPoints(
        key=ask.key,
        timestamps_ms=tuple(time_ms for part in parts for time_ms in part.times_ms),
        steps=tuple(step for part in parts for step in part.steps),
        values=tuple(value for part in parts for value in _plain(part)),
        next_page_token=following,
    )


def _plain(part: Columns) -> Sequence[float | None]:
    """Values with None for "not a number"."""
    if not part.has_nan:
        return part.values
    return [None if math.isnan(value) else value for value in part.values]


class GetMetricInterval(Ask[RunMetrics]):
    """Ask for points of one metric of several runs, evenly sampled by rank, within a range of steps if given."""

    run_ids: tuple[RunId, ...]
    key: str
    start_step: int | None = None
    end_step: int | None = None
    max_results: int = MAX_SAMPLE


@operation("metrics.history_interval", needs="run:read")
def history_interval(ctx: Context, ask: GetMetricInterval) -> RunMetrics:
    """At most so many points of each run, the first and the last among them."""
    _check_interval(ask)
    picked: list[RunMetric] = []
    steps = samples.ALL_STEPS
    if ask.start_step is not None and ask.end_step is not None:
        steps = (ask.start_step, ask.end_step)
    for run_id in ask.run_ids:
        series = queries.series_of(ctx, run_id, ask.key)
        if series is None:
            continue
        found = samples.sampled(ctx.tx, series, steps, partial(drawing.sampled_ranks, wanted=ask.max_results))
        picked += [
            RunMetric(run_id=run_id, key=ask.key, value=None if is_nan else value, timestamp_ms=time_ms, step=step)
            for step, time_ms, value, is_nan in found
        ]
    return RunMetrics(items=tuple(picked))


class GetMetricBulk(Ask[RunMetrics]):
    """Ask for the points of one metric of several runs."""

    run_ids: tuple[RunId, ...]
    key: str
    max_results: int = MAX_BULK


@operation("metrics.history_bulk", needs="run:read")
def history_bulk(ctx: Context, ask: GetMetricBulk) -> RunMetrics:
    """The points of several runs, by run, time, step and value, until there are enough."""
    if len(ask.run_ids) > MAX_RUNS:
        raise Invalid(
            f"GetMetricHistoryBulk request cannot specify more than {MAX_RUNS} run_ids. "
            f"Received {len(ask.run_ids)} run_ids."
        )
    wanted = max(0, min(ask.max_results, MAX_BULK))
    picked: list[RunMetric] = []
    for run_id in sorted(set(ask.run_ids)):
        if len(picked) >= wanted:
            break
        parts, _ = queries.page(ctx, run_id, ask.key, wanted - len(picked), "")
        picked += [
            RunMetric(run_id=run_id, key=ask.key, value=value, timestamp_ms=time_ms, step=step)
            for part in parts
            for time_ms, step, value in zip(part.times_ms, part.steps, _plain(part), strict=True)
        ]
    return RunMetrics(items=tuple(picked))


class GetCurves(Ask[Curves]):
    """Ask for a metric of several runs as it is to be drawn.

    Attributes:
        axis: `step`, `relative` (seconds since the run's first point) or `wall` (milliseconds since 1970).
        start, end: the range on that axis; all of it when not given.
        width: how many pixels wide the drawing is: 60 to 1,200.
        smoothing: 0 for none, up to 0.99.
    """

    run_ids: tuple[RunId, ...]
    key: str
    axis: Literal["step", "relative", "wall"] = "step"
    start: float | None = None
    end: float | None = None
    width: int = 600
    smoothing: float = 0.0
    is_log: bool = False


@operation("metrics.curve", needs="run:read")
def curves(ctx: Context, ask: GetCurves) -> Curves:
    """Of each run the points that a drawing of that width can show: every extreme, never an average."""
    if len(ask.run_ids) > MAX_RUNS:
        raise Invalid(f"At most {MAX_RUNS} runs can be drawn in one chart, got {len(ask.run_ids)}.")
    if not 60 <= ask.width <= 1200:
        raise Invalid(f"A drawing is 60 to 1,200 pixels wide, got {ask.width}.")
    if not 0 <= ask.smoothing <= 0.99:
        raise Invalid(f"Smoothing goes from 0 to 0.99, got {ask.smoothing}.")
    width = max(min(ask.width, 100), min(ask.width, MAX_CHART_POINTS // max(1, len(ask.run_ids))))
    view = drawing.View(
        axis=ask.axis, start=ask.start, end=ask.end, width=width, smoothing=ask.smoothing, is_log=ask.is_log
    )
    return Curves(items=tuple(curve_queries.drawn(ctx, run_id, ask.key, view) for run_id in ask.run_ids))


def _check_interval(ask: GetMetricInterval) -> None:
    if len(ask.run_ids) > MAX_RUNS:
        raise Invalid(
            f"GetMetricHistoryBulkInterval request must specify at most {MAX_RUNS} run_ids. "
            f"Received {len(ask.run_ids)} run_ids."
        )
    if (ask.start_step is None) != (ask.end_step is None):
        raise Invalid("If either start step or end step are specified, both must be specified.")
    if ask.start_step is not None and ask.end_step is not None and ask.start_step > ask.end_step:
        raise Invalid(
            f"end_step must be greater than start_step. Found start_step={ask.start_step} and end_step={ask.end_step}."
        )
    if not 1 <= ask.max_results <= MAX_SAMPLE:
        raise Invalid(f"max_results must be between 1 and {MAX_SAMPLE}.")


OPERATIONS: tuple[AnyOperation, ...] = (history, points, history_interval, history_bulk, curves)
