"""Runs: their life, and finding them."""

import re

import msgspec

from airside.core.errors import Invalid, NotFound, Overloaded
from airside.core.ids import ExperimentId, RunId
from airside.core.operation import AnyOperation, Context, operation
from airside.core.record import DONE, Ask, Done
from airside.core.search import parse_filter
from airside.tracking import rules
from airside.tracking.events import RunEnded
from airside.tracking.grammars import RUNS
from airside.tracking.memory import memory_of
from airside.tracking.names import invented
from airside.tracking.operations.experiments import (
    CreateExperiment,
    GetExperimentByName,
    create_experiment,
    get_experiment_by_name,
    writable,
)
from airside.tracking.queries import experiments as experiment_queries
from airside.tracking.queries import run_search as search
from airside.tracking.queries import runs as queries
from airside.tracking.queries import values
from airside.tracking.records import Run, RunInfo, RunPage, RunStatus, Tag, View

_CHOSEN_ID = re.compile(r"[0-9a-f]{32}\Z")


class CreateRun(Ask[Run]):
    """Ask for a new run. Without a name one is invented."""

    experiment_id: ExperimentId = ExperimentId("0")
    name: str = ""
    user_id: str = ""
    start_time_ms: int = 0
    tags: tuple[Tag, ...] = ()


@operation("runs.create", needs="run:write", audit="measure")
def create_run(ctx: Context, ask: CreateRun) -> Run:
    """Start a run in an active experiment."""
    return _created(ctx, ask, RunId(ctx.new_hex()))


class StartRun(Ask[Run]):
    """Ask for a run in an experiment by its name, which is made when it is not there.

    Attributes:
        run_id: an id of the caller's own choice, 32 hexadecimal digits, so that a run may begin before the server
            hears of it; a run of that id is answered as it is.
    """

    experiment: str = "Default"
    run_id: RunId = RunId("")
    name: str = ""
    user_id: str = ""
    start_time_ms: int = 0
    tags: tuple[Tag, ...] = ()


@operation("runs.start", needs="run:write", audit="measure")
def start_run(ctx: Context, ask: StartRun) -> Run:
    """Start a run under an id that the caller may choose, in an experiment that is made when it is not there."""
    if ask.run_id and not _CHOSEN_ID.match(ask.run_id):
        raise rules.invalid_value(ask.run_id, "run_id", "a chosen id is 32 hexadecimal digits")
    if ask.run_id and queries.numbers(ctx, ask.run_id) is not None:
        return get_run(ctx, GetRun(run_id=ask.run_id))
    create = CreateRun(
        experiment_id=_experiment_of(ctx, ask.experiment),
        name=ask.name,
        user_id=ask.user_id,
        start_time_ms=ask.start_time_ms,
        tags=ask.tags,
    )
    return _created(ctx, create, ask.run_id or RunId(ctx.new_hex()))


def _experiment_of(ctx: Context, name: str) -> ExperimentId:
    try:
        return get_experiment_by_name(ctx, GetExperimentByName(name=name)).experiment_id
    except NotFound:
        return create_experiment(ctx, CreateExperiment(name=name)).experiment_id


def _created(ctx: Context, ask: CreateRun, run_id: RunId) -> Run:
    experiment_no, location = writable(ctx, ask.experiment_id)
    name = rules.settled_name(ask.name, ask.tags) or invented(ctx.random(4))
    tags = rules.last_wins((*ask.tags, Tag(key=rules.RUN_NAME_TAG, value=name)))
    info = RunInfo(
        run_id=run_id,
        experiment_id=ExperimentId(str(experiment_no)),
        name=name,
        user_id=ask.user_id,
        status="RUNNING",
        start_time_ms=ask.start_time_ms,
        end_time_ms=None,
        artifact_uri=rules.joined(location, run_id, "artifacts"),
        lifecycle_stage="active",
    )
    number = queries.add(ctx, info, experiment_no)
    values.set_tags(ctx, (number, experiment_no), tags)
    return Run(info=info, tags=tags)


class GetRun(Ask[Run]):
    """Ask for a run, deleted or not."""

    run_id: RunId


def _remembered(ctx: Context, ask: GetRun) -> Run | None:
    return queries.glance(ctx, ask.run_id)


@operation("runs.get", needs="run:read", glance=_remembered)
def get_run(ctx: Context, ask: GetRun) -> Run:
    """One run with all that it logged: of each metric the latest point."""
    number = found(ctx, ask.run_id)[0]
    loaded = queries.load(ctx, (number,))
    if not loaded:
        raise absent(ask.run_id)
    return loaded[0]


class UpdateRun(Ask[RunInfo]):
    """Ask to change the head of a run; what is not given stays.

    Attributes:
        end_time_ms: 0 clears it.
    """

    run_id: RunId
    status: RunStatus | None = None
    end_time_ms: int | None = None
    name: str | None = None


@operation("runs.update", needs="run:write", audit="measure")
def update_run(ctx: Context, ask: UpdateRun) -> RunInfo:
    """Change the state, the end or the name of an active run."""
    run = active(ctx, ask.run_id)
    row = queries.head(ctx.tx, run[0])
    if row is None:
        raise absent(ask.run_id)
    before = queries.info_of(row)
    after = msgspec.structs.replace(
        before,
        status=ask.status or before.status,
        end_time_ms=before.end_time_ms if ask.end_time_ms is None else ask.end_time_ms or None,
        name=ask.name or before.name,
    )
    queries.update(ctx.tx, run[0], after)
    if ask.name:
        values.set_tags(ctx, run, (Tag(key=rules.RUN_NAME_TAG, value=ask.name),))
    if after.status in rules.ENDED and before.status not in rules.ENDED:
        ctx.announce(RunEnded(run_id=after.run_id, experiment_id=after.experiment_id, status=after.status))
    return after


class DeleteRun(Ask[Done]):
    """Ask to delete a run."""

    run_id: RunId


@operation("runs.delete", needs="run:write")
def delete_run(ctx: Context, ask: DeleteRun) -> Done:
    """Put a run out of sight. It can be restored; doing it again changes nothing."""
    queries.set_stage(ctx.tx, _settled(ctx, ask.run_id), is_deleted=True, now_ms=ctx.now_ms())
    return DONE


class RestoreRun(Ask[Done]):
    """Ask to restore a run."""

    run_id: RunId


@operation("runs.restore", needs="run:write")
def restore_run(ctx: Context, ask: RestoreRun) -> Done:
    """Bring a deleted run back, even when its experiment is deleted."""
    queries.set_stage(ctx.tx, _settled(ctx, ask.run_id), is_deleted=False, now_ms=ctx.now_ms())
    return DONE


class SearchRuns(Ask[RunPage]):
    """Ask for the runs of some experiments that match a filter, newest first unless told otherwise."""

    experiment_ids: tuple[ExperimentId, ...] = ()
    filter: str = ""
    order_by: tuple[str, ...] = ()
    view: View = "active"
    max_results: int = 1000
    page_token: str = ""


GLANCED = 100
"""A page of so many runs at most, in the order of their start and without a filter, may be answered at a glance."""


def _is_plain(ask: SearchRuns) -> bool:
    return ask.max_results <= GLANCED and len(ask.experiment_ids) == 1 and not ask.filter and not ask.order_by


def _remembered_page(ctx: Context, ask: SearchRuns) -> RunPage | None:
    """A page that was asked for before, if each of its runs is kept as it is now."""
    if not memory_of(ctx).has_noted(ask):
        return None
    numbers, following = _found(ctx, ask)
    runs = queries.kept(ctx, numbers)
    if len(runs) < len(numbers):
        return None
    return RunPage(items=tuple(runs[number] for number in numbers), next_page_token=following)


@operation("runs.search", needs="run:read", glance=_remembered_page)
def search_runs(ctx: Context, ask: SearchRuns) -> RunPage:
    """Runs that match a filter, a page at a time; the last page costs what the first costs."""
    numbers, following = _found(ctx, ask)
    if _is_plain(ask):
        memory_of(ctx).note(ask)
    return RunPage(items=tuple(queries.load(ctx, numbers)), next_page_token=following)


def _found(ctx: Context, ask: SearchRuns) -> tuple[list[int], str]:
    try:
        numbers = tuple(dict.fromkeys(rules.experiment_no(experiment_id) for experiment_id in ask.experiment_ids))
    except Invalid:
        parse_filter(ask.filter, RUNS)  # a mistake in the filter is told first
        raise
    if len(numbers) > experiment_queries.MANY:  # each is looked through by itself
        numbers = experiment_queries.known(ctx.tx, numbers)
    window = search.Window(view=ask.view, max_results=ask.max_results, page_token=ask.page_token)
    return search.page(ctx, numbers, ask.filter, ask.order_by, window)


def _settled(ctx: Context, run_id: str) -> int:
    """The number of a run whose experiment is not being deleted or restored right now.

    Raises:
        Overloaded: it is: what is done to this run now would be undone when its turn comes.
    """
    number, experiment_no = found(ctx, run_id)
    if experiment_queries.is_sweeping(ctx.tx, experiment_no):
        raise Overloaded(
            f"The runs of experiment {experiment_no} are being deleted or restored. Try again in a second."
        )
    return number


def found(ctx: Context, run_id: str) -> tuple[int, int]:
    """The numbers of a run and of its experiment.

    Raises:
        NotFound: there is none of that id.
    """
    numbers = queries.numbers(ctx, run_id)
    if numbers is None:
        raise absent(run_id)
    return numbers


def active(ctx: Context, run_id: str) -> tuple[int, int]:
    """The numbers of an active run, whose change is counted here.

    Raises:
        NotFound: there is none of that id. Invalid: it is deleted.
    """
    numbers = found(ctx, run_id)
    if not queries.touch(ctx.tx, numbers[0]):
        if queries.head(ctx.tx, numbers[0]) is None:
            raise absent(run_id)
        raise Invalid(f"The run {run_id} must be in the 'active' state. Current state is deleted.")
    return numbers


def absent(run_id: str) -> NotFound:
    """The error of an unknown run."""
    return NotFound(f"Run with id={run_id} not found")


OPERATIONS: tuple[AnyOperation, ...] = (
    create_run,
    start_run,
    get_run,
    update_run,
    delete_run,
    restore_run,
    search_runs,
)
