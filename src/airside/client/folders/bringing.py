"""An exported folder brought back: checked first, then taken over like any other source, then compared."""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from blake3 import blake3

from airside.client.folders.layout import MANIFEST, check, read_manifest
from airside.client.folders.reading import Folder, experiment_here
from airside.client.imports.files import LocalFile, copy, patiently
from airside.client.imports.job import Telling
from airside.client.transport import Client
from airside.core.errors import Invalid
from airside.core.record import Ask, Record
from airside.registry.operations.imports import CompareModels, ImportModels, ImportVersions
from airside.registry.records import ImportedVersion
from airside.store.artifacts.addresses import PROXIED, path_of
from airside.tracking.imports.comparing import CompareImport, TallyModels, TallyRuns
from airside.tracking.imports.journal import BeginImport, FinishImport
from airside.tracking.imports.operations import (
    ImportExperiments,
    ImportLoggedModels,
    ImportModelPoints,
    ImportRuns,
    ImportSeries,
)
from airside.tracking.imports.records import Compared, Import, ImportCount, ImportReport, Series
from airside.tracking.logged_models.records import LoggedModel
from airside.tracking.records import Metric, Run

T = TypeVar("T")
AT_ONCE = 100
POINTS_AT_ONCE = 5000


class Bringing(Record):
    """How a folder is brought back.

    Attributes:
        new_ids: give runs and logged models new ids, the same each time; experiments join those of their name.
        name: another name for what was exported.
        skip_existing: leave what is here already with other content as it is.
    """

    new_ids: bool = False
    name: str = ""
    skip_existing: bool = False


def bring(client: Client, path: Path, how: Bringing, telling: Telling) -> Import:
    """Bring an exported folder back.

    Raises:
        Invalid: the folder is damaged (names the file), or the name fits nothing in it.
        Conflict: something is here already with other content.
    """
    began = time.monotonic()
    manifest = read_manifest(path)
    if how.name and manifest.kind == "run":
        raise Invalid("A run is brought back under its own name: --name is for experiments and models.")
    telling.begin("checking", 1)
    check(path, manifest)
    telling.advance("checking", 1)
    seed = f"{how.name}\n{how.new_ids}\n".encode()
    mark = blake3(seed + (path / MANIFEST).read_bytes()).hexdigest()
    begun = patiently(lambda: client.call(BeginImport(source=f"{path.resolve()}", kind="folder", fingerprint=mark)))
    folder = Folder(path, manifest, seed=mark if how.new_ids else "", name=how.name)
    taken = Taking(client, folder, begun, how, telling)
    for act in (taken.experiments, taken.runs, taken.logged_models, taken.models, taken.versions):
        act()
    report = ImportReport(
        counts=tuple(taken.counts),
        differences=tuple(taken.differences[:1000]),
        n_differences=len(taken.differences),
        notes=manifest.notes,
        seconds=round(time.monotonic() - began, 3),
    )
    return patiently(lambda: client.call(FinishImport(import_id=begun.import_id, report=report)))


class Taking:
    """One folder on its way; each kind of thing is compared as soon as it is here."""

    def __init__(self, client: Client, folder: Folder, begun: Import, how: Bringing, telling: Telling) -> None:
        self._client = client
        self._folder = folder
        self._import_id = begun.import_id
        self._how = how
        self._telling = telling
        self._placed: dict[str, str] = {}
        self.counts: list[ImportCount] = []
        self.differences: list[str] = []

    def experiments(self) -> None:
        """Heads of experiments."""
        items = tuple(self._folder.experiments())
        moves = self._how.new_ids or self._folder.manifest.kind != "experiment"
        for some in _batches(items):
            ask = ImportExperiments(
                import_id=self._import_id,
                items=some,
                ids="new" if moves or self._how.name else "keep",
                skip_existing=self._how.skip_existing,
            )
            self._placed.update(self._ask(ask).placed)
        self._telling.begin("experiments", len(items), len(items))
        self.counts.append(ImportCount(kind="experiments", source=len(items), here=len(items)))

    def runs(self) -> None:
        """Runs, their points and files."""

        def take(some: tuple[tuple[Run, str], ...]) -> Compared:
            items = tuple(run for run, _ in some)
            answer = self._ask(
                ImportRuns(import_id=self._import_id, items=items, skip_existing=self._how.skip_existing)
            )
            left = {each.id for each in answer.differing}
            expected = {}
            for run, place in some:
                if run.info.run_id not in left:
                    expected[run.info.run_id] = self._series(run, self._folder.points(place))
                    self._copy(f"{place}/artifacts", run.info.artifact_uri, run.info.run_id)
            found = self._ask(TallyRuns(run_ids=tuple(expected)))
            self._count("run", expected, {each.run_id: each.points for each in found.items})
            return self._ask(CompareImport(runs=items))

        pairs = ((self._run(run), place) for run, place in self._folder.runs())
        self._take("runs", pairs, take)

    def logged_models(self) -> None:
        """Logged models, their points and files."""

        def take(some: tuple[tuple[LoggedModel, str], ...]) -> Compared:
            items = tuple(model for model, _ in some)
            answer = self._ask(
                ImportLoggedModels(import_id=self._import_id, items=items, skip_existing=self._how.skip_existing)
            )
            left = {each.id for each in answer.differing}
            expected = {}
            for model, place in some:
                if model.model_id not in left:
                    expected[model.model_id] = 0
                    for points in _batches(self._folder.model_points(place), POINTS_AT_ONCE):
                        self._ask(ImportModelPoints(import_id=self._import_id, items=points))
                        expected[model.model_id] += len(points)
                    self._copy(f"{place}/artifacts", model.artifact_uri, model.model_id)
            found = self._ask(TallyModels(model_ids=tuple(expected)))
            here = {each.id: each.number for each in found.items}
            self._count("logged model", expected, {key: here.get(key, 0) for key in expected})
            return self._ask(CompareImport(logged_models=items))

        pairs = ((self._model(model), place) for model, place in self._folder.logged_models())
        self._take("logged models", pairs, take)

    def models(self) -> None:
        """Registered models."""

        def take(some: tuple[Any, ...]) -> Compared:
            self._ask(ImportModels(import_id=self._import_id, items=some, skip_existing=self._how.skip_existing))
            return self._ask(CompareModels(models=some))

        self._take("registered models", self._folder.models(), take)

    def versions(self) -> None:
        """Model versions, their files first."""

        def take(some: tuple[tuple[ImportedVersion, str], ...]) -> Compared:
            for each, place in some:
                self._blobs(each, place)
            items = tuple(each for each, _ in some)
            self._ask(ImportVersions(import_id=self._import_id, items=items, skip_existing=self._how.skip_existing))
            return self._ask(CompareModels(versions=items))

        self._take("model versions", self._folder.versions(), take)

    def _take(self, kind: str, items: Iterable[T], take: Callable[[tuple[T, ...]], Compared]) -> None:
        total = same = left = 0
        self._telling.begin(kind, len(self._folder.places(kind)))
        for some in _batches(items):
            found = take(some)
            total += len(some)
            same += found.same
            self.differences += [f"{kind.removesuffix('s')} {each} is not here" for each in found.missing]
            if self._how.skip_existing:
                left += len(found.differing)
            else:
                self.differences += [f"{kind.removesuffix('s')} {each.id}: {each.what}" for each in found.differing]
            self._telling.advance(kind, len(some))
        if total:
            self.counts.append(ImportCount(kind=kind, source=total, here=same, skipped=left))

    def _series(self, run: Run, points: Iterator[Metric]) -> int:
        total = 0
        for some in _batches(points, POINTS_AT_ONCE):
            columns: dict[str, list[Metric]] = {}
            for point in some:
                columns.setdefault(point.key, []).append(point)
            items = tuple(
                Series(
                    run_id=run.info.run_id,
                    key=key,
                    timestamps_ms=tuple(point.timestamp_ms for point in found),
                    steps=tuple(point.step for point in found),
                    values=tuple(point.value for point in found),
                )
                for key, found in columns.items()
            )
            self._ask(ImportSeries(import_id=self._import_id, items=items))
            total += len(some)
        return total

    def _copy(self, place: str, uri: str, owner: str) -> None:
        if uri.startswith(f"{PROXIED}:"):
            if owner not in path_of(uri).split("/"):
                self.differences.append(f"files of {owner}: {uri} is no place of its own, and may be another's")
                return
            files = [LocalFile(path=path, place=f"{path_of(uri)}/{name}") for name, path in self._folder.files(place)]
            self.differences += [f"file {lost}" for lost in copy(self._client, files).lost] if files else []

    def _blobs(self, each: ImportedVersion, place: str) -> None:
        """Store the files that the registry itself keeps; each must have the digest that the version names."""
        version = each.version
        wanted = {f"files/{path}": blob for path, blob in version.files.items()}
        if version.reference:
            wanted["reference"] = version.reference
        there = dict(self._folder.files(place))
        for name, blob in wanted.items():
            facts = self._folder.facts(f"{place}/{name}")
            if facts is None or facts.digest != blob:
                raise Invalid(
                    f"{self._folder.path / place / name} is not the file that its version names. Export again."
                )
            patiently(lambda: self._client.put_blob(there[name]))  # noqa: B023 -- called at once

    def _count(self, kind: str, expected: dict[Any, int], here: dict[Any, int]) -> None:
        for key, number in expected.items():
            if here.get(key) != number:
                self.differences.append(f"{kind} {key}: {here.get(key, 0)} points here, {number} in the folder")

    def _run(self, run: Run) -> Run:
        here = experiment_here(self._placed, run.info.experiment_id)
        return msgspec.structs.replace(run, info=msgspec.structs.replace(run.info, experiment_id=here))

    def _model(self, model: LoggedModel) -> LoggedModel:
        return msgspec.structs.replace(model, experiment_id=experiment_here(self._placed, model.experiment_id))

    def _ask(self, ask: Ask[T]) -> T:
        return patiently(lambda: self._client.call(ask))


def _batches(items: Iterable[T], size: int = AT_ONCE) -> Iterator[tuple[T, ...]]:
    iterator = iter(items)
    while some := tuple(itertools.islice(iterator, size)):
        yield some
