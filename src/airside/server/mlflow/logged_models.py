"""MLflow's calls of logged models (contract, section 9): a table of routes."""

from typing import Any

from airside.core.errors import Invalid
from airside.core.ids import ExperimentId, LoggedModelId, RunId
from airside.server.mlflow.wire import (
    KEY_VALUE,
    Kind,
    WireRequest,
    WireRoute,
    boolean,
    enum,
    int32,
    key_values,
    message,
    nothing,
    number,
    present,
    read,
    repeated,
    string,
    write,
)
from airside.tracking.logged_models.operations import (
    CreateLoggedModel,
    DeleteLoggedModel,
    DeleteLoggedModelTag,
    GetLoggedModel,
    LogLoggedModelParams,
    SearchLoggedModels,
    SetLoggedModelStatus,
    SetLoggedModelTags,
)
from airside.tracking.logged_models.records import (
    DatasetFilter,
    LoggedModel,
    LoggedModelPage,
    LoggedModelStatus,
    ModelMetric,
    ModelOrder,
)
from airside.tracking.records import Param, Tag

DEFAULT_PAGE = 50
PAGE_OF_ZERO = 100
MAX_PAGE = 10_000

_WIRE_STATUS: dict[LoggedModelStatus, str] = {
    "PENDING": "LOGGED_MODEL_PENDING",
    "READY": "LOGGED_MODEL_READY",
    "FAILED": "LOGGED_MODEL_UPLOAD_FAILED",
}
_STATUS = {word: status for status, word in _WIRE_STATUS.items()}
_STATUSES: Kind = enum(
    LOGGED_MODEL_STATUS_UNSPECIFIED=0,
    LOGGED_MODEL_PENDING=1,
    LOGGED_MODEL_READY=2,
    LOGGED_MODEL_UPLOAD_FAILED=3,
)


# --- what is answered ----------------------------------------------------------------------------------------------


def model_of(model: LoggedModel) -> dict[str, Any]:
    """A logged model on the wire."""
    info = present(
        model_id=model.model_id,
        experiment_id=model.experiment_id,
        name=model.name,
        creation_timestamp_ms=model.created_ms,
        last_updated_timestamp_ms=model.updated_ms,
        artifact_uri=model.artifact_uri,
        status=_WIRE_STATUS[model.status],
        model_type=model.model_type,
        source_run_id=model.source_run_id,
        status_message=model.status_message or None,
        tags=key_values(model.tags),
    )
    data = present(params=key_values(model.params), metrics=[_metric(point) for point in model.metrics])
    return {"info": info, "data": data}


def _metric(point: ModelMetric) -> dict[str, Any]:
    return present(
        key=point.key,
        value=number(point.value),
        timestamp=point.timestamp_ms,
        step=point.step,
        dataset_name=point.dataset_name or None,
        dataset_digest=point.dataset_digest or None,
        model_id=point.model_id,
        run_id=point.run_id,
    )


def _model(answer: LoggedModel) -> bytes:
    return write({"model": model_of(answer)})


def _models(answer: LoggedModelPage) -> bytes:
    return write(
        present(models=[model_of(model) for model in answer.items], next_page_token=answer.next_page_token or None)
    )


# --- what is asked -------------------------------------------------------------------------------------------------


def _id(request: WireRequest) -> LoggedModelId:
    return LoggedModelId(request.path_args["model_id"])


_CREATE = message(
    required=("experiment_id",),
    experiment_id=string,
    name=string,
    model_type=string,
    source_run_id=string,
    params=repeated(KEY_VALUE),
    tags=repeated(KEY_VALUE),
)


def _create(request: WireRequest) -> CreateLoggedModel:
    sent = read(request, _CREATE)
    return CreateLoggedModel(
        experiment_id=ExperimentId(sent["experiment_id"]),
        name=sent.get("name", ""),
        model_type=sent.get("model_type", ""),
        source_run_id=RunId(sent.get("source_run_id", "")),
        params=_params(sent.get("params")),
        tags=_tags(sent.get("tags")),
    )


def _params(sent: list[dict[str, str]] | None) -> tuple[Param, ...]:
    return tuple(Param(key=each.get("key", ""), value=each.get("value", "")) for each in sent or ())


def _tags(sent: list[dict[str, str]] | None) -> tuple[Tag, ...]:
    return tuple(Tag(key=each.get("key", ""), value=each.get("value", "")) for each in sent or ())


def _get(request: WireRequest) -> GetLoggedModel:
    asked = request.query.get("allow_deleted", ["false"])[0]
    if asked.lower() not in {"true", "false"}:
        raise Invalid(f"Invalid boolean value: {asked[:200]}, must be 'true' or 'false'.")
    return GetLoggedModel(model_id=_id(request), allow_deleted=asked.lower() == "true")


_UPDATE = message(required=("model_id", "status"), model_id=string, status=_STATUSES, status_message=string)


def _update(request: WireRequest) -> SetLoggedModelStatus:
    sent = read(request, _UPDATE)
    status = _STATUS.get(sent["status"])
    if status is None:
        raise Invalid(f"Invalid model status: {sent['status']}. Expected statuses are: {', '.join(_STATUS)}.")
    return SetLoggedModelStatus(model_id=_id(request), status=status, status_message=sent.get("status_message", ""))


def _delete(request: WireRequest) -> DeleteLoggedModel:
    return DeleteLoggedModel(model_id=_id(request))


_SET_TAGS = message(model_id=string, tags=repeated(KEY_VALUE))


def _set_tags(request: WireRequest) -> SetLoggedModelTags:
    return SetLoggedModelTags(model_id=_id(request), tags=_tags(read(request, _SET_TAGS).get("tags")))


def _delete_tag(request: WireRequest) -> DeleteLoggedModelTag:
    return DeleteLoggedModelTag(model_id=_id(request), key=request.path_args["tag_key"])


_PARAMS = message(required=("model_id",), model_id=string, params=repeated(KEY_VALUE))


def _log_params(request: WireRequest) -> LogLoggedModelParams:
    return LogLoggedModelParams(model_id=_id(request), params=_params(read(request, _PARAMS).get("params")))


_DATASET = message(dataset_name=string, dataset_digest=string)
_ORDER = message(field_name=string, ascending=boolean, dataset_name=string, dataset_digest=string)
_SEARCH = message(
    required=("experiment_ids",),
    experiment_ids=repeated(string),
    filter=string,
    datasets=repeated(_DATASET),
    max_results=int32,
    order_by=repeated(_ORDER),
    page_token=string,
)


def _search(request: WireRequest) -> SearchLoggedModels:
    sent = read(request, _SEARCH)
    if not all(each.get("dataset_name") for each in sent.get("datasets", ())):
        raise Invalid("`dataset_name` in the `datasets` clause must be specified.")
    if not all(each.get("field_name") for each in sent.get("order_by", ())):
        raise Invalid("Invalid order by field name: ")
    wanted = sent.get("max_results", DEFAULT_PAGE) or PAGE_OF_ZERO
    return SearchLoggedModels(
        experiment_ids=tuple(ExperimentId(each) for each in sent["experiment_ids"]),
        filter=sent.get("filter", ""),
        datasets=tuple(DatasetFilter(**each) for each in sent.get("datasets", ())),
        max_results=min(wanted, MAX_PAGE),
        order_by=tuple(ModelOrder(**each) for each in sent.get("order_by", ())),
        page_token=sent.get("page_token", ""),
    )


# --- the table -----------------------------------------------------------------------------------------------------

_L = "2.0/mlflow/logged-models"


ROUTES: tuple[WireRoute, ...] = (
    WireRoute("POST", _L, _create, _model, CreateLoggedModel),
    WireRoute("POST", f"{_L}/search", _search, _models, SearchLoggedModels),
    WireRoute("GET", f"{_L}/{{model_id}}", _get, _model, GetLoggedModel),
    WireRoute("PATCH", f"{_L}/{{model_id}}", _update, _model, SetLoggedModelStatus),
    WireRoute("DELETE", f"{_L}/{{model_id}}", _delete, nothing, DeleteLoggedModel),
    WireRoute("PATCH", f"{_L}/{{model_id}}/tags", _set_tags, nothing, SetLoggedModelTags),
    WireRoute("DELETE", f"{_L}/{{model_id}}/tags/{{tag_key:path}}", _delete_tag, nothing, DeleteLoggedModelTag),
    WireRoute("POST", f"{_L}/{{model_id}}/params", _log_params, nothing, LogLoggedModelParams),
)
