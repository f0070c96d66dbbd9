"""Experiments."""

from pathlib import Path

from airside.core.errors import AlreadyExists, Conflict, Invalid, NotFound
from airside.core.ids import ExperimentId
from airside.core.operation import AnyOperation, Context, operation
from airside.core.record import DONE, Ask, Done
from airside.tracking import rules
from airside.tracking.events import ExperimentCreated
from airside.tracking.queries import datasets as dataset_queries
from airside.tracking.queries import experiment_search as search
from airside.tracking.queries import experiments as queries
from airside.tracking.queries.run_search import Window
from airside.tracking.records import DatasetSummaries, Experiment, ExperimentPage, Swept, Tag, View


class CreateExperiment(Ask[Experiment]):
    """Ask for a new experiment. An empty location is chosen by the server."""

    name: str
    artifact_location: str = ""
    tags: tuple[Tag, ...] = ()


@operation("experiments.create", needs="experiment:write")
def create_experiment(ctx: Context, ask: CreateExperiment) -> Experiment:
    """Make an experiment. Its name is unique, also among the deleted ones."""
    rules.check_experiment_name(ask.name)
    tags = rules.last_wins(ask.tags)
    for tag in tags:
        rules.check_experiment_tag(tag)
    wanted = rules.checked_location(ask.artifact_location, Path.cwd().as_posix(), rules.limits_of(ctx.memory))
    _check_views(tags)
    now = ctx.now_ms()
    number = queries.add(ctx.tx, ask.name, wanted, now)
    if number is None:
        raise _taken(ask.name)
    location = wanted or rules.joined(default_root(ctx), str(number))
    queries.locate(ctx.tx, number, location)
    queries.set_tags(ctx.tx, number, tags)
    experiment_id = ExperimentId(str(number))
    ctx.announce(ExperimentCreated(experiment_id=experiment_id, name=ask.name))
    return Experiment(
        experiment_id=experiment_id,
        name=ask.name,
        artifact_location=location,
        lifecycle_stage="active",
        created_ms=now,
        updated_ms=now,
        tags=tags,
    )


class GetExperiment(Ask[Experiment]):
    """Ask for an experiment, deleted or not."""

    experiment_id: ExperimentId


@operation("experiments.get", needs="experiment:read")
def get_experiment(ctx: Context, ask: GetExperiment) -> Experiment:
    """One experiment."""
    found = queries.get(ctx.tx, rules.experiment_no(ask.experiment_id))
    if found is None:
        raise _absent(ask.experiment_id)
    return found


class GetExperimentByName(Ask[Experiment]):
    """Ask for an experiment by its name, deleted or not."""

    name: str


@operation("experiments.get_by_name", needs="experiment:read")
def get_experiment_by_name(ctx: Context, ask: GetExperimentByName) -> Experiment:
    """One experiment, by its name."""
    found = queries.get_by_name(ctx.tx, ask.name)
    if found is None:
        raise NotFound(f"Could not find experiment with name '{ask.name}'")
    return found


class SearchExperiments(Ask[ExperimentPage]):
    """Ask for the experiments that match a filter, newest first unless told otherwise."""

    filter: str = ""
    order_by: tuple[str, ...] = ()
    view: View = "active"
    max_results: int = 1000
    page_token: str = ""


@operation("experiments.search", needs="experiment:read")
def search_experiments(ctx: Context, ask: SearchExperiments) -> ExperimentPage:
    """Experiments that match a filter."""
    window = Window(view=ask.view, max_results=ask.max_results, page_token=ask.page_token)
    return search.page(ctx, ask.filter, ask.order_by, window)


class RenameExperiment(Ask[Done]):
    """Ask for another name."""

    experiment_id: ExperimentId
    new_name: str


@operation("experiments.rename", needs="experiment:write")
def rename_experiment(ctx: Context, ask: RenameExperiment) -> Done:
    """Give an active experiment another name. Its artifacts stay where they are."""
    number, is_deleted = _staged(ctx, ask.experiment_id)
    rules.check_experiment_name(ask.new_name)
    if is_deleted:
        raise Conflict("Cannot rename a non-active experiment.", code="INVALID_STATE")
    other = queries.get_by_name(ctx.tx, ask.new_name)
    if other is not None and other.experiment_id != str(number):
        raise _taken(ask.new_name)
    queries.rename(ctx.tx, number, ask.new_name, ctx.now_ms())
    return DONE


class SweepExperiment(Ask[Swept]):
    """Ask to go on bringing the runs of an experiment to the stage that it was brought to."""

    experiment_id: ExperimentId


def _left(ask: SweepExperiment, answer: Swept) -> SweepExperiment | None:
    return ask if answer.is_unfinished else None


@operation("experiments.sweep", needs="experiment:write", audit="measure", rest=_left)
def sweep_experiment(ctx: Context, ask: SweepExperiment) -> Swept:
    """Delete or restore the next runs of an experiment: a large one is many small transactions, never a long one."""
    return Swept(is_unfinished=queries.sweep(ctx.tx, rules.experiment_no(ask.experiment_id)))


def _sweep(ask: "DeleteExperiment | RestoreExperiment", _answer: Done) -> SweepExperiment:
    return SweepExperiment(experiment_id=ask.experiment_id)


class DeleteExperiment(Ask[Done]):
    """Ask to delete an experiment."""

    experiment_id: ExperimentId


@operation("experiments.delete", needs="experiment:write", rest=_sweep)
def delete_experiment(ctx: Context, ask: DeleteExperiment) -> Done:
    """Put an experiment and all its runs out of sight. It can be restored."""
    number = rules.experiment_no(ask.experiment_id)
    if not queries.set_stage(ctx.tx, number, is_deleted=True, now_ms=ctx.now_ms()):
        raise _absent(ask.experiment_id)
    return DONE


class RestoreExperiment(Ask[Done]):
    """Ask to restore a deleted experiment."""

    experiment_id: ExperimentId


@operation("experiments.restore", needs="experiment:write", rest=_sweep)
def restore_experiment(ctx: Context, ask: RestoreExperiment) -> Done:
    """Bring a deleted experiment back with all its runs, those deleted singly before included."""
    number = rules.experiment_no(ask.experiment_id)
    if not queries.set_stage(ctx.tx, number, is_deleted=False, now_ms=ctx.now_ms()):
        raise _absent(ask.experiment_id)
    return DONE


def has_sweeps(ctx: Context) -> bool:
    """Whether there is something for `finish_sweeps`."""
    return bool(queries.unswept(ctx.tx))


def finish_sweeps(ctx: Context) -> None:
    """Go on, a step for each experiment, where a server ended in the middle of deleting or restoring."""
    for number in queries.unswept(ctx.tx):
        queries.sweep(ctx.tx, number)


class SetExperimentTag(Ask[Done]):
    """Ask to set a tag of an experiment."""

    experiment_id: ExperimentId
    key: str
    value: str = ""


@operation("experiments.set_tag", needs="experiment:write")
def set_experiment_tag(ctx: Context, ask: SetExperimentTag) -> Done:
    """Set a tag of an active experiment."""
    tag = Tag(key=ask.key, value=ask.value)
    rules.check_experiment_tag(tag)
    number = _active(ctx, ask.experiment_id)
    if ask.key.startswith(rules.CUSTOM_VIEW):
        _check_views(rules.last_wins((*queries.tags(ctx.tx, number), tag)))
    queries.set_tags(ctx.tx, number, (tag,))
    return DONE


class DeleteExperimentTag(Ask[Done]):
    """Ask to remove a tag of an experiment."""

    experiment_id: ExperimentId
    key: str


@operation("experiments.delete_tag", needs="experiment:write")
def delete_experiment_tag(ctx: Context, ask: DeleteExperimentTag) -> Done:
    """Remove a tag of an active experiment."""
    number = _active(ctx, ask.experiment_id)
    if not queries.drop_tag(ctx.tx, number, ask.key):
        raise NotFound(f"No tag with name: {ask.key} in experiment with id {ask.experiment_id}")
    return DONE


class SearchDatasets(Ask[DatasetSummaries]):
    """Ask for the datasets that the runs of some experiments used."""

    experiment_ids: tuple[ExperimentId, ...]


@operation("experiments.search_datasets", needs="experiment:read")
def search_datasets(ctx: Context, ask: SearchDatasets) -> DatasetSummaries:
    """The datasets of at most twenty experiments, and for what they were used."""
    if len(ask.experiment_ids) > 20:
        raise Invalid(f"At most 20 experiments can be searched at once, got {len(ask.experiment_ids)}.")
    numbers = [rules.experiment_no(experiment_id) for experiment_id in ask.experiment_ids]
    return DatasetSummaries(items=dataset_queries.summaries(ctx.tx, numbers))


def seed(ctx: Context) -> None:
    """What a store holds from the first moment on: the experiment 0, `Default`. Changes nothing the second time."""
    queries.seed(ctx.tx, rules.joined(default_root(ctx), "0"), ctx.now_ms())


def default_root(ctx: Context) -> str:
    """Where the artifacts of new experiments go: the server's setting, by default through the server itself."""
    root: str = ctx.memory.get("default_artifact_root") or "mlflow-artifacts:/"
    return root


def writable(ctx: Context, experiment_id: str) -> tuple[int, str]:
    """The number of an active experiment and the place of its artifacts.

    Raises:
        NotFound: there is none. Invalid: it is deleted.
    """
    number = rules.experiment_no(experiment_id)
    found = queries.stage(ctx.tx, number)
    if found is None:
        raise _absent(experiment_id)
    if found[0]:
        raise Invalid(f"The experiment {experiment_id} must be in the 'active' state. Current state is deleted.")
    return number, found[1]


def _staged(ctx: Context, experiment_id: str) -> tuple[int, bool]:
    number = rules.experiment_no(experiment_id)
    found = queries.stage(ctx.tx, number)
    if found is None:
        raise _absent(experiment_id)
    return number, found[0]


def _active(ctx: Context, experiment_id: str) -> int:
    return writable(ctx, experiment_id)[0]


def _check_views(tags: tuple[Tag, ...]) -> None:
    views = sum(tag.key.startswith(rules.CUSTOM_VIEW) for tag in tags)
    if views > rules.MAX_CUSTOM_VIEWS:
        raise Invalid(f"An experiment can have at most {rules.MAX_CUSTOM_VIEWS} custom views, got {views}.")


def _absent(experiment_id: str) -> NotFound:
    return NotFound(f"No Experiment with id={experiment_id} exists")


def _taken(name: str) -> AlreadyExists:
    return AlreadyExists(
        f"Experiment(name={name}) already exists. Error: the name is in use, perhaps by a deleted experiment. "
        "Restore that one, or choose another name."
    )


OPERATIONS: tuple[AnyOperation, ...] = (
    create_experiment,
    get_experiment,
    get_experiment_by_name,
    search_experiments,
    rename_experiment,
    delete_experiment,
    restore_experiment,
    sweep_experiment,
    set_experiment_tag,
    delete_experiment_tag,
    search_datasets,
)
