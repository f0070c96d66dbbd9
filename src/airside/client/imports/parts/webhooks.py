"""Webhooks, with their secrets where the old server's key is given."""

from collections.abc import Iterator, Sequence

from airside.client.imports.job import Job
from airside.client.imports.mlflow import webhooks
from airside.client.imports.parts.port import Batch, Plain
from airside.core.record import Ask
from airside.platform.notify.imports import CompareWebhooks, ImportWebhooks
from airside.platform.notify.records import ImportedWebhook
from airside.tracking.imports.records import Compared, Imported


class Webhooks(Plain):
    """Webhooks."""

    name = "webhooks"

    def total(self, job: Job) -> int:
        """How many the source has, without the deleted."""
        return webhooks.count(job.tables)

    def read(self, job: Job, after: str) -> Iterator[Batch]:
        """All of them behind a key."""
        return webhooks.read(job.tables, after)

    def id_of(self, item: ImportedWebhook) -> str:
        """Its id."""
        return item.webhook.id

    def put(self, job: Job, items: Sequence[ImportedWebhook]) -> Ask[Imported]:
        """The ask that takes them over."""
        return ImportWebhooks(import_id=job.import_id, items=tuple(items), skip_existing=job.options.skip_existing)

    def compare(self, items: Sequence[ImportedWebhook]) -> Ask[Compared]:
        """The ask that compares them."""
        return CompareWebhooks(items=tuple(items))

    def notes(self, job: Job) -> Iterator[str]:
        """Which came without their secrets."""
        return webhooks.notes(job.tables)
