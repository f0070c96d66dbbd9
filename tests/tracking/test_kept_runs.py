"""Runs that are kept in memory: whatever is written meanwhile, by whom, and undone, they are as a fresh store tells."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airside.core.errors import AirsideError, Invalid
from airside.core.ids import ExperimentId, LoggedModelId, RunId
from airside.core.operation import LOCAL, Context, operation_of
from airside.core.record import Ask
from airside.core.settings import Settings
from airside.platform.wiring import Platform
from airside.server.mlflow.run_answers import encoded, run_of
from airside.server.mlflow.wire import write
from airside.tracking.imports.journal import BeginImport
from airside.tracking.imports.operations import ImportSeries
from airside.tracking.imports.records import Series
from airside.tracking.memory import Memory, bytes_of
from airside.tracking.operations.experiments import (
    CreateExperiment,
    DeleteExperiment,
    RestoreExperiment,
)
from airside.tracking.operations.logging import (
    DeleteRunTag,
    LogBatch,
    LogInputs,
    LogMetric,
    LogOutputs,
    LogParam,
    SetRunTag,
    log_metric,
)
from airside.tracking.operations.runs import (
    CreateRun,
    DeleteRun,
    GetRun,
    RestoreRun,
    SearchRuns,
    StartRun,
    UpdateRun,
    get_run,
    start_run,
)
from airside.tracking.records import Dataset, DatasetInput, LoggedMetric, ModelOutput, Param, Run, RunPage, Tag
from airside.tracking.trash.operations import RemoveTrash

T = TypeVar("T")
RUNS = 3
Write = Callable[[Platform, ExperimentId, RunId, int], Any]


def metric(run_id: RunId, value: int) -> LogMetric:
    return LogMetric(run_id=run_id, key="m", value=value, timestamp_ms=value, step=value)


def asked(make: Callable[[ExperimentId, RunId, int], Ask[Any]]) -> Write:
    return lambda platform, experiment_id, run_id, n: platform.call(LOCAL, make(experiment_id, run_id, n))


def together(platform: Platform, _experiment: ExperimentId, run_id: RunId, n: int) -> None:
    """Neighbours of one transaction, one of which only looks."""

    def change(ctx: Context) -> None:
        log_metric(ctx, metric(run_id, n))
        start_run(ctx, StartRun(run_id=run_id))
        log_metric(ctx, metric(run_id, n + 1))

    platform.change(change)


def undone(platform: Platform, _experiment: ExperimentId, run_id: RunId, n: int) -> None:
    """A change that somebody looked at, and that never came to be."""

    def change(ctx: Context) -> None:
        log_metric(ctx, metric(run_id, 1000 + n))
        get_run(ctx, GetRun(run_id=run_id))
        raise Invalid

    platform.change(change)


def imported(platform: Platform, _experiment: ExperimentId, run_id: RunId, n: int) -> None:
    begun = platform.call(LOCAL, BeginImport(source="sqlite:///x.db", kind="mlflow-database", fingerprint="x"))
    series = Series(run_id=run_id, key="imported", timestamps_ms=(n,), steps=(n,), values=(0.5,))
    platform.call(LOCAL, ImportSeries(import_id=begun.import_id, items=(series,)))


def removed(platform: Platform, _experiment: ExperimentId, run_id: RunId, _n: int) -> None:
    platform.call(LOCAL, DeleteRun(run_id=run_id))
    platform.call(LOCAL, RemoveTrash(kind="run", ids=(run_id,)))


WRITES: dict[str, Write] = {
    "metric": asked(lambda _, run, n: metric(run, n)),
    "param": asked(lambda _, run, n: LogParam(run_id=run, key=f"p{n}", value="v")),
    "tag": asked(lambda _, run, n: SetRunTag(run_id=run, key="t", value=str(n))),
    "name": asked(lambda _, run, n: SetRunTag(run_id=run, key="mlflow.runName", value=f"name {n}")),
    "no tag": asked(lambda _, run, _n: DeleteRunTag(run_id=run, key="t")),
    "batch": asked(
        lambda _, run, n: LogBatch(
            run_id=run,
            metrics=(LoggedMetric(key=f"b{n}", value=n, timestamp_ms=1),),
            params=(Param(key=f"b{n}", value="v"),),
            tags=(Tag(key="b", value=str(n)),),
        )
    ),
    "inputs": asked(
        lambda _, run, n: LogInputs(
            run_id=run,
            datasets=(DatasetInput(dataset=Dataset(name="d", digest=str(n), source_type="s", source="s")),),
            model_ids=(LoggedModelId(f"m-{n}"),),
        )
    ),
    "outputs": asked(
        lambda _, run, n: LogOutputs(run_id=run, models=(ModelOutput(model_id=LoggedModelId("m-1"), step=n),))
    ),
    "update": asked(lambda _, run, n: UpdateRun(run_id=run, status="FINISHED", end_time_ms=n + 1, name=f"new {n}")),
    "delete": asked(lambda _, run, _n: DeleteRun(run_id=run)),
    "restore": asked(lambda _, run, _n: RestoreRun(run_id=run)),
    "delete all": asked(lambda experiment, _, _n: DeleteExperiment(experiment_id=experiment)),
    "restore all": asked(lambda experiment, _, _n: RestoreExperiment(experiment_id=experiment)),
    "together": together,
    "undone": undone,
    "imported": imported,
    "removed": removed,
}
steps = st.lists(
    st.tuples(st.integers(0, RUNS - 1), st.sampled_from(sorted(WRITES)), st.integers(0, 3), st.booleans()),
    min_size=1,
    max_size=12,
)


@pytest.fixture
def elsewhere(platform: Platform, store_url: str, tmp_path: Path) -> Iterator[Platform]:
    """Another server on the same database, where there can be one."""
    if not store_url:
        yield platform
        return
    chosen = Settings.load(None, environment={}, flags={"database": store_url})
    other = Platform.open(tmp_path / "other", settings=chosen, clock=platform.clock)
    yield other
    other.close()


def fresh(platform: Platform, ask: Ask[T]) -> T:
    """What a server answers that remembers nothing."""
    found: T = platform.read(
        lambda ctx: operation_of(type(ask)).function(Context(ctx.tx, ctx.clock, ctx.random, ctx.actor, {}), ask)
    )
    return found


def told(answer: Callable[[], Any]) -> Any:
    try:
        return answer()
    except AirsideError as error:
        return error.code


def check(platform: Platform, ask: GetRun | SearchRuns) -> None:
    """Loaded or kept, or at a glance: the answer of a fresh store, to the byte."""
    expected = told(lambda: fresh(platform, ask))
    answers = [told(lambda: platform.call(LOCAL, ask)), told(lambda: platform.call(LOCAL, ask))]
    at_a_glance = platform.glance(LOCAL, ask)
    for answer in (*answers, *([] if at_a_glance is None else [at_a_glance])):
        assert expected == answer
        for run in (answer,) if isinstance(answer, Run) else answer.items if isinstance(answer, RunPage) else ():
            assert write(run_of(run)) == encoded(run)


def asks(experiment_id: ExperimentId, runs: list[RunId]) -> list[GetRun | SearchRuns]:
    of = (experiment_id,)
    return [
        *(GetRun(run_id=run_id) for run_id in runs),
        SearchRuns(experiment_ids=of, max_results=50),
        SearchRuns(experiment_ids=of, max_results=2, view="all"),
        SearchRuns(experiment_ids=of, view="deleted", order_by=("metrics.m",)),
    ]


@pytest.mark.parametrize("limit_bytes", [64 << 20, 6000])
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=steps)
def test_whatever_is_written_a_kept_run_is_as_it_is_now(
    platform: Platform, elsewhere: Platform, limit_bytes: int, steps: list[tuple[int, str, int, bool]]
) -> None:
    memory = platform.memory["tracking"] = Memory(limit_bytes)
    experiment = platform.call(LOCAL, CreateExperiment(name=platform.random(8).hex())).experiment_id
    runs = [platform.call(LOCAL, CreateRun(experiment_id=experiment, start_time_ms=n)).info.run_id for n in range(RUNS)]
    every = asks(experiment, runs)
    for index, name, value, is_elsewhere in steps:
        with suppress(AirsideError):
            WRITES[name](elsewhere if is_elsewhere else platform, experiment, runs[index], value)
        for ask in every:
            check(platform, ask)
        assert memory.held_bytes == sum(bytes_of(run) for run in memory.runs.values()) <= limit_bytes


def test_a_run_in_memory_is_answered_at_a_glance_until_it_changes(platform: Platform) -> None:
    run_id = platform.call(LOCAL, CreateRun()).info.run_id
    asked = (GetRun(run_id=run_id), SearchRuns(experiment_ids=(ExperimentId("0"),), max_results=50))
    is_here = platform.database.dialect == "sqlite"  # another process is not asked where nothing may wait
    assert [platform.glance(LOCAL, ask) for ask in asked] == [None, None]
    answers = [platform.call(LOCAL, ask) for ask in asked]
    assert [platform.glance(LOCAL, ask) for ask in asked] == (answers if is_here else [None, None])
    platform.call(LOCAL, SetRunTag(run_id=run_id, key="t", value="new"))
    assert [platform.glance(LOCAL, ask) for ask in asked] == [None, None]


def test_nothing_is_kept_of_runs_when_no_memory_is_given(platform: Platform) -> None:
    platform.memory["tracking"] = Memory(0)
    ask = GetRun(run_id=platform.call(LOCAL, CreateRun()).info.run_id)
    platform.call(LOCAL, ask)
    assert platform.glance(LOCAL, ask) is None


def test_the_runs_that_were_kept_first_make_room(platform: Platform) -> None:
    asked = [GetRun(run_id=platform.call(LOCAL, CreateRun()).info.run_id) for _ in range(3)]
    size = bytes_of(platform.call(LOCAL, asked[0]))
    memory = platform.memory["tracking"] = Memory(2 * size + size // 2)
    for ask in asked:
        platform.call(LOCAL, ask)
    assert [run.info.run_id for run in memory.runs.values()] == [ask.run_id for ask in asked[1:]]
