"""MLflow's calls of scorers (contract, section 12.5): a table of routes."""

from typing import Any

from airside.core.errors import Invalid
from airside.core.ids import ExperimentId
from airside.server.mlflow.wire import (
    BOTH,
    FixedAnswer,
    WireRequest,
    WireRoute,
    int32,
    message,
    nothing,
    present,
    read,
    repeated,
    string,
    write,
)
from airside.tracking.evaluation.operations.scorers import (
    DeleteScorer,
    GetScorer,
    ListScorers,
    ListScorersOf,
    ListScorerVersions,
    RegisterScorer,
)
from airside.tracking.evaluation.records import ScorerVersion, ScorerVersions


def scorer_of(scorer: ScorerVersion) -> dict[str, Any]:
    """A version of a scorer; its experiment is a number here."""
    return {
        "experiment_id": int(scorer.experiment_id),
        "scorer_name": scorer.name,
        "scorer_version": scorer.version,
        "serialized_scorer": scorer.serialized,
        "creation_time": scorer.created_ms,
        "scorer_id": scorer.scorer_id,
    }


def _registered(scorer: ScorerVersion) -> bytes:
    return write(
        {
            "version": scorer.version,
            "scorer_id": scorer.scorer_id,
            "experiment_id": scorer.experiment_id,
            "name": scorer.name,
            "serialized_scorer": scorer.serialized,
            "creation_time": scorer.created_ms,
        }
    )


def _one(scorer: ScorerVersion) -> bytes:
    return write({"scorer": scorer_of(scorer)})


def _some(scorers: ScorerVersions) -> bytes:
    return write(present(scorers=[scorer_of(each) for each in scorers.items]))


_NAMED = message(required=("experiment_id", "name"), experiment_id=string, name=string, version=int32)
_REGISTER = message(
    required=("experiment_id", "name", "serialized_scorer"),
    experiment_id=string,
    name=string,
    serialized_scorer=string,
)
_LIST = message(experiment_id=string, experiment_ids=repeated(string))


def _register(request: WireRequest) -> RegisterScorer:
    sent = read(request, _REGISTER)
    return RegisterScorer(
        experiment_id=ExperimentId(sent["experiment_id"]), name=sent["name"], serialized=sent["serialized_scorer"]
    )


def _list(request: WireRequest) -> ListScorers | ListScorersOf:
    sent = read(request, _LIST)
    one, several = sent.get("experiment_id"), sent.get("experiment_ids")
    if one and several is not None:
        raise Invalid(
            "Cannot specify both 'experiment_id' and 'experiment_ids'. Use 'experiment_ids' to scope the query to "
            "multiple experiments, or 'experiment_id' to scope it to a single experiment."
        )
    if one:
        return ListScorersOf(experiment_id=ExperimentId(one))
    return ListScorers(experiment_ids=None if several is None else tuple(ExperimentId(each) for each in several))


def _versions(request: WireRequest) -> ListScorerVersions:
    sent = read(request, _NAMED)
    return ListScorerVersions(experiment_id=ExperimentId(sent["experiment_id"]), name=sent["name"])


def _get(request: WireRequest) -> GetScorer:
    sent = read(request, _NAMED)
    return GetScorer(experiment_id=ExperimentId(sent["experiment_id"]), name=sent["name"], version=sent.get("version"))


def _delete(request: WireRequest) -> DeleteScorer:
    sent = read(request, _NAMED)
    return DeleteScorer(
        experiment_id=ExperimentId(sent["experiment_id"]), name=sent["name"], version=sent.get("version")
    )


_S = "3.0/mlflow/scorers"

ROUTES: tuple[WireRoute, ...] = (
    WireRoute("POST", f"{_S}/register", _register, _registered, RegisterScorer),
    WireRoute("GET", f"{_S}/list", _list, _some, ListScorers),
    WireRoute("GET", f"{_S}/versions", _versions, _some, ListScorerVersions),
    WireRoute("GET", f"{_S}/get", _get, _one, GetScorer),
    WireRoute("DELETE", f"{_S}/delete", _delete, nothing, DeleteScorer),
)

ONLINE: tuple[FixedAnswer, ...] = tuple(
    FixedAnswer(path=f"{prefix}{_S}/online-configs", body=b'{"configs":[]}') for prefix in BOTH
)
"""That no scorer judges traces as they come: clients ask before they list scorers."""
