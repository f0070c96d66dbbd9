"""The things in an exported folder, as they shall be here: under their own ids, or under new ones."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec
from blake3 import blake3

from airside.client.folders.layout import FileFacts, Manifest, place_of
from airside.core.errors import Invalid
from airside.core.ids import ExperimentId, LoggedModelId, ModelName, RunId
from airside.registry.records import ImportedModel, ImportedVersion
from airside.tracking.logged_models.records import LoggedModel, ModelMetric
from airside.tracking.records import Experiment, Metric, ModelOutput, Run, Tag

T = TypeVar("T")
PROXIED = "mlflow-artifacts:/"
PLACES = {
    "experiments": re.compile(r"experiments/[^/]+\.json\Z"),
    "runs": re.compile(r"runs/[^/]+/run\.json\Z"),
    "logged models": re.compile(r"logged_models/[^/]+/model\.json\Z"),
    "registered models": re.compile(r"models/[^/]+/model\.json\Z"),
    "model versions": re.compile(r"models/[^/]+/versions/[0-9]+/version\.json\Z"),
}
PARENT_TAG = "mlflow.parentRunId"


class Folder:
    """An exported folder that was checked.

    Args:
        path: the folder.
        manifest: its manifest.
        seed: makes new ids, the same ones each time; empty keeps the old ones.
        name: another name for the experiment or model that was exported; empty keeps the old one.
    """

    def __init__(self, path: Path, manifest: Manifest, *, seed: str = "", name: str = "") -> None:
        self.path = path
        self.manifest = manifest
        self._seed = seed
        self._name = name
        self._run_ids = {place.split("/")[1] for place in manifest.files if place.startswith("runs/")}
        self._model_ids = {place.split("/")[1] for place in manifest.files if place.startswith("logged_models/")}

    def places(self, kind: str) -> list[str]:
        """The files that hold the things of a kind, in order."""
        form = PLACES[kind]
        return sorted((name for name in self.manifest.files if form.match(name)), key=_by_number)

    def experiments(self) -> Iterator[Experiment]:
        """The heads of experiments."""
        for place in self.places("experiments"):
            given = self._record(place, Experiment)
            if self._name and self.manifest.kind != "model":
                given = msgspec.structs.replace(given, name=self._name)
            yield given

    def runs(self) -> Iterator[tuple[Run, str]]:
        """Runs, each with the place of its files."""
        for place in self.places("runs"):
            yield self._run(self._record(place, Run)), place.removesuffix("/run.json")

    def points(self, place: str) -> Iterator[Metric]:
        """The points of a run's metrics."""
        yield from self._lines(f"{place}/metrics.jsonl", Metric)

    def logged_models(self) -> Iterator[tuple[LoggedModel, str]]:
        """Logged models, each with the place of its files."""
        for place in self.places("logged models"):
            yield self._logged(self._record(place, LoggedModel)), place.removesuffix("/model.json")

    def model_points(self, place: str) -> Iterator[ModelMetric]:
        """The points of a logged model's metrics."""
        for point in self._lines(f"{place}/metrics.jsonl", ModelMetric):
            yield msgspec.structs.replace(
                point, model_id=self.model_id(point.model_id), run_id=self.run_id(point.run_id)
            )

    def models(self) -> Iterator[ImportedModel]:
        """Registered models."""
        for place in self.places("registered models"):
            given = self._record(place, ImportedModel)
            model = msgspec.structs.replace(given.model, name=self._model_name(given.model.name))
            yield msgspec.structs.replace(given, model=model)

    def versions(self) -> Iterator[tuple[ImportedVersion, str]]:
        """Model versions, each with the place of its files."""
        for place in self.places("model versions"):
            yield self._version(self._record(place, ImportedVersion)), place.removesuffix("/version.json")

    def files(self, place: str) -> Iterator[tuple[str, Path]]:
        """Path below a place -> file."""
        for name in self.manifest.files:
            if name.startswith(f"{place}/"):
                yield name.removeprefix(f"{place}/"), place_of(self.path, name)

    def facts(self, name: str) -> FileFacts | None:
        """What the manifest says of a file."""
        return self.manifest.files.get(name)

    def run_id(self, run_id: str) -> RunId:
        """A run's id here."""
        return RunId(self._new(run_id) if run_id in self._run_ids else run_id)

    def model_id(self, model_id: str) -> LoggedModelId:
        """A logged model's id here."""
        return LoggedModelId(f"m-{self._new(model_id)}" if self._seed and model_id in self._model_ids else model_id)

    def _new(self, old: str) -> str:
        return blake3(f"{self._seed}\n{old}".encode()).hexdigest(16) if self._seed else old

    def _run(self, run: Run) -> Run:
        if not self._seed:
            return run
        run_id = self.run_id(run.info.run_id)
        uri = self._address(run.info.artifact_uri, f"{run.info.experiment_id}/{run_id}/artifacts")
        return msgspec.structs.replace(
            run,
            info=msgspec.structs.replace(run.info, run_id=run_id, artifact_uri=uri),
            tags=tuple(Tag(key=t.key, value=self.run_id(t.value)) if t.key == PARENT_TAG else t for t in run.tags),
            model_inputs=tuple(self.model_id(each) for each in run.model_inputs),
            model_outputs=tuple(
                ModelOutput(model_id=self.model_id(each.model_id), step=each.step) for each in run.model_outputs
            ),
        )

    def _logged(self, model: LoggedModel) -> LoggedModel:
        if not self._seed:
            return model
        model_id = self.model_id(model.model_id)
        return msgspec.structs.replace(
            model,
            model_id=model_id,
            source_run_id=self.run_id(model.source_run_id),
            artifact_uri=self._address(model.artifact_uri, f"{model.experiment_id}/models/{model_id}/artifacts"),
        )

    def _version(self, given: ImportedVersion) -> ImportedVersion:
        version = given.version
        old, new = (version.run_id, version.model_id), (self.run_id(version.run_id), self.model_id(version.model_id))
        source, storage = version.source, given.storage_location
        for before, after in zip(old, new, strict=True):
            if before and before != after:
                source, storage = source.replace(before, after), storage.replace(before, after)
        return ImportedVersion(
            version=msgspec.structs.replace(
                version, name=self._model_name(version.name), run_id=new[0], model_id=new[1], source=source
            ),
            storage_location=storage,
        )

    def _model_name(self, name: str) -> ModelName:
        return ModelName(self._name if self._name and self.manifest.kind == "model" else name)

    def _address(self, uri: str, canonical: str) -> str:
        return f"{PROXIED}{canonical}" if uri.startswith(PROXIED) else uri

    def _record(self, name: str, kind: type[T]) -> T:
        return self._decoded(name, place_of(self.path, name).read_bytes(), kind)

    def _lines(self, name: str, kind: type[T]) -> Iterator[T]:
        if name in self.manifest.files:
            with place_of(self.path, name).open("rb") as file:
                for line in file:
                    yield self._decoded(name, line, kind)

    def _decoded(self, name: str, data: bytes, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(data, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Invalid(f"{self.path / name} is no {kind.__name__}: {error}. Export again.") from error


def _by_number(place: str) -> list[tuple[int, str]]:
    """An order in which version 10 comes behind version 9."""
    return [(int(part) if part.isdecimal() and len(part) < 10 else 0, part) for part in place.split("/")]


def experiment_here(placed: dict[str, str], experiment_id: str) -> ExperimentId:
    """The id that an experiment of the folder has here."""
    return ExperimentId(placed.get(experiment_id, experiment_id))
