"""A run, an experiment or a model, written as a folder."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from airside.client.folders.layout import Manifest, as_name
from airside.client.folders.writing import Writing
from airside.client.transport import Client
from airside.core.errors import NotFound
from airside.core.ids import ExperimentId, LoggedModelId, ModelName, RunId
from airside.core.paging import every
from airside.registry.operations.imports import ListVersions
from airside.registry.operations.models import GetModel
from airside.registry.records import ImportedModel, ImportedVersion
from airside.store.artifacts.addresses import PROXIED, path_of
from airside.tracking.artifacts import ListArtifacts
from airside.tracking.logged_models.operations import GetLoggedModel, SearchLoggedModels
from airside.tracking.logged_models.records import LoggedModel
from airside.tracking.operations.experiments import GetExperiment
from airside.tracking.operations.histories import GetMetricHistory
from airside.tracking.operations.runs import GetRun, SearchRuns
from airside.tracking.records import Metric, Run

AT_ONCE = 100
POINTS_AT_ONCE = 20_000
NO_RUN, NO_MODEL = RunId(""), LoggedModelId("")


class Exporter:
    """Writes things of a platform into one folder, each once."""

    def __init__(self, client: Client, writing: Writing) -> None:
        self._client = client
        self._writing = writing
        self._written: set[str] = set()

    def experiment(self, experiment_id: ExperimentId) -> None:
        """An experiment with all its runs and logged models."""
        self._experiment(experiment_id)
        runs = SearchRuns(experiment_ids=(experiment_id,), view="all", max_results=AT_ONCE)
        models = SearchLoggedModels(experiment_ids=(experiment_id,), max_results=AT_ONCE)
        for run in every(self._client.call, runs):
            self.run(run)
        for model in every(self._client.call, models):
            self.logged_model(model)

    def run(self, run: Run) -> None:
        """A run with its points and files, its experiment's head, and the logged models that it made or read."""
        run_id = run.info.run_id
        if not self._is_new(f"runs/{run_id}"):
            return
        self._experiment(run.info.experiment_id)
        self._writing.json(f"runs/{run_id}/run.json", msgspec.structs.replace(run, metrics=(), revision=0))
        self._writing.lines(f"runs/{run_id}/metrics.jsonl", self._points(run))
        self._files(f"runs/{run_id}/artifacts", run.info.artifact_uri, run_id=run_id)
        for model_id in dict.fromkeys([*run.model_inputs, *(output.model_id for output in run.model_outputs)]):
            self._logged(model_id)

    def logged_model(self, model: LoggedModel) -> None:
        """A logged model with its points and files."""
        place = f"logged_models/{model.model_id}"
        if self._is_new(place):
            self._experiment(model.experiment_id)
            self._writing.json(f"{place}/model.json", msgspec.structs.replace(model, metrics=()))
            self._writing.lines(f"{place}/metrics.jsonl", iter(model.metrics))
            if model.lifecycle_stage == "active":
                self._files(f"{place}/artifacts", model.artifact_uri, model_id=model.model_id)

    def model(self, name: ModelName) -> None:
        """A registered model with its versions, and the runs and logged models that they came from."""
        place = f"models/{as_name(name)}"
        model = msgspec.structs.replace(self._client.call(GetModel(name=name)), latest_versions=(), aliases={})
        last, after = 0, 0
        while True:
            page = self._client.call(ListVersions(name=name, after=after, max_results=AT_ONCE))
            for each in page.items:
                self._version(f"{place}/versions/{each.version.version}", each)
                after = each.version.version
            last = page.last_version
            if len(page.items) < AT_ONCE:
                break
        self._writing.json(f"{place}/model.json", ImportedModel(model=model, last_version=last))

    def _version(self, place: str, each: ImportedVersion) -> None:
        version = each.version
        if version.verdicts:
            self._writing.note("The verdicts of gates stay where they were given.")
        self._writing.json(
            f"{place}/version.json",
            msgspec.structs.replace(each, version=msgspec.structs.replace(version, verdicts=())),
        )
        for path, blob in version.files.items():
            self._writing.bytes(f"{place}/files/{path}", self._client.blob_pieces(blob))
        if version.reference:
            self._writing.bytes(f"{place}/reference", self._client.blob_pieces(version.reference))
        if version.run_id:
            try:
                self.run(self._client.call(GetRun(run_id=version.run_id)))
            except NotFound:
                self._writing.note(f"The run {version.run_id} of a version is not here.")
        if version.model_id:
            self._logged(version.model_id)

    def _logged(self, model_id: LoggedModelId) -> None:
        try:
            self.logged_model(self._client.call(GetLoggedModel(model_id=model_id, allow_deleted=True)))
        except NotFound:
            self._writing.note(f"The logged model {model_id} is not here.")

    def _experiment(self, experiment_id: ExperimentId) -> None:
        if self._is_new(f"experiments/{experiment_id}"):
            experiment = self._client.call(GetExperiment(experiment_id=experiment_id))
            self._writing.json(f"experiments/{experiment_id}.json", experiment)

    def _points(self, run: Run) -> Iterator[Metric]:
        for key in sorted(metric.key for metric in run.metrics):
            ask = GetMetricHistory(run_id=run.info.run_id, key=key, max_results=POINTS_AT_ONCE)
            yield from every(self._client.call, ask)

    def _files(self, place: str, uri: str, *, run_id: RunId = NO_RUN, model_id: LoggedModelId = NO_MODEL) -> None:
        """The files of a run or logged model, if the server keeps them."""
        if not uri.startswith(f"{PROXIED}:"):
            self._writing.note(f"Files below {uri} stay where they are.")
            return
        folders = [""]
        while folders:
            ask = ListArtifacts(run_id=run_id, model_id=model_id, path=folders.pop())
            for found in self._client.call(ask).items:
                if found.is_dir:
                    folders.append(found.path)
                else:
                    pieces = self._client.artifact_pieces(path_of(uri, found.path))
                    self._writing.bytes(f"{place}/{found.path}", pieces)

    def _is_new(self, place: str) -> bool:
        is_new = place not in self._written
        self._written.add(place)
        return is_new


def export_run(client: Client, run_id: RunId, folder: Path) -> Manifest:
    """Write a run, with the logged models that it made, as a folder.

    Raises:
        NotFound: there is no such run. Conflict: there is something at the folder's place.
    """
    run = client.call(GetRun(run_id=run_id))
    with Writing(folder) as writing:
        Exporter(client, writing).run(run)
        return writing.done("run", run_id)


def export_experiment(client: Client, experiment_id: ExperimentId, folder: Path) -> Manifest:
    """Write an experiment, with its runs and logged models, as a folder.

    Raises:
        NotFound: there is no such experiment. Conflict: there is something at the folder's place.
    """
    client.call(GetExperiment(experiment_id=experiment_id))
    with Writing(folder) as writing:
        Exporter(client, writing).experiment(experiment_id)
        return writing.done("experiment", experiment_id)


def export_model(client: Client, name: ModelName, folder: Path) -> Manifest:
    """Write a registered model, with its versions and the runs and logged models behind them, as a folder.

    Raises:
        NotFound: there is no such model. Conflict: there is something at the folder's place.
    """
    client.call(GetModel(name=name))
    with Writing(folder) as writing:
        Exporter(client, writing).model(name)
        return writing.done("model", name)
