"""Model versions, with their aliases; their addresses follow the files of their runs and logged models."""

from collections.abc import Iterator, Sequence

from airside.client.imports.job import Job
from airside.client.imports.mlflow import logged_models, registry, runs
from airside.client.imports.parts import logged_models as model_part
from airside.client.imports.parts import runs as run_part
from airside.client.imports.parts.port import Batch, Plain
from airside.core.record import Ask
from airside.registry.operations.imports import CompareModels, ImportVersions, name_of
from airside.registry.records import ImportedVersion
from airside.tracking.imports.records import Compared, Imported


class Versions(Plain):
    """Model versions."""

    name = "model versions"

    def total(self, job: Job) -> int:
        """How many the source has."""
        return registry.count_versions(job.tables)

    def read(self, job: Job, after: str) -> Iterator[Batch]:
        """All of them behind a key."""
        for key, items in registry.read_versions(job.tables, after):
            roots = _roots(job, items)
            yield (
                key,
                tuple(job.locations.version(each, [roots[i] for i in _owners(each) if i in roots]) for each in items),
            )

    def id_of(self, item: ImportedVersion) -> str:
        """Its name and number."""
        return name_of(item.version)

    def put(self, job: Job, items: Sequence[ImportedVersion]) -> Ask[Imported]:
        """The ask that takes them over."""
        return ImportVersions(import_id=job.import_id, items=tuple(items), skip_existing=job.options.skip_existing)

    def compare(self, items: Sequence[ImportedVersion]) -> Ask[Compared]:
        """The ask that compares them."""
        return CompareModels(versions=tuple(items))


def _owners(each: ImportedVersion) -> tuple[str, ...]:
    return tuple(owner for owner in (each.version.run_id, each.version.model_id) if owner)


def _roots(job: Job, items: Sequence[ImportedVersion]) -> dict[str, tuple[str, str]]:
    """Run or logged model -> the address of its files in the source, and here."""
    owners = list(dict.fromkeys(owner for each in items for owner in _owners(each)))
    found = {}
    for run in runs.read_some(job.tables, owners) if owners else ():
        found[str(run.info.run_id)] = (run.info.artifact_uri, run_part.here(job, run).info.artifact_uri)
    for model in logged_models.read_some(job.tables, owners) if owners else ():
        found[str(model.model_id)] = (model.artifact_uri, model_part.here(job, model).artifact_uri)
    return found
