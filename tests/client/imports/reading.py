"""Everything that the unmodified MLflow client reads of a store, in a form that can be compared."""

import math
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run, ViewType

Facts = dict[str, Any]


def everything(uri: str, *, with_files: bool = False) -> Facts:
    """Experiments, runs with histories, search results, logged models, registered models, versions, prompts."""
    client = MlflowClient(uri, uri)
    experiments = client.search_experiments(view_type=ViewType.ALL)
    ids = sorted(experiment.experiment_id for experiment in experiments)
    runs = client.search_runs(ids, run_view_type=ViewType.ALL, max_results=5000)
    facts: Facts = {
        "experiments": {each.experiment_id: experiment_facts(each) for each in experiments},
        "runs": {run.info.run_id: run_facts(client, client.get_run(run.info.run_id)) for run in runs},
        "searches": {text: found(client, ids, text) for text in SEARCHES},
        "models": {each.name: model_facts(each) for each in models(client)},
        "versions": {f"{each.name}@{each.version}": version_facts(client, each) for each in versions(client)},
        "logged": {each.model_id: logged_facts(each) for each in logged(client, ids)},
    }
    if with_files:
        facts["files"] = {run.info.run_id: files(client, run.info.run_id) for run in runs}
    return facts


SEARCHES = (
    "",
    "metrics.loss < 0.1",
    "params.multi LIKE 'a%'",
    "tags.nr != '3' AND attributes.status = 'FINISHED'",
    "dataset.name = 'people'",
    "attributes.run_name LIKE 'run 1%'",
)


def found(client: MlflowClient, ids: list[str], text: str) -> list[str]:
    return [run.info.run_id for run in client.search_runs(ids, text, order_by=["metrics.loss", "attributes.run_id"])]


def experiment_facts(each: Any) -> Facts:
    names = ("name", "lifecycle_stage", "creation_time", "last_update_time", "tags", "artifact_location")
    return {name: getattr(each, name) for name in names}


def run_facts(client: MlflowClient, run: Run) -> Facts:
    info = run.info
    names = ("experiment_id", "run_name", "user_id", "status", "start_time", "end_time", "lifecycle_stage")
    return {
        **{name: getattr(info, name) for name in names},
        "artifact_uri": info.artifact_uri,
        "params": run.data.params,
        "tags": run.data.tags,
        "latest": {key: plain(value) for key, value in run.data.metrics.items()},
        "histories": {key: history(client, info.run_id, key) for key in sorted(run.data.metrics)},
        "datasets": sorted(
            (
                (*each.dataset.to_dictionary().items(), *sorted((tag.key, tag.value) for tag in each.tags))
                for each in run.inputs.dataset_inputs
            ),
            key=repr,
        ),
        "model_inputs": sorted(each.model_id for each in getattr(run.inputs, "model_inputs", None) or ()),
        "outputs": sorted(
            (each.model_id, each.step) for each in getattr(getattr(run, "outputs", None), "model_outputs", ())
        ),
    }


def history(client: MlflowClient, run_id: str, key: str) -> list[tuple[Any, ...]]:
    points = client.get_metric_history(run_id, key)
    return sorted({(point.timestamp, point.step, plain(point.value)) for point in points}, key=repr)


def plain(value: float) -> float | str:
    """A value that is equal to itself; infinities as a database of MLflow's keeps them."""
    if math.isnan(value):
        return "nan"
    return math.copysign(1.7976931348623157e308, value) if math.isinf(value) else value


def models(client: MlflowClient) -> list[Any]:
    prompts = client.search_registered_models("tags.`mlflow.prompt.is_prompt` = 'true'")
    return [*client.search_registered_models(), *prompts]


def model_facts(each: Any) -> Facts:
    return {
        "description": each.description or "",
        "tags": each.tags,
        "aliases": {alias: int(version) for alias, version in each.aliases.items()},
        "created": each.creation_timestamp,
        "updated": each.last_updated_timestamp,
        "latest": sorted((version.current_stage, int(version.version)) for version in each.latest_versions),
    }


def versions(client: MlflowClient) -> list[Any]:
    prompts = client.search_model_versions("tags.`mlflow.prompt.is_prompt` = 'true'")
    return [*client.search_model_versions(), *prompts]


def version_facts(client: MlflowClient, found: Any) -> Facts:
    is_prompt = "mlflow.prompt.is_prompt" in found.tags
    each = found if is_prompt else client.get_model_version(found.name, found.version)
    names = ("creation_timestamp", "last_updated_timestamp", "current_stage", "source", "run_id", "status", "tags")
    return {
        **{name: getattr(each, name) or "" for name in names},
        "description": each.description or "",
        "aliases": [] if is_prompt else sorted(each.aliases),
        "download": "" if is_prompt else client.get_model_version_download_uri(each.name, each.version),
    }


def logged(client: MlflowClient, ids: list[str]) -> list[Any]:
    return list(client.search_logged_models(ids, max_results=1000)) if hasattr(client, "search_logged_models") else []


def logged_facts(each: Any) -> Facts:
    names = ("experiment_id", "name", "artifact_location", "creation_timestamp", "last_updated_timestamp", "status")
    return {
        **{name: getattr(each, name) for name in names},
        "type": each.model_type or "",
        "run": each.source_run_id or "",
        "tags": each.tags,
        "params": each.params,
        "points": sorted(
            (
                (
                    point.key,
                    point.step,
                    point.timestamp,
                    plain(point.value),
                    point.run_id,
                    point.dataset_name or "",
                    point.dataset_digest or "",
                )
                for point in each.metrics or ()
            ),
            key=repr,
        ),
    }


def files(client: MlflowClient, run_id: str, path: str = "") -> list[tuple[str, int]]:
    listed: list[tuple[str, int]] = []
    for each in client.list_artifacts(run_id, path or None):
        listed += files(client, run_id, each.path) if each.is_dir else [(each.path, each.file_size or 0)]
    return sorted(listed)


def differences(before: Any, after: Any, at: str = "") -> list[str]:
    """Where two such forms differ, in words."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = dict.fromkeys((*before, *after))
        return [line for key in keys for line in differences(before.get(key), after.get(key), f"{at}/{key}")]
    return [] if before == after else [f"{at}: {before!r} != {after!r}"]
