"""MLflow's calls of the model registry (contract, section 10): a table of routes."""

from collections.abc import Callable
from typing import Any

from airside.core.errors import Invalid
from airside.core.ids import LoggedModelId, ModelName, RunId
from airside.registry.operations.aliases import DeleteAlias, SetAlias
from airside.registry.operations.models import (
    CreateModel,
    DeleteModel,
    DeleteModelTag,
    GetModel,
    RenameModel,
    SearchModels,
    SetModelTag,
    UpdateModel,
)
from airside.registry.operations.versions import (
    CreateVersion,
    DeleteVersion,
    DeleteVersionTag,
    GetDownloadUri,
    GetVersion,
    LatestVersions,
    SearchVersions,
    SetStage,
    SetVersionTag,
    UpdateVersion,
    VersionByAlias,
)
from airside.registry.records import (
    DownloadUri,
    ModelPage,
    ModelVersion,
    RegisteredModel,
    VersionList,
    VersionPage,
)
from airside.registry.rules import check_alias, check_model_name
from airside.registry.search import MAX_MODELS, MAX_VERSIONS
from airside.server.mlflow.wire import (
    KEY_VALUE,
    WireRequest,
    WireRoute,
    boolean,
    int64,
    limited,
    message,
    nothing,
    pairs_of,
    present,
    read,
    repeated,
    string,
    write,
)

DEFAULT_MODELS = 100

_NAMED = message(required=("name",), name=string)
_VERSIONED = message(required=("name", "version"), name=string, version=string)
_SEARCH_MODELS, _SEARCH_VERSIONS = (
    message(filter=string, max_results=limited(int64, most), order_by=repeated(string), page_token=string)
    for most in (MAX_MODELS, MAX_VERSIONS)
)


# --- what is answered ----------------------------------------------------------------------------------------------


def version_of(version: ModelVersion) -> dict[str, Any]:
    """A version on the wire."""
    return present(
        name=version.name,
        version=str(version.version),
        creation_timestamp=version.created_ms,
        last_updated_timestamp=version.updated_ms,
        current_stage=version.stage,
        description=version.description,
        source=version.source,
        run_id=version.run_id,
        status=version.status,
        status_message=version.status_message or None,
        run_link=version.run_link,
        tags=pairs_of(version.tags),
        aliases=version.aliases,
    )


def model_of(model: RegisteredModel) -> dict[str, Any]:
    """A registered model on the wire."""
    return present(
        name=model.name,
        creation_timestamp=model.created_ms,
        last_updated_timestamp=model.updated_ms,
        description=model.description or None,
        latest_versions=[version_of(version) for version in model.latest_versions],
        tags=pairs_of(model.tags),
        aliases=[{"alias": alias, "version": str(version)} for alias, version in model.aliases.items()],
    )


def _model(answer: RegisteredModel) -> bytes:
    return write({"registered_model": model_of(answer)})


def _version(answer: ModelVersion) -> bytes:
    return write({"model_version": version_of(answer)})


def _models(answer: ModelPage) -> bytes:
    return write(
        present(
            registered_models=[model_of(model) for model in answer.items],
            next_page_token=answer.next_page_token or None,
        )
    )


def _versions(answer: VersionPage) -> bytes:
    return write(
        present(
            model_versions=[version_of(version) for version in answer.items],
            next_page_token=answer.next_page_token or None,
        )
    )


def _latest(answer: VersionList) -> bytes:
    return write(present(model_versions=[version_of(version) for version in answer.items]))


def _uri(answer: DownloadUri) -> bytes:
    return write({"artifact_uri": answer.artifact_uri})


# --- what is asked -------------------------------------------------------------------------------------------------


def _number(sent: str) -> int:
    try:
        return int(sent)
    except ValueError:
        raise Invalid(f"Parameter 'version' must be an integer, got '{sent[:200]}'.") from None


def _tags(sent: list[dict[str, str]] | None) -> dict[str, str]:
    """Tags of a create; the last of each key counts."""
    return {tag.get("key", ""): tag.get("value", "") for tag in sent or ()}


def _name(sent: dict[str, Any], field: str = "name") -> ModelName:
    """The name of a model, which is judged before anything is looked for."""
    check_model_name(sent[field], parameter=field)
    return ModelName(sent[field])


def _of_name(make: Callable[..., Any]) -> Callable[[WireRequest], Any]:
    """Decodes a call that has only a name."""
    return lambda request: make(name=_name(read(request, _NAMED)))


def _of_version(make: Callable[..., Any]) -> Callable[[WireRequest], Any]:
    """Decodes a call that has only a name and a version."""

    def decode(request: WireRequest) -> Any:
        sent = read(request, _VERSIONED)
        return make(name=_name(sent), version=_number(sent["version"]))

    return decode


_CREATE_MODEL = message(required=("name",), name=string, tags=repeated(KEY_VALUE), description=string)


def _create_model(request: WireRequest) -> CreateModel:
    sent = read(request, _CREATE_MODEL)
    return CreateModel(name=_name(sent), description=sent.get("description"), tags=_tags(sent.get("tags")))


_RENAME = message(required=("name", "new_name"), name=string, new_name=string)


def _rename(request: WireRequest) -> RenameModel:
    sent = read(request, _RENAME)
    new_name = _name(sent, "new_name")
    return RenameModel(name=_name(sent), new_name=new_name)


_UPDATE_MODEL = message(required=("name",), name=string, description=string)


def _update_model(request: WireRequest) -> UpdateModel:
    sent = read(request, _UPDATE_MODEL)
    return UpdateModel(name=_name(sent), description=sent.get("description", ""))


def _search_models(request: WireRequest) -> SearchModels:
    return SearchModels(**_searched(read(request, _SEARCH_MODELS), DEFAULT_MODELS))


def _search_versions(request: WireRequest) -> SearchVersions:
    return SearchVersions(**_searched(read(request, _SEARCH_VERSIONS), MAX_VERSIONS))


def _searched(sent: dict[str, Any], default: int) -> dict[str, Any]:
    return {
        "filter": sent.get("filter", ""),
        "max_results": sent.get("max_results", default),
        "order_by": tuple(sent.get("order_by", ())),
        "page_token": sent.get("page_token", ""),
    }


_MODEL_TAG = message(required=("name", "key"), name=string, key=string, value=string)


def _set_model_tag(request: WireRequest) -> SetModelTag:
    sent = read(request, _MODEL_TAG)
    return SetModelTag(name=_name(sent), key=sent["key"], value=sent.get("value", ""))


def _delete_model_tag(request: WireRequest) -> DeleteModelTag:
    sent = read(request, _MODEL_TAG)
    return DeleteModelTag(name=_name(sent), key=sent["key"])


_LATEST = message(required=("name",), name=string, stages=repeated(string))


def _latest_versions(request: WireRequest) -> LatestVersions:
    sent = read(request, _LATEST)
    return LatestVersions(name=_name(sent), stages=tuple(sent.get("stages", ())))


_CREATE_VERSION = message(
    required=("name", "source"),
    name=string,
    source=string,
    run_id=string,
    tags=repeated(KEY_VALUE),
    run_link=string,
    description=string,
    model_id=string,
)


def _create_version(request: WireRequest) -> CreateVersion:
    sent = read(request, _CREATE_VERSION)
    return CreateVersion(
        name=ModelName(sent["name"]),  # judged after the source
        source=sent["source"],
        run_id=RunId(sent["run_id"]) if "run_id" in sent else None,
        model_id=LoggedModelId(sent["model_id"]) if "model_id" in sent else None,
        description=sent.get("description", ""),
        run_link=sent.get("run_link", ""),
        tags=_tags(sent.get("tags")),
    )


_UPDATE_VERSION = message(required=("name", "version"), name=string, version=string, description=string)


def _update_version(request: WireRequest) -> UpdateVersion:
    sent = read(request, _UPDATE_VERSION)
    return UpdateVersion(name=_name(sent), version=_number(sent["version"]), description=sent.get("description"))


_STAGE = message(
    required=("name", "version", "stage"),
    name=string,
    version=string,
    stage=string,
    archive_existing_versions=boolean,
)


def _set_stage(request: WireRequest) -> SetStage:
    sent = read(request, _STAGE)
    return SetStage(
        name=_name(sent),
        version=_number(sent["version"]),
        stage=sent["stage"],
        archive_existing=sent.get("archive_existing_versions", False),
    )


_VERSION_TAG = message(required=("name", "version", "key"), name=string, version=string, key=string, value=string)


def _set_version_tag(request: WireRequest) -> SetVersionTag:
    sent = read(request, _VERSION_TAG)
    return SetVersionTag(
        name=_name(sent), version=_number(sent["version"]), key=sent["key"], value=sent.get("value", "")
    )


def _delete_version_tag(request: WireRequest) -> DeleteVersionTag:
    sent = read(request, _VERSION_TAG)
    return DeleteVersionTag(name=_name(sent), version=_number(sent["version"]), key=sent["key"])


_DOWNLOAD = message(name=string, version=string)


def _download_uri(request: WireRequest) -> GetDownloadUri:
    sent = read(request, _DOWNLOAD)  # this call alone has no check of what is required before the names are judged
    return GetDownloadUri(name=_name({"name": "", **sent}), version=_number(sent.get("version", "")))


_ALIAS = message(required=("name", "alias"), name=string, alias=string)
_SET_ALIAS = message(required=("name", "alias", "version"), name=string, alias=string, version=string)


def _set_alias(request: WireRequest) -> SetAlias:
    sent = read(request, _SET_ALIAS)
    name = _name(sent)
    check_alias(sent["alias"], reserved=False)
    return SetAlias(name=name, alias=sent["alias"], version=_number(sent["version"]))


def _delete_alias(request: WireRequest) -> DeleteAlias:
    sent = read(request, _ALIAS)
    return DeleteAlias(name=_name(sent), alias=sent["alias"])


def _get_alias(request: WireRequest) -> VersionByAlias:
    sent = read(request, _ALIAS)
    return VersionByAlias(name=_name(sent), alias=sent["alias"])


# --- the table -----------------------------------------------------------------------------------------------------

_M, _V = "2.0/mlflow/registered-models/", "2.0/mlflow/model-versions/"


ROUTES: tuple[WireRoute, ...] = (
    WireRoute("POST", f"{_M}create", _create_model, _model, CreateModel),
    WireRoute("GET", f"{_M}get", _of_name(GetModel), _model, GetModel),
    WireRoute("PATCH", f"{_M}update", _update_model, _model, UpdateModel),
    WireRoute("POST", f"{_M}rename", _rename, _model, RenameModel),
    WireRoute("DELETE", f"{_M}delete", _of_name(DeleteModel), nothing, DeleteModel),
    WireRoute("GET", f"{_M}search", _search_models, _models, SearchModels),
    WireRoute("POST", f"{_M}search", _search_models, _models, SearchModels),  # R's client posts
    WireRoute("POST", f"{_M}set-tag", _set_model_tag, nothing, SetModelTag),
    WireRoute("DELETE", f"{_M}delete-tag", _delete_model_tag, nothing, DeleteModelTag),
    WireRoute("POST", f"{_M}get-latest-versions", _latest_versions, _latest, LatestVersions),
    WireRoute("GET", f"{_M}get-latest-versions", _latest_versions, _latest, LatestVersions),
    WireRoute("POST", f"{_M}alias", _set_alias, nothing, SetAlias),
    WireRoute("DELETE", f"{_M}alias", _delete_alias, nothing, DeleteAlias),
    WireRoute("GET", f"{_M}alias", _get_alias, _version, VersionByAlias),
    WireRoute("POST", f"{_V}create", _create_version, _version, CreateVersion),
    WireRoute("GET", f"{_V}get", _of_version(GetVersion), _version, GetVersion),
    WireRoute("PATCH", f"{_V}update", _update_version, _version, UpdateVersion),
    WireRoute("DELETE", f"{_V}delete", _of_version(DeleteVersion), nothing, DeleteVersion),
    WireRoute("POST", f"{_V}transition-stage", _set_stage, _version, SetStage),
    WireRoute("GET", f"{_V}get-download-uri", _download_uri, _uri, GetDownloadUri),
    WireRoute("POST", f"{_V}set-tag", _set_version_tag, nothing, SetVersionTag),
    WireRoute("DELETE", f"{_V}delete-tag", _delete_version_tag, nothing, DeleteVersionTag),
    WireRoute("GET", f"{_V}search", _search_versions, _versions, SearchVersions),
)
