"""Verbs that take whole things over, many at a time, each under its own id."""

from collections import defaultdict
from typing import Literal

import msgspec

from airside.core.errors import Conflict, Invalid, NotFound
from airside.core.ids import ExperimentId, ImportId
from airside.core.operation import AnyOperation, Context, operation
from airside.core.record import DONE, Ask, Done
from airside.tracking import rules as tracking
from airside.tracking.events import ExperimentCreated
from airside.tracking.imports import queries, rules
from airside.tracking.imports.journal import check_known
from airside.tracking.imports.records import Difference, Imported, Series
from airside.tracking.imports.taking import Kind, take
from airside.tracking.logged_models import queries as model_queries
from airside.tracking.logged_models.records import LoggedModel, ModelMetric
from airside.tracking.logged_models.rules import not_found
from airside.tracking.operations.experiments import GetExperiment, get_experiment
from airside.tracking.operations.runs import found as found_run
from airside.tracking.queries import experiments, runs, values
from airside.tracking.records import Experiment, Run

Ids = Literal["keep", "new"]
RUNS = Kind[Run](name="runs", id_of=lambda run: run.info.run_id, difference=rules.run_difference)
LOGGED_MODELS = Kind[LoggedModel](
    name="logged models", id_of=lambda model: model.model_id, difference=rules.model_difference
)


class ImportExperiments(Ask[Imported]):
    """Experiments of another store.

    Attributes:
        ids: `keep`: each has its own id here; `new`: one whose name is here already is that one, and one whose id
            is another's gets a new id.
        above: new ids are greater than this: the greatest of the source, so that they take none of its others'.
        skip_existing: leave what is here with other facts as it is, instead of refusing.
    """

    import_id: ImportId
    items: tuple[Experiment, ...]
    ids: Ids = "keep"
    above: int = 0
    skip_existing: bool = False


@operation("imports.experiments", needs="imports:write", audit="measure")
def import_experiments(ctx: Context, ask: ImportExperiments) -> Imported:
    """Take experiments over; the answer says which id each has here. The unused experiment 0 of a new store gives way.

    Raises:
        Conflict: one is here already with other facts, or its id or name is another's.
        Invalid: an id, a name or a location is none. NotFound: there is no such import.
    """
    check_known(ctx, ask.import_id)
    rules.check_size(ask.items)
    added = same = 0
    differing: list[Difference] = []
    misplaced: list[Difference] = []
    where: dict[str, str] = {}
    for given in ask.items:
        _check_experiment(given)
        place, target, difference = place_of(ctx, given)
        if place in ("elsewhere", "differs"):
            misplaced.append(Difference(id=given.experiment_id, what=difference))
            if ask.ids == "keep":
                continue
            place = "merge" if place == "elsewhere" else "renumber"
        elif difference:
            differing.append(Difference(id=given.experiment_id, what=difference))
        where[given.experiment_id] = _placed(ctx, given, place, target=target, above=ask.above)
        added += place not in ("same", "merge")
        same += place in ("same", "merge")
    if misplaced and ask.ids == "keep":
        raise _misplaced(misplaced)
    if differing and not ask.skip_existing and ask.ids == "keep":
        raise rules.refusal("experiments", differing)
    return Imported(added=added, same=same, differing=tuple(differing), placed=where)


class ImportRuns(Ask[Imported]):
    """Runs of another store, with what they logged but their metrics."""

    import_id: ImportId
    items: tuple[Run, ...]
    skip_existing: bool = False


@operation("imports.runs", needs="imports:write", audit="measure")
def import_runs(ctx: Context, ask: ImportRuns) -> Imported:
    """Take runs over under their ids. Their metrics come behind them, as series.

    Raises:
        Conflict: one is here already with other content. Invalid: an id is none. NotFound: the import or an experiment
            is not here.
    """
    check_known(ctx, ask.import_id)
    rules.check_size(ask.items)
    experiments_here: set[int] = set()
    there = known_runs(ctx, ask.items)
    return take(
        RUNS, ask.items, there, lambda run: _add_run(ctx, run, experiments_here), skip_existing=ask.skip_existing
    )


class ImportSeries(Ask[Done]):
    """Points of metrics of runs, in columns."""

    import_id: ImportId
    items: tuple[Series, ...]


@operation("imports.series", needs="imports:write", audit="measure")
def import_series(ctx: Context, ask: ImportSeries) -> Done:
    """Take points of metrics over. A point that is here already is kept once.

    Raises:
        Invalid: the columns do not fit. NotFound: the import or a run is not here.
    """
    check_known(ctx, ask.import_id)
    rules.check_series(ask.items)
    by_run: defaultdict[str, dict[str, list[tracking.Point]]] = defaultdict(dict)
    for one in ask.items:
        columns = zip(one.timestamps_ms, one.steps, one.values, strict=True)
        points = [(time_ms, step, *tracking.stored_value(value)) for time_ms, step, value in columns]
        if points:
            by_run[one.run_id].setdefault(one.key, []).extend(points)
    for run_id, by_name in by_run.items():
        numbers = found_run(ctx, run_id)
        runs.count_change(ctx.tx, numbers[0])
        values.add_points(ctx, numbers, by_name)
    return DONE


class ImportLoggedModels(Ask[Imported]):
    """Logged models of another store, with what belongs to them but their metrics."""

    import_id: ImportId
    items: tuple[LoggedModel, ...]
    skip_existing: bool = False


@operation("imports.logged_models", needs="imports:write", audit="measure")
def import_logged_models(ctx: Context, ask: ImportLoggedModels) -> Imported:
    """Take logged models over under their ids. Their metrics come behind them.

    Raises:
        Conflict: one is here already with other content. NotFound: the import or an experiment is not here.
    """
    check_known(ctx, ask.import_id)
    rules.check_size(ask.items)
    there = known_models(ctx, ask.items)
    return take(LOGGED_MODELS, ask.items, there, lambda model: _add_model(ctx, model), skip_existing=ask.skip_existing)


class ImportModelPoints(Ask[Done]):
    """Points of metrics that belong to logged models."""

    import_id: ImportId
    items: tuple[ModelMetric, ...]


@operation("imports.model_points", needs="imports:write", audit="measure")
def import_model_points(ctx: Context, ask: ImportModelPoints) -> Done:
    """Take the points of logged models over. A point that is here already is kept once.

    Raises:
        NotFound: the import or a model is not here.
    """
    check_known(ctx, ask.import_id)
    rules.check_size(ask.items, rules.MAX_POINTS)
    ids = dict.fromkeys(point.model_id for point in ask.items)
    there = {model.model_id for model in model_queries.some(ctx.tx, tuple(ids))}
    missing = next((model_id for model_id in ids if model_id not in there), None)
    if missing is not None:
        raise NotFound(not_found(missing))
    model_queries.put_points(ctx.tx, [_as_stored(point) for point in ask.items])
    return DONE


def place_of(ctx: Context, given: Experiment) -> tuple[str, ExperimentId, str]:
    """Where an experiment of a source belongs, which one that is, and where the two differ."""
    number = tracking.experiment_no(given.experiment_id)
    by_id, by_name = experiments.get(ctx.tx, number), experiments.get_by_name(ctx.tx, given.name)
    is_unused = number == 0 and by_id is not None and _is_unused(ctx, by_id)
    place = rules.placed(by_id, by_name, given, is_unused=is_unused)
    if place == "elsewhere" and by_name is not None:
        return place, by_name.experiment_id, f"the name '{given.name}' is the experiment {by_name.experiment_id}'s here"
    if place in ("merge", "differs") and by_id is not None:
        return place, given.experiment_id, rules.experiment_difference(by_id, given)
    return place, given.experiment_id, ""


def known_runs(ctx: Context, wanted: tuple[Run, ...]) -> dict[str, Run]:
    """Those of some runs that are here, as they are here."""
    numbers = (runs.numbers(ctx, run.info.run_id) for run in wanted)
    return {run.info.run_id: run for run in runs.load(ctx, [found[0] for found in numbers if found is not None])}


def known_models(ctx: Context, wanted: tuple[LoggedModel, ...]) -> dict[str, LoggedModel]:
    """Those of some logged models that are here, as they are here."""
    return {model.model_id: model for model in model_queries.some(ctx.tx, [each.model_id for each in wanted])}


def _is_unused(ctx: Context, experiment: Experiment) -> bool:
    """Whether it is the experiment that a new store begins with, and nobody did anything with it."""
    untouched = experiment.name == "Default" and not experiment.tags and experiment.created_ms == experiment.updated_ms
    return untouched and not queries.has_runs(ctx.tx, 0)


def _check_experiment(given: Experiment) -> None:
    number = tracking.experiment_no(given.experiment_id)
    if not 0 <= number < 2**63 or str(number) != given.experiment_id:
        raise Invalid(f"'{given.experiment_id[:200]}' is not the id of an experiment: a number from 0 on.")
    tracking.check_experiment_name(given.name)
    if not given.artifact_location:
        raise Invalid(f"The experiment {given.experiment_id} has no artifact_location.")


def _placed(ctx: Context, given: Experiment, place: str, *, target: ExperimentId, above: int) -> ExperimentId:
    """Write an experiment to its place; the id that it has here."""
    if place == "add":
        queries.add_experiment(ctx.tx, given)
    elif place == "adopt":
        queries.adopt_experiment(ctx.tx, given)
    elif place == "renumber":
        target = ExperimentId(str(max(queries.greatest_experiment(ctx.tx), above) + 1))
        queries.add_experiment(ctx.tx, msgspec.structs.replace(given, experiment_id=target))
    if place in ("add", "renumber"):
        ctx.announce(ExperimentCreated(experiment_id=target, name=given.name))
    return target


def _misplaced(misplaced: list[Difference]) -> Conflict:
    named = "; ".join(f"{each.id} ({each.what})" for each in misplaced[: rules.MAX_NAMED])
    return Conflict(
        f"{len(misplaced)} experiments of the source have an id or a name that is another experiment's here: {named}."
        f"{rules.OUT_OF_THE_WAY}"
    )


def _add_run(ctx: Context, run: Run, experiments_here: set[int]) -> None:
    tracking.check_run_id(run.info.run_id)
    number = tracking.experiment_no(run.info.experiment_id)
    if number not in experiments_here:
        get_experiment(ctx, GetExperiment(experiment_id=run.info.experiment_id))
        experiments_here.add(number)
    numbers = (runs.add(ctx, msgspec.structs.replace(run.info, lifecycle_stage="active"), number), number)
    if run.info.lifecycle_stage == "deleted":  # with its time, by which what is deleted is removed for good later
        runs.set_stage(ctx.tx, numbers[0], is_deleted=True, now_ms=ctx.now_ms())
    queries.put_params(ctx, numbers, run.params)
    values.set_tags(ctx, numbers, tracking.last_wins(run.tags))
    values.add_dataset_inputs(ctx.tx, numbers, run.dataset_inputs, tracking.CONTEXT_TAG)
    values.add_model_inputs(ctx.tx, numbers[0], run.model_inputs)
    values.set_model_outputs(ctx.tx, numbers[0], run.model_outputs)


def _add_model(ctx: Context, model: LoggedModel) -> None:
    get_experiment(ctx, GetExperiment(experiment_id=model.experiment_id))
    model_queries.insert(ctx.tx, model)


def _as_stored(point: ModelMetric) -> ModelMetric:
    value, is_nan = tracking.stored_value(point.value)
    return msgspec.structs.replace(point, value=None if is_nan else value)


OPERATIONS: tuple[AnyOperation, ...] = (
    import_experiments,
    import_runs,
    import_series,
    import_logged_models,
    import_model_points,
)
