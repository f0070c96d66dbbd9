"""Histories of metrics on MLflow's wire (contract, section 5.4)."""

from typing import Any

from airside.core.errors import Invalid
from airside.core.ids import RunId
from airside.server.mlflow.run_answers import metric_of
from airside.server.mlflow.wire import (
    AJAX_ONLY,
    SEE_DOCS,
    WireRequest,
    WireRoute,
    int32,
    int64,
    message,
    present,
    read,
    repeated,
    string,
    write,
)
from airside.tracking.operations.histories import (
    MAX_BULK,
    MAX_SAMPLE,
    GetMetricBulk,
    GetMetricHistory,
    GetMetricInterval,
)
from airside.tracking.records import MetricPage, RunMetrics

REST = 2**31 - 2
"""How many points follow a page token at most, when the request does not say."""
_HISTORY = message(
    required=("run_id", "metric_key"), run_id=string, metric_key=string, max_results=int32, page_token=string
)
_INTERVAL = message(
    required=("run_ids", "metric_key"),
    run_ids=repeated(string),
    metric_key=string,
    start_step=int64,
    end_step=int64,
    max_results=int64,
)
_BULK = message(run_id=repeated(string), metric_key=string, max_results=int32)


def _history(request: WireRequest) -> GetMetricHistory:
    sent = read(request, _HISTORY)
    token = sent.get("page_token", "")
    return GetMetricHistory(
        run_id=RunId(sent["run_id"]),
        key=sent["metric_key"],
        max_results=sent.get("max_results", REST if token else None),
        page_token=token,
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


def _page(page: MetricPage) -> bytes:
    return write(
        present(metrics=[metric_of(metric) for metric in page.items], next_page_token=page.next_page_token or None)
    )


def _points(points: RunMetrics) -> bytes:
    return write(present(metrics=[{**metric_of(point), "run_id": point.run_id} for point in points.items]))


def _bulk_points(points: RunMetrics) -> bytes:
    """The one answer in which "not a number" is a bare word, which JSON does not have."""
    if all(point.value is not None for point in points.items):
        return write({"metrics": [{**metric_of(point), "run_id": point.run_id} for point in points.items]})
    parts = []
    for point in points.items:
        described: dict[str, Any] = {**metric_of(point), "run_id": point.run_id}
        if point.value is None:
            del described["value"]
            parts.append(b'{"value":NaN,' + write(described)[1:])
        else:
            parts.append(write(described))
    return b'{"metrics":[' + b",".join(parts) + b"]}"


_AT = "2.0/mlflow/metrics/"
ROUTES: tuple[WireRoute, ...] = (
    WireRoute(method="GET", path=_AT + "get-history", decode=_history, encode=_page, ask=GetMetricHistory),
    WireRoute(
        method="GET", path=_AT + "get-history-bulk-interval", decode=_interval, encode=_points, ask=GetMetricInterval
    ),
    WireRoute(
        method="GET",
        path=_AT + "get-history-bulk",
        decode=_bulk,
        encode=_bulk_points,
        ask=GetMetricBulk,
        prefixes=AJAX_ONLY,
    ),
)
