"""Runs, with the points of their metrics and their files."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from airside.client.imports.files import patiently
from airside.client.imports.job import Job
from airside.client.imports.locations import Root
from airside.client.imports.mlflow import runs, series
from airside.client.imports.parts.port import Batch, Plain, counted
from airside.core.ids import ExperimentId
from airside.core.paging import every
from airside.core.record import Ask
from airside.tracking.imports.comparing import CompareImport, TallyRuns
from airside.tracking.imports.operations import ImportRuns, ImportSeries
from airside.tracking.imports.records import Compared, Imported
from airside.tracking.operations.histories import GetMetricHistory
from airside.tracking.records import Run
from airside.tracking.rules import stored_value

Point = tuple[int, int, float, bool]


class Runs(Plain):
    """Runs."""

    name = "runs"

    def total(self, job: Job) -> int:
        """How many the source has."""
        return runs.count(job.tables)

    def read(self, job: Job, after: str) -> Iterator[Batch]:
        """All of them behind a key."""
        for key, items in runs.read(job.tables, after):
            yield key, tuple(here(job, run) for run in items)

    def id_of(self, item: Run) -> str:
        """Its run id."""
        return item.info.run_id

    def put(self, job: Job, items: Sequence[Run]) -> Ask[Imported]:
        """The ask that takes them over."""
        return ImportRuns(import_id=job.import_id, items=tuple(items), skip_existing=job.options.skip_existing)

    def compare(self, items: Sequence[Run]) -> Ask[Compared]:
        """The ask that compares them."""
        return CompareImport(runs=tuple(items))

    def behind(self, job: Job, items: Sequence[Run]) -> Iterator[Ask[Any]]:
        """The points of their metrics."""
        for some in series.read(job.tables, [run.info.run_id for run in items]):
            yield ImportSeries(import_id=job.import_id, items=some)

    def without(self, ask: Ask[Any], left: frozenset[str]) -> Ask[Any] | None:
        """The points of other runs."""
        if not left or not isinstance(ask, ImportSeries):
            return ask
        kept = tuple(one for one in ask.items if one.run_id not in left)
        return ImportSeries(import_id=ask.import_id, items=kept) if kept else None

    def roots(self, job: Job, items: Sequence[Run]) -> Iterable[Root]:
        """Where their files are: as the source addresses them."""
        before = {run.info.run_id: run for run in runs.read_some(job.tables, [run.info.run_id for run in items])}
        for run in items:
            uri = before[run.info.run_id].info.artifact_uri
            yield job.locations.root(run.info.run_id, uri, f"{run.info.experiment_id}/{run.info.run_id}/artifacts")

    def amounts(self, job: Job, items: Sequence[Run]) -> Iterator[str]:
        """In how far they hold more or fewer points here."""
        ids = tuple(run.info.run_id for run in items)
        there = series.counts(job.tables, ids)
        answer = patiently(lambda: job.client.call(TallyRuns(run_ids=ids)))
        yield from counted("run", "points of metrics", there, answer, ids)

    def sampled(self, job: Job, item: Run) -> Iterator[str]:
        """In how far its points differ."""
        there: dict[str, set[Point]] = {}
        for some in series.read(job.tables, [item.info.run_id]):
            for one in some:
                columns = zip(one.timestamps_ms, one.steps, one.values, strict=True)
                there.setdefault(one.key, set()).update((t, s, *stored_value(v)) for t, s, v in columns)
        for key, points in there.items():
            if history(job, item, key) != points:
                yield f"run {item.info.run_id}: the points of '{key}' are not those of the source"


def here(job: Job, run: Run) -> Run:
    """A run of the source as it shall be here."""
    placed = ExperimentId(job.experiment(run.info.experiment_id))
    if placed != run.info.experiment_id:
        run = msgspec.structs.replace(run, info=msgspec.structs.replace(run.info, experiment_id=placed))
    return job.locations.run(run)


def history(job: Job, run: Run, key: str) -> set[Point]:
    """The points of a metric here."""
    ask = GetMetricHistory(run_id=run.info.run_id, key=key, max_results=20_000)
    points = every(lambda asked: patiently(lambda: job.client.call(asked)), ask)
    return {(m.timestamp_ms, m.step, *stored_value(m.value)) for m in points}
