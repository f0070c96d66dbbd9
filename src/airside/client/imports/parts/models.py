"""Registered models, prompts among them."""

from collections.abc import Iterator, Sequence

from airside.client.imports.job import Job
from airside.client.imports.mlflow import registry
from airside.client.imports.parts.port import Batch, Plain
from airside.core.record import Ask
from airside.registry.operations.imports import CompareModels, ImportModels
from airside.registry.records import ImportedModel
from airside.tracking.imports.records import Compared, Imported


class Models(Plain):
    """Registered models."""

    name = "registered models"

    def total(self, job: Job) -> int:
        """How many the source has."""
        return registry.count_models(job.tables)

    def read(self, job: Job, after: str) -> Iterator[Batch]:
        """All of them behind a name."""
        return registry.read_models(job.tables, after)

    def id_of(self, item: ImportedModel) -> str:
        """Its name."""
        return item.model.name

    def put(self, job: Job, items: Sequence[ImportedModel]) -> Ask[Imported]:
        """The ask that takes them over."""
        return ImportModels(import_id=job.import_id, items=tuple(items), skip_existing=job.options.skip_existing)

    def compare(self, items: Sequence[ImportedModel]) -> Ask[Compared]:
        """The ask that compares them."""
        return CompareModels(models=tuple(items))
