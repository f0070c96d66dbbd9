"""Verbs that take evaluation datasets and scorers over."""

from typing import Any

from airside.core.errors import NotFound
from airside.core.ids import ImportId
from airside.core.operation import AnyOperation, Context, operation
from airside.core.record import DONE, Ask, Done
from airside.tracking import rules as tracking
from airside.tracking.evaluation import queries
from airside.tracking.evaluation.records import EvaluationDataset, EvaluationRecord, ScorerVersion
from airside.tracking.evaluation.rules import check_scorer
from airside.tracking.imports import rules
from airside.tracking.imports.journal import check_known
from airside.tracking.imports.records import Compared, Imported, ImportTallies, ImportTally
from airside.tracking.imports.taking import Kind, compare, take, together
from airside.tracking.operations.experiments import GetExperiment, get_experiment

DATASETS = Kind[EvaluationDataset](
    name="evaluation datasets", id_of=lambda each: each.dataset_id, difference=rules.dataset_difference
)


def scorer_name(each: ScorerVersion) -> str:
    """What a version of a scorer is called: its experiment, its name and its number."""
    return f"{each.experiment_id}/{each.name}@{each.version}"


SCORERS = Kind[ScorerVersion](name="scorers", id_of=scorer_name, difference=rules.scorer_difference)


class ImportEvaluationDatasets(Ask[Imported]):
    """Evaluation datasets of another store, without their records."""

    import_id: ImportId
    items: tuple[EvaluationDataset, ...]
    skip_existing: bool = False


@operation("imports.evaluation_datasets", needs="imports:write", audit="measure")
def import_evaluation_datasets(ctx: Context, ask: ImportEvaluationDatasets) -> Imported:
    """Take evaluation datasets over under their ids. Their records come behind them.

    Raises:
        Conflict: one is here already with other content. NotFound: the import or an experiment is not here.
    """
    check_known(ctx, ask.import_id)
    rules.check_size(ask.items)
    here = _datasets(ctx, ask.items)
    return take(DATASETS, ask.items, here, lambda each: _add_dataset(ctx, each), skip_existing=ask.skip_existing)


class ImportEvaluationRecords(Ask[Done]):
    """Records of evaluation datasets that were taken over."""

    import_id: ImportId
    items: tuple[EvaluationRecord, ...]


@operation("imports.evaluation_records", needs="imports:write", audit="measure")
def import_evaluation_records(ctx: Context, ask: ImportEvaluationRecords) -> Done:
    """Take records over under their ids. One that is here already is written again.

    Raises:
        NotFound: the import or a dataset is not here.
    """
    check_known(ctx, ask.import_id)
    rules.check_size(ask.items)
    for dataset_id in dict.fromkeys(record.dataset_id for record in ask.items):
        if queries.one(ctx.tx, dataset_id) is None:
            raise NotFound(f"No evaluation dataset '{dataset_id[:200]}'.")
    for record in ask.items:
        queries.put_record(ctx.tx, record)
    return DONE


class ImportScorers(Ask[Imported]):
    """Versions of scorers of another store."""

    import_id: ImportId
    items: tuple[ScorerVersion, ...]
    skip_existing: bool = False


@operation("imports.scorers", needs="imports:write", audit="measure")
def import_scorers(ctx: Context, ask: ImportScorers) -> Imported:
    """Take versions of scorers over under their numbers.

    Raises:
        Conflict: one is here already with other content. NotFound: the import or an experiment is not here.
        Invalid: one is no JSON, or holds code.
    """
    check_known(ctx, ask.import_id)
    rules.check_size(ask.items)
    here = _scorers(ctx, ask.items)
    return take(SCORERS, ask.items, here, lambda each: _add_scorer(ctx, each), skip_existing=ask.skip_existing)


class CompareEvaluation(Ask[Compared]):
    """Evaluation datasets and scorers of a source; records are not looked at."""

    datasets: tuple[EvaluationDataset, ...] = ()
    scorers: tuple[ScorerVersion, ...] = ()


@operation("imports.compare_evaluation", needs="imports:read")
def compare_evaluation(ctx: Context, ask: CompareEvaluation) -> Compared:
    """Which of some datasets and scorers are here, and which of them differ from what they are in the source.

    Raises:
        Invalid: too many at once.
    """
    rules.check_size((*ask.datasets, *ask.scorers))
    return together(
        (
            compare(DATASETS, ask.datasets, _datasets(ctx, ask.datasets)),
            compare(SCORERS, ask.scorers, _scorers(ctx, ask.scorers)),
        )
    )


class TallyEvaluationDatasets(Ask[ImportTallies]):
    """Evaluation datasets whose records shall be counted."""

    dataset_ids: tuple[str, ...]


@operation("imports.tally_evaluation_datasets", needs="imports:read")
def tally_evaluation_datasets(ctx: Context, ask: TallyEvaluationDatasets) -> ImportTallies:
    """How many records evaluation datasets have.

    Raises:
        Invalid: too many at once.
    """
    rules.check_size(ask.dataset_ids)
    counts = ((each, queries.count_records(ctx.tx, each)) for each in ask.dataset_ids)
    return ImportTallies(items=tuple(ImportTally(id=each, number=number) for each, number in counts if number))


def _datasets(ctx: Context, wanted: tuple[EvaluationDataset, ...]) -> dict[str, Any]:
    found = ((each.dataset_id, queries.whole(ctx.tx, each.dataset_id)) for each in wanted)
    return {dataset_id: dataset for dataset_id, dataset in found if dataset is not None}


def _add_dataset(ctx: Context, given: EvaluationDataset) -> None:
    for experiment_id in given.experiment_ids:
        get_experiment(ctx, GetExperiment(experiment_id=experiment_id))
    queries.add(ctx.tx, given)
    queries.update(ctx.tx, given)  # what grows with its records: their number and the kinds of their fields


def _scorers(ctx: Context, wanted: tuple[ScorerVersion, ...]) -> dict[str, ScorerVersion]:
    found: dict[str, ScorerVersion] = {}
    for each in wanted:
        known = queries.scorer_id(ctx.tx, tracking.experiment_no(each.experiment_id), each.name)
        version = None if known is None else queries.scorer(ctx.tx, known, each.version)
        if version is not None:
            found[scorer_name(each)] = version
    return found


def _add_scorer(ctx: Context, given: ScorerVersion) -> None:
    check_scorer(given.name, given.serialized)
    number = tracking.experiment_no(given.experiment_id)
    get_experiment(ctx, GetExperiment(experiment_id=given.experiment_id))
    known = queries.scorer_id(ctx.tx, number, given.name)
    if known is None:
        known = given.scorer_id
        queries.add_scorer(ctx.tx, known, number, given.name)
    queries.put_scorer_version(ctx.tx, known, given)


OPERATIONS: tuple[AnyOperation, ...] = (
    import_evaluation_datasets,
    import_evaluation_records,
    import_scorers,
    compare_evaluation,
    tally_evaluation_datasets,
)
