"""Histories of metrics on MLflow's wire (contract, section 5.4)."""

from collections.abc import AsyncIterator, Iterator

import msgspec

from airside.core.errors import Invalid
from airside.core.ids import RunId
from airside.server.mlflow.wire import (
    AJAX_ONLY,
    SEE_DOCS,
    Asking,
    WireRequest,
    WireRoute,
    int32,
    message,
    number,
    read,
    repeated,
    string,
    write,
)
from airside.tracking.operations.histories import (
    MAX_BULK,
    MAX_SAMPLE,
    GetMetricBulk,
    GetMetricInterval,
    GetMetricPoints,
)
from airside.tracking.records import MetricPoints, RunMetrics

ROWS_AT_ONCE = 5000

_HISTORY = message(
    required=("run_id", "metric_key"), run_id=string, metric_key=string, max_results=int32, page_token=string
)
_INTERVAL = message(
    required=("run_ids", "metric_key"),
    run_ids=repeated(string),
    metric_key=string,
    start_step=int32,
    end_step=int32,
    max_results=int32,
)
_BULK = message(run_id=repeated(string), metric_key=string, max_results=int32)


def _history(request: WireRequest) -> GetMetricPoints:
    sent = read(request, _HISTORY)
    wanted = sent.get("max_results")
    if wanted is not None and wanted <= 0:
        raise Invalid(f"Invalid value {wanted} for parameter 'max_results' supplied. It must be a positive integer.")
    return GetMetricPoints(
        run_id=RunId(sent["run_id"]),
        key=sent["metric_key"],
        max_results=wanted,
        page_token=sent.get("page_token", ""),
    )


def _interval(request: WireRequest) -> GetMetricInterval:
    sent = read(request, _INTERVAL)
    if not 1 <= sent.get("max_results", 1) <= MAX_SAMPLE:
        raise Invalid(f"max_results must be between 1 and {MAX_SAMPLE}. {SEE_DOCS}")
    return GetMetricInterval(
        run_ids=tuple(RunId(run_id) for run_id in sent["run_ids"]),
        key=sent["metric_key"],
        start_step=sent.get("start_step"),
        end_step=sent.get("end_step"),
        max_results=sent.get("max_results", MAX_SAMPLE),
    )


def _bulk(request: WireRequest) -> GetMetricBulk:
    sent = read(request, _BULK)
    if not sent.get("run_id"):
        raise Invalid("GetMetricHistoryBulk request must specify at least one run_id.")
    if not sent.get("metric_key"):
        raise Invalid("GetMetricHistoryBulk request must specify a metric_key.")
    return GetMetricBulk(
        run_ids=tuple(RunId(run_id) for run_id in sent["run_id"]),
        key=sent["metric_key"],
        max_results=min(sent.get("max_results", MAX_BULK), MAX_BULK),
    )


class _Point(msgspec.Struct, gc=False):
    key: str
    value: float | str
    timestamp: int
    step: int


def _rows(page: MetricPoints) -> Iterator[bytes]:
    """The points of a page as JSON, some at a time, with commas between."""
    for start in range(0, len(page.values), ROWS_AT_ONCE):
        here = slice(start, start + ROWS_AT_ONCE)
        values = ["NaN" if value is None else value for value in page.values[here]]
        rows = zip(values, page.timestamps_ms[here], page.steps[here], strict=True)
        yield write([_Point(page.key, value, time_ms, step) for value, time_ms, step in rows])[1:-1]


def _end(token: str) -> bytes:
    return b"]" + (b',"next_page_token":' + write(token) if token else b"") + b"}"


def _page(page: MetricPoints) -> bytes:
    if not page.values:
        return b"{}"
    return b'{"metrics":[' + b",".join(_rows(page)) + _end(page.next_page_token)


def _long(ask: GetMetricPoints, page: MetricPoints, asking: Asking) -> AsyncIterator[bytes] | None:
    """The pieces of an answer that is longer than a page; None when it is not."""
    is_whole = ask.max_results is not None and len(page.values) >= ask.max_results
    return None if is_whole or not page.next_page_token else _pieces(ask, page, asking)


async def _pieces(ask: GetMetricPoints, page: MetricPoints, asking: Asking) -> AsyncIterator[bytes]:
    lead, left = b'{"metrics":[', ask.max_results
    while True:
        for rows in _rows(page):
            yield lead + rows
            lead = b","
        left = None if left is None else left - len(page.values)
        if not page.next_page_token or left == 0:
            break
        ask = msgspec.structs.replace(ask, max_results=left, page_token=page.next_page_token)
        page = await asking(ask)
    yield _end(page.next_page_token)


class _RunPoint(_Point, gc=False):
    run_id: str


def _points(points: RunMetrics) -> bytes:
    return b'{"metrics":' + _run_points(points) + b"}" if points.items else b"{}"


def _run_points(points: RunMetrics) -> bytes:
    return write([_RunPoint(p.key, number(p.value), p.timestamp_ms, p.step, p.run_id) for p in points.items])


def _bulk_points(points: RunMetrics) -> bytes:
    """The one answer in which "not a number" is a bare word, which JSON does not have."""
    rows = _run_points(points)
    if any(point.value is None for point in points.items):
        rows = rows.replace(b'"value":"NaN"', b'"value":NaN')  # a quote inside a key is escaped: this is no key
    return b'{"metrics":' + rows + b"}"


_AT = "2.0/mlflow/metrics/"
ROUTES: tuple[WireRoute, ...] = (
    WireRoute("GET", _AT + "get-history", _history, _page, GetMetricPoints, stream=_long),
    WireRoute("GET", _AT + "get-history-bulk-interval", _interval, _points, GetMetricInterval),
    WireRoute("GET", _AT + "get-history-bulk", _bulk, _bulk_points, GetMetricBulk, prefixes=AJAX_ONLY),
)
