"""Runs on MLflow's wire (contract, sections 4, 5.1, 6.2 and 7).

The five hot calls (create, log-metric, log-parameter, set-tag, log-batch) are decoded straight into typed structs; what
does not fit is read again, field by field, so that the texts of errors are MLflow's.
"""

from typing import Annotated, Any, TypeVar

import msgspec

from airside.core.errors import Invalid
from airside.core.ids import ExperimentId, LoggedModelId, RunId
from airside.server.mlflow.run_answers import created, got, searched, updated
from airside.server.mlflow.wire import (
    INT64,
    KEY_VALUE,
    WireRequest,
    WireRoute,
    double,
    enum,
    int32,
    int64,
    limited,
    message,
    nothing,
    read,
    repeated,
    require_json,
    string,
)
from airside.tracking.operations.logging import (
    DeleteRunTag,
    LogBatch,
    LogInputs,
    LogMetric,
    LogModelLegacy,
    LogOutputs,
    LogParam,
    SetRunTag,
)
from airside.tracking.operations.runs import CreateRun, DeleteRun, GetRun, RestoreRun, SearchRuns, UpdateRun
from airside.tracking.records import (
    Dataset,
    DatasetInput,
    LoggedMetric,
    ModelOutput,
    Param,
    Tag,
    View,
)

T = TypeVar("T", bound=msgspec.Struct)
MAX_SEARCH = 50_000
STATUS = enum(RUNNING=1, SCHEDULED=2, FINISHED=3, FAILED=4, KILLED=5)
VIEW = enum(ACTIVE_ONLY=1, DELETED_ONLY=2, ALL=3)
VIEWS: dict[str, View] = {"ACTIVE_ONLY": "active", "DELETED_ONLY": "deleted", "ALL": "all"}
TAG = message(key=string, value=string)


def _hot(request: WireRequest, decoder: "msgspec.json.Decoder[T]") -> T | None:
    """The body as a typed struct; None when it must be read the long way."""
    require_json(request)
    try:
        return decoder.decode(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


# --- runs: their life ----------------------------------------------------------------------------------------------

_CREATE = message(
    experiment_id=string,
    start_time=int64,
    run_name=string,
    user_id=string,
    tags=repeated(TAG),
)
_RUN_ID = message(required=("run_id",), run_id=string)
_UPDATE = message(required=("run_id",), run_id=string, end_time=int64, status=STATUS, run_name=string)


def tags_of(sent: list[dict[str, Any]]) -> tuple[Tag, ...]:
    """Pairs as they were sent, as tags; an absent part is empty."""
    return tuple(Tag(key=pair.get("key", ""), value=pair.get("value", "")) for pair in sent)


class _Tag(Tag, forbid_unknown_fields=True):
    """A tag as the official clients send it: nothing is built twice."""


class _New(msgspec.Struct, forbid_unknown_fields=True):
    """A body as the official clients send it; anything else goes the long way."""

    experiment_id: str = "0"
    user_id: str = ""
    run_name: str = ""
    start_time: Annotated[int, msgspec.Meta(ge=INT64[0], le=INT64[1])] = 0
    tags: tuple[_Tag, ...] = ()


_NEWS = msgspec.json.Decoder(_New)


def _create(request: WireRequest) -> CreateRun:
    hot = _hot(request, _NEWS)
    if hot is not None:
        return CreateRun(
            experiment_id=ExperimentId(hot.experiment_id or "0"),
            name=hot.run_name,
            user_id=hot.user_id,
            start_time_ms=hot.start_time,
            tags=hot.tags,
        )
    sent = read(request, _CREATE)
    return CreateRun(
        experiment_id=ExperimentId(sent.get("experiment_id") or "0"),
        name=sent.get("run_name", ""),
        user_id=sent.get("user_id", ""),
        start_time_ms=sent.get("start_time", 0),
        tags=tags_of(sent.get("tags", [])),
    )


def _get(request: WireRequest) -> GetRun:
    return GetRun(run_id=RunId(read(request, _RUN_ID)["run_id"]))


def _update(request: WireRequest) -> UpdateRun:
    sent = read(request, _UPDATE)
    return UpdateRun(
        run_id=RunId(sent["run_id"]),
        status=sent.get("status"),
        end_time_ms=sent.get("end_time"),
        name=sent.get("run_name"),
    )


def _delete(request: WireRequest) -> DeleteRun:
    return DeleteRun(run_id=RunId(read(request, _RUN_ID)["run_id"]))


def _restore(request: WireRequest) -> RestoreRun:
    return RestoreRun(run_id=RunId(read(request, _RUN_ID)["run_id"]))


# --- what a run logs -----------------------------------------------------------------------------------------------


Int64 = Annotated[int, msgspec.Meta(ge=INT64[0], le=INT64[1])]


class _Hot(msgspec.Struct, forbid_unknown_fields=True):
    """A body as the official clients send it; anything else goes the long way."""

    run_id: str
    key: str
    run_uuid: str = ""


class _Pair(_Hot, forbid_unknown_fields=True):
    value: str = ""


class _Point(_Hot, forbid_unknown_fields=True, kw_only=True):
    value: float
    timestamp: Int64
    step: Int64 = 0
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class _BatchPoint(LoggedMetric, forbid_unknown_fields=True, rename={"timestamp_ms": "timestamp"}):
    """A point as it is sent is a point as it is logged: nothing is built twice for a thousand of them."""

    value: float
    timestamp_ms: Int64
    step: Int64 = 0
    run_id: str = ""


class _BatchParam(Param, forbid_unknown_fields=True):
    pass


class _Batch(msgspec.Struct, forbid_unknown_fields=True):
    run_id: str
    metrics: tuple[_BatchPoint, ...] = ()
    params: tuple[_BatchParam, ...] = ()
    tags: tuple[_Tag, ...] = ()


_PAIRS = msgspec.json.Decoder(_Pair)
_POINTS = msgspec.json.Decoder(_Point)
_BATCHES = msgspec.json.Decoder(_Batch)

_LOG_METRIC = message(
    required=("run_id", "key", "value", "timestamp"),
    run_id=string,
    key=string,
    value=double,
    timestamp=int64,
    step=int64,
    model_id=string,
    dataset_name=string,
    dataset_digest=string,
)
_LOG_PAIR = message(required=("run_id", "key"), run_id=string, key=string, value=string)
_METRIC = message(
    required=("key", "value", "timestamp"),
    key=string,
    value=double,
    timestamp=int64,
    step=int64,
    model_id=string,
    dataset_name=string,
    dataset_digest=string,
)
_NEEDS_KEY = message(required=("key",), key=string, value=string)
_LOG_BATCH = message(
    required=("run_id",),
    run_id=string,
    metrics=repeated(_METRIC),
    params=repeated(_NEEDS_KEY),
    tags=repeated(_NEEDS_KEY),
)
_DATASET = message(name=string, digest=string, source_type=string, source=string, schema=string, profile=string)
_LOG_INPUTS = message(
    required=("run_id",),
    run_id=string,
    datasets=repeated(message(dataset=_DATASET, tags=repeated(KEY_VALUE))),
    models=repeated(message(model_id=string)),
)
_LOG_OUTPUTS = message(
    required=("run_id", "models"),
    run_id=string,
    models=repeated(message(model_id=string, step=int64)),
)
_LOG_MODEL = message(required=("run_id", "model_json"), run_id=string, model_json=string)


def _log_metric(request: WireRequest) -> LogMetric:
    hot = _hot(request, _POINTS)
    if hot is not None and hot.key and hot.run_id:
        _check_whole(hot.dataset_name, hot.dataset_digest)
        return LogMetric(
            run_id=RunId(hot.run_id),
            key=hot.key,
            value=hot.value,
            timestamp_ms=hot.timestamp,
            step=hot.step,
            model_id=LoggedModelId(hot.model_id),
            dataset_name=hot.dataset_name,
            dataset_digest=hot.dataset_digest,
        )
    sent = read(request, _LOG_METRIC)
    return LogMetric(run_id=RunId(sent["run_id"]), **_point_of(sent))


def _check_whole(name: str, digest: str) -> None:
    """Refuse a dataset of which only one half is told."""
    if bool(name) != bool(digest):
        raise Invalid("Both dataset_name and dataset_digest must be provided if one is provided")


def _point_of(sent: dict[str, Any]) -> dict[str, Any]:
    _check_whole(sent.get("dataset_name", ""), sent.get("dataset_digest", ""))
    return {
        "key": sent["key"],
        "value": sent["value"],
        "timestamp_ms": sent["timestamp"],
        "step": sent.get("step", 0),
        "model_id": sent.get("model_id", ""),
        "dataset_name": sent.get("dataset_name", ""),
        "dataset_digest": sent.get("dataset_digest", ""),
    }


def _pair(request: WireRequest) -> tuple[RunId, str, str]:
    hot = _hot(request, _PAIRS)
    if hot is not None and hot.key and hot.run_id:
        return RunId(hot.run_id), hot.key, hot.value
    sent = read(request, _LOG_PAIR)
    return RunId(sent["run_id"]), sent["key"], sent.get("value", "")


def _log_param(request: WireRequest) -> LogParam:
    run_id, key, value = _pair(request)
    return LogParam(run_id=run_id, key=key, value=value)


def _set_tag(request: WireRequest) -> SetRunTag:
    run_id, key, value = _pair(request)
    return SetRunTag(run_id=run_id, key=key, value=value)


def _delete_tag(request: WireRequest) -> DeleteRunTag:
    sent = read(request, _LOG_PAIR)
    return DeleteRunTag(run_id=RunId(sent["run_id"]), key=sent["key"])


def _log_batch(request: WireRequest) -> LogBatch:
    hot = _hot(request, _BATCHES)
    if (
        hot is not None
        and hot.run_id
        and all(item.key for part in (hot.metrics, hot.params, hot.tags) for item in part)
    ):
        for point in hot.metrics:
            if point.dataset_name or point.dataset_digest:
                _check_whole(point.dataset_name, point.dataset_digest)
        return LogBatch(run_id=RunId(hot.run_id), metrics=hot.metrics, params=hot.params, tags=hot.tags)
    sent = read(request, _LOG_BATCH)
    return LogBatch(
        run_id=RunId(sent["run_id"]),
        metrics=tuple(LoggedMetric(**_point_of(point)) for point in sent.get("metrics", [])),
        params=tuple(Param(key=pair["key"], value=pair.get("value", "")) for pair in sent.get("params", [])),
        tags=tags_of(sent.get("tags", [])),
    )


def _log_inputs(request: WireRequest) -> LogInputs:
    sent = read(request, _LOG_INPUTS)
    return LogInputs(
        run_id=RunId(sent["run_id"]),
        datasets=tuple(
            DatasetInput(dataset=_dataset(given.get("dataset", {})), tags=tags_of(given.get("tags", [])))
            for given in sent.get("datasets", [])
        ),
        model_ids=tuple(LoggedModelId(model.get("model_id", "")) for model in sent.get("models", [])),
    )


def _dataset(sent: dict[str, Any]) -> Dataset:
    return Dataset(
        name=sent.get("name", ""),
        digest=sent.get("digest", ""),
        source_type=sent.get("source_type", ""),
        source=sent.get("source", ""),
        schema=sent.get("schema"),
        profile=sent.get("profile"),
    )


def _log_outputs(request: WireRequest) -> LogOutputs:
    sent = read(request, _LOG_OUTPUTS)
    return LogOutputs(
        run_id=RunId(sent["run_id"]),
        models=tuple(
            ModelOutput(model_id=LoggedModelId(model.get("model_id", "")), step=model.get("step", 0))
            for model in sent["models"]
        ),
    )


def _log_model(request: WireRequest) -> LogModelLegacy:
    sent = read(request, _LOG_MODEL)
    return LogModelLegacy(run_id=RunId(sent["run_id"]), model_json=sent["model_json"])


# --- searching -----------------------------------------------------------------------------------------------------

_SEARCH = message(
    experiment_ids=repeated(string),
    filter=string,
    run_view_type=VIEW,
    max_results=limited(int32, MAX_SEARCH),
    order_by=repeated(string),
    page_token=string,
)


def _search(request: WireRequest) -> SearchRuns:
    sent = read(request, _SEARCH)
    return SearchRuns(
        experiment_ids=tuple(ExperimentId(experiment_id) for experiment_id in sent.get("experiment_ids", [])),
        filter=sent.get("filter", ""),
        order_by=tuple(sent.get("order_by", [])),
        view=VIEWS[sent.get("run_view_type", "ACTIVE_ONLY")],
        max_results=sent.get("max_results", 1000),
        page_token=sent.get("page_token", ""),
    )


_R = "2.0/mlflow/runs"
ROUTES: tuple[WireRoute, ...] = (
    WireRoute("POST", f"{_R}/create", _create, created, CreateRun),
    WireRoute("POST", f"{_R}/update", _update, updated, UpdateRun),
    WireRoute("POST", f"{_R}/delete", _delete, nothing, DeleteRun),
    WireRoute("POST", f"{_R}/restore", _restore, nothing, RestoreRun),
    WireRoute("POST", f"{_R}/search", _search, searched, SearchRuns),
    WireRoute("POST", f"{_R}/log-metric", _log_metric, nothing, LogMetric),
    WireRoute("POST", f"{_R}/log-parameter", _log_param, nothing, LogParam),
    WireRoute("POST", f"{_R}/set-tag", _set_tag, nothing, SetRunTag),
    WireRoute("POST", f"{_R}/delete-tag", _delete_tag, nothing, DeleteRunTag),
    WireRoute("POST", f"{_R}/log-batch", _log_batch, nothing, LogBatch),
    WireRoute("POST", f"{_R}/log-inputs", _log_inputs, nothing, LogInputs),
    WireRoute("POST", f"{_R}/outputs", _log_outputs, nothing, LogOutputs),
    WireRoute("POST", f"{_R}/log-model", _log_model, nothing, LogModelLegacy),
    WireRoute("GET", f"{_R}/get", _get, got, GetRun),
)
