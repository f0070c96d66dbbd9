"""Evaluation datasets with their records, and scorers with their versions."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from airside.client.imports.files import patiently
from airside.client.imports.job import Job
from airside.client.imports.mlflow import evaluation
from airside.client.imports.parts.port import Batch, Plain, counted
from airside.core.ids import ExperimentId
from airside.core.paging import every
from airside.core.record import Ask
from airside.tracking.evaluation.operations.records import ListEvaluationRecords
from airside.tracking.evaluation.records import EvaluationDataset, ScorerVersion
from airside.tracking.imports.evaluation import (
    CompareEvaluation,
    ImportEvaluationDatasets,
    ImportEvaluationRecords,
    ImportScorers,
    TallyEvaluationDatasets,
    scorer_name,
)
from airside.tracking.imports.records import Compared, Imported


class EvaluationDatasets(Plain):
    """Evaluation datasets."""

    name = "evaluation datasets"

    def total(self, job: Job) -> int:
        """How many the source has."""
        return evaluation.count_datasets(job.tables)

    def read(self, job: Job, after: str) -> Iterator[Batch]:
        """All of them behind a key."""
        for key, items in evaluation.read_datasets(job.tables, after):
            yield key, tuple(_placed(job, each) for each in items)

    def id_of(self, item: EvaluationDataset) -> str:
        """Its id."""
        return item.dataset_id

    def put(self, job: Job, items: Sequence[EvaluationDataset]) -> Ask[Imported]:
        """The ask that takes them over."""
        skip = job.options.skip_existing
        return ImportEvaluationDatasets(import_id=job.import_id, items=tuple(items), skip_existing=skip)

    def compare(self, items: Sequence[EvaluationDataset]) -> Ask[Compared]:
        """The ask that compares them."""
        return CompareEvaluation(datasets=tuple(items))

    def behind(self, job: Job, items: Sequence[EvaluationDataset]) -> Iterator[Ask[Any]]:
        """Their records."""
        for some in evaluation.read_records(job.tables, [each.dataset_id for each in items]):
            yield ImportEvaluationRecords(import_id=job.import_id, items=some)

    def without(self, ask: Ask[Any], left: frozenset[str]) -> Ask[Any] | None:
        """The records of other datasets."""
        if not left or not isinstance(ask, ImportEvaluationRecords):
            return ask
        kept = tuple(each for each in ask.items if each.dataset_id not in left)
        return ImportEvaluationRecords(import_id=ask.import_id, items=kept) if kept else None

    def amounts(self, job: Job, items: Sequence[EvaluationDataset]) -> Iterator[str]:
        """In how far they have more or fewer records here."""
        ids = tuple(each.dataset_id for each in items)
        answer = patiently(lambda: job.client.call(TallyEvaluationDatasets(dataset_ids=ids)))
        there = evaluation.record_counts(job.tables, ids)
        yield from counted("evaluation dataset", "records", there, answer, ids)

    def sampled(self, job: Job, item: EvaluationDataset) -> Iterator[str]:
        """In how far its records differ."""
        ask = ListEvaluationRecords(dataset_id=item.dataset_id)
        found = every(lambda asked: patiently(lambda: job.client.call(asked)), ask)
        here = {each.record_id: each for each in found}
        for some in evaluation.read_records(job.tables, [item.dataset_id]):
            for each in some:
                if here.get(each.record_id) != each:
                    yield f"evaluation dataset {item.dataset_id}: the record {each.record_id} is not that of the source"


class Scorers(Plain):
    """Versions of scorers."""

    name = "scorers"

    def total(self, job: Job) -> int:
        """How many the source has, without those that are left."""
        return evaluation.count_scorers(job.tables)

    def read(self, job: Job, after: str) -> Iterator[Batch]:
        """All of them behind a key."""
        for key, items in evaluation.read_scorers(job.tables, after):
            yield key, tuple(_scorer(job, each) for each in items)

    def id_of(self, item: ScorerVersion) -> str:
        """Its experiment, name and number."""
        return scorer_name(item)

    def put(self, job: Job, items: Sequence[ScorerVersion]) -> Ask[Imported]:
        """The ask that takes them over."""
        return ImportScorers(import_id=job.import_id, items=tuple(items), skip_existing=job.options.skip_existing)

    def compare(self, items: Sequence[ScorerVersion]) -> Ask[Compared]:
        """The ask that compares them."""
        return CompareEvaluation(scorers=tuple(items))


def _placed(job: Job, given: EvaluationDataset) -> EvaluationDataset:
    """A dataset of the source as it shall be here."""
    experiments = dict.fromkeys(ExperimentId(job.experiment(each)) for each in given.experiment_ids)
    return msgspec.structs.replace(given, experiment_ids=tuple(experiments))


def _scorer(job: Job, given: ScorerVersion) -> ScorerVersion:
    return msgspec.structs.replace(given, experiment_id=ExperimentId(job.experiment(given.experiment_id)))
