"""Experiments on MLflow's wire (contract, section 3)."""

from typing import Any

from airside.core.errors import Invalid
from airside.core.ids import ExperimentId
from airside.server.mlflow.runs import VIEW, VIEWS, tags_of
from airside.server.mlflow.wire import (
    AJAX_ONLY,
    KEY_VALUE,
    WireRequest,
    WireRoute,
    int64,
    key_values,
    message,
    nothing,
    present,
    read,
    repeated,
    string,
    write,
)
from airside.tracking.operations.experiments import (
    CreateExperiment,
    DeleteExperiment,
    DeleteExperimentTag,
    GetExperiment,
    GetExperimentByName,
    RenameExperiment,
    RestoreExperiment,
    SearchDatasets,
    SearchExperiments,
    SetExperimentTag,
)
from airside.tracking.records import DatasetSummaries, Experiment, ExperimentPage

MAX_DATASET_EXPERIMENTS = 20

_CREATE = message(required=("name",), name=string, artifact_location=string, tags=repeated(KEY_VALUE))
_ID = message(required=("experiment_id",), experiment_id=string)
_NAME = message(required=("experiment_name",), experiment_name=string)
_RENAME = message(required=("experiment_id", "new_name"), experiment_id=string, new_name=string)
_TAG = message(required=("experiment_id", "key"), experiment_id=string, key=string, value=string)
_SEARCH = message(
    max_results=int64,
    page_token=string,
    filter=string,
    order_by=repeated(string),
    view_type=VIEW,
)
_DATASETS = message(experiment_ids=repeated(string))


def _create(request: WireRequest) -> CreateExperiment:
    sent = read(request, _CREATE)
    return CreateExperiment(
        name=sent["name"],
        artifact_location=sent.get("artifact_location", ""),
        tags=tags_of(sent.get("tags", [])),
    )


def _get(request: WireRequest) -> GetExperiment:
    return GetExperiment(experiment_id=_id(request))


def _get_by_name(request: WireRequest) -> GetExperimentByName:
    return GetExperimentByName(name=read(request, _NAME)["experiment_name"])


def _rename(request: WireRequest) -> RenameExperiment:
    sent = read(request, _RENAME)
    return RenameExperiment(experiment_id=ExperimentId(sent["experiment_id"]), new_name=sent["new_name"])


def _delete(request: WireRequest) -> DeleteExperiment:
    return DeleteExperiment(experiment_id=_id(request))


def _restore(request: WireRequest) -> RestoreExperiment:
    return RestoreExperiment(experiment_id=_id(request))


def _set_tag(request: WireRequest) -> SetExperimentTag:
    sent = read(request, _TAG)
    return SetExperimentTag(
        experiment_id=ExperimentId(sent["experiment_id"]), key=sent["key"], value=sent.get("value", "")
    )


def _delete_tag(request: WireRequest) -> DeleteExperimentTag:
    sent = read(request, _TAG)
    return DeleteExperimentTag(experiment_id=ExperimentId(sent["experiment_id"]), key=sent["key"])


def _search(request: WireRequest) -> SearchExperiments:
    sent = read(request, _SEARCH)
    return SearchExperiments(
        filter=sent.get("filter", ""),
        order_by=tuple(sent.get("order_by", [])),
        view=VIEWS[sent.get("view_type", "ACTIVE_ONLY")],
        max_results=sent.get("max_results", 0),
        page_token=sent.get("page_token", ""),
    )


def _search_datasets(request: WireRequest) -> SearchDatasets:
    wanted = read(request, _DATASETS).get("experiment_ids", [])
    if not wanted:
        raise Invalid("SearchDatasets request must specify at least one experiment_id.")
    if len(wanted) > MAX_DATASET_EXPERIMENTS:
        raise Invalid(
            f"SearchDatasets request cannot specify more than {MAX_DATASET_EXPERIMENTS} experiment_ids. "
            f"Received {len(wanted)} experiment_ids."
        )
    return SearchDatasets(experiment_ids=tuple(ExperimentId(one) for one in wanted))


def _id(request: WireRequest) -> ExperimentId:
    return ExperimentId(read(request, _ID)["experiment_id"])


def _experiment_of(experiment: Experiment) -> dict[str, Any]:
    return present(
        experiment_id=experiment.experiment_id,
        name=experiment.name,
        artifact_location=experiment.artifact_location,
        lifecycle_stage=experiment.lifecycle_stage,
        last_update_time=experiment.updated_ms,
        creation_time=experiment.created_ms,
        tags=key_values(experiment.tags),
        workspace="default",
    )


def _created(experiment: Experiment) -> bytes:
    return write({"experiment_id": experiment.experiment_id})


def _got(experiment: Experiment) -> bytes:
    return write({"experiment": _experiment_of(experiment)})


def _searched(page: ExperimentPage) -> bytes:
    return write(
        present(
            experiments=[_experiment_of(experiment) for experiment in page.items],
            next_page_token=page.next_page_token or None,
        )
    )


def _summarised(summaries: DatasetSummaries) -> bytes:
    return write(
        present(
            dataset_summaries=[
                present(experiment_id=s.experiment_id, name=s.name, digest=s.digest, context=s.context)
                for s in summaries.items
            ]
        )
    )


_AT = "2.0/mlflow/experiments/"
ROUTES: tuple[WireRoute, ...] = (
    WireRoute(method="POST", path=_AT + "create", decode=_create, encode=_created, ask=CreateExperiment),
    WireRoute(method="GET", path=_AT + "get", decode=_get, encode=_got, ask=GetExperiment),
    WireRoute(method="GET", path=_AT + "get-by-name", decode=_get_by_name, encode=_got, ask=GetExperimentByName),
    WireRoute(method="POST", path=_AT + "search", decode=_search, encode=_searched, ask=SearchExperiments),
    WireRoute(method="GET", path=_AT + "search", decode=_search, encode=_searched, ask=SearchExperiments),
    WireRoute(method="POST", path=_AT + "update", decode=_rename, encode=nothing, ask=RenameExperiment),
    WireRoute(method="POST", path=_AT + "delete", decode=_delete, encode=nothing, ask=DeleteExperiment),
    WireRoute(method="POST", path=_AT + "restore", decode=_restore, encode=nothing, ask=RestoreExperiment),
    WireRoute(method="POST", path=_AT + "set-experiment-tag", decode=_set_tag, encode=nothing, ask=SetExperimentTag),
    WireRoute(
        method="POST", path=_AT + "delete-experiment-tag", decode=_delete_tag, encode=nothing, ask=DeleteExperimentTag
    ),
    WireRoute(
        method="POST",
        path=_AT + "search-datasets",
        decode=_search_datasets,
        encode=_summarised,
        ask=SearchDatasets,
        prefixes=AJAX_ONLY,
    ),
)
