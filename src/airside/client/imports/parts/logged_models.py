"""Logged models, with the points of their metrics and their files."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from airside.client.imports.files import patiently
from airside.client.imports.job import Job
from airside.client.imports.locations import Root
from airside.client.imports.mlflow import logged_models
from airside.client.imports.parts.port import Batch, Plain, counted
from airside.core.ids import ExperimentId
from airside.core.record import Ask
from airside.tracking.imports.comparing import CompareImport, TallyModels
from airside.tracking.imports.operations import ImportLoggedModels, ImportModelPoints
from airside.tracking.imports.records import Compared, Imported
from airside.tracking.logged_models.records import LoggedModel


class LoggedModels(Plain):
    """Logged models."""

    name = "logged models"

    def total(self, job: Job) -> int:
        """How many the source has."""
        return logged_models.count(job.tables)

    def read(self, job: Job, after: str) -> Iterator[Batch]:
        """All of them behind a key."""
        for key, items in logged_models.read(job.tables, after):
            yield key, tuple(here(job, model) for model in items)

    def id_of(self, item: LoggedModel) -> str:
        """Its id."""
        return item.model_id

    def put(self, job: Job, items: Sequence[LoggedModel]) -> Ask[Imported]:
        """The ask that takes them over."""
        return ImportLoggedModels(import_id=job.import_id, items=tuple(items), skip_existing=job.options.skip_existing)

    def compare(self, items: Sequence[LoggedModel]) -> Ask[Compared]:
        """The ask that compares them."""
        return CompareImport(logged_models=tuple(items))

    def behind(self, job: Job, items: Sequence[LoggedModel]) -> Iterator[Ask[Any]]:
        """The points of their metrics."""
        for some in logged_models.read_points(job.tables, [model.model_id for model in items]):
            yield ImportModelPoints(import_id=job.import_id, items=some)

    def without(self, ask: Ask[Any], left: frozenset[str]) -> Ask[Any] | None:
        """The points of other models."""
        if not left or not isinstance(ask, ImportModelPoints):
            return ask
        kept = tuple(point for point in ask.items if point.model_id not in left)
        return ImportModelPoints(import_id=ask.import_id, items=kept) if kept else None

    def roots(self, job: Job, items: Sequence[LoggedModel]) -> Iterable[Root]:
        """Where their files are: as the source addresses them."""
        found = logged_models.read_some(job.tables, [model.model_id for model in items])
        before = {model.model_id: model.artifact_uri for model in found}
        for model in items:
            canonical = f"{model.experiment_id}/models/{model.model_id}/artifacts"
            yield job.locations.root(model.model_id, before[model.model_id], canonical)

    def amounts(self, job: Job, items: Sequence[LoggedModel]) -> Iterator[str]:
        """In how far they hold more or fewer points here."""
        ids = tuple(model.model_id for model in items)
        there = logged_models.point_counts(job.tables, ids)
        answer = patiently(lambda: job.client.call(TallyModels(model_ids=ids)))
        yield from counted("logged model", "points of metrics", there, answer, ids)


def here(job: Job, model: LoggedModel) -> LoggedModel:
    """A logged model of the source as it shall be here."""
    placed = ExperimentId(job.experiment(model.experiment_id))
    return job.locations.model(msgspec.structs.replace(model, experiment_id=placed))
