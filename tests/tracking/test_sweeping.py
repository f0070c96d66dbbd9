"""Deleting and restoring a large experiment: many short transactions, one answer."""

import pytest

from airside.core.errors import NotFound, Overloaded
from airside.core.ids import ExperimentId, RunId
from airside.core.operation import LOCAL
from airside.platform import loops
from airside.platform.loops import finish_sweeps
from airside.platform.wiring import Platform
from airside.tracking.operations.experiments import (
    CreateExperiment,
    DeleteExperiment,
    RestoreExperiment,
)
from airside.tracking.operations.runs import CreateRun, GetRun, RestoreRun, SearchRuns
from airside.tracking.queries import experiments as queries
from airside.tracking.records import View


@pytest.fixture
def experiment(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> ExperimentId:
    """An experiment of ten runs; a transaction takes three."""
    monkeypatch.setattr(queries, "SWEPT_AT_ONCE", 3)
    made = platform.call(LOCAL, CreateExperiment(name="large")).experiment_id
    for _ in range(10):
        platform.call(LOCAL, CreateRun(experiment_id=made))
    return made


def shown(platform: Platform, experiment: ExperimentId, view: View = "active") -> list[RunId]:
    page = platform.call(LOCAL, SearchRuns(experiment_ids=(experiment,), view=view))
    return [run.info.run_id for run in page.items]


def test_every_run_is_out_of_sight_when_the_deletion_is_answered(platform: Platform, experiment: ExperimentId) -> None:
    platform.call(LOCAL, DeleteExperiment(experiment_id=experiment))
    assert shown(platform, experiment) == []
    assert len(shown(platform, experiment, "deleted")) == 10
    assert not platform.read(lambda ctx: queries.unswept(ctx.tx))


def test_a_run_restored_by_itself_stays_when_its_experiment_is_deleted(
    platform: Platform, experiment: ExperimentId
) -> None:
    run_id = shown(platform, experiment)[0]
    platform.call(LOCAL, DeleteExperiment(experiment_id=experiment))
    platform.call(LOCAL, RestoreRun(run_id=run_id))
    finish_sweeps(platform)
    assert shown(platform, experiment) == [run_id]
    platform.call(LOCAL, RestoreExperiment(experiment_id=experiment))
    assert len(shown(platform, experiment)) == 10


def test_a_deletion_that_was_cut_short_goes_on(platform: Platform, experiment: ExperimentId) -> None:
    platform.change(lambda ctx: queries.set_stage(ctx.tx, int(experiment), is_deleted=True, now_ms=1))
    assert len(shown(platform, experiment)) == 7
    finish_sweeps(platform)
    assert shown(platform, experiment) == []


def test_a_round_takes_so_many_steps_and_the_next_one_goes_on(
    platform: Platform, experiment: ExperimentId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "SWEEPS_A_ROUND", 1)
    platform.change(lambda ctx: queries.set_stage(ctx.tx, int(experiment), is_deleted=True, now_ms=1))
    finish_sweeps(platform)
    assert len(shown(platform, experiment)) == 4


def test_a_run_whose_experiment_is_on_its_way_out_waits(platform: Platform, experiment: ExperimentId) -> None:
    run_id = shown(platform, experiment)[0]
    platform.change(lambda ctx: queries.set_stage(ctx.tx, int(experiment), is_deleted=True, now_ms=1))
    with pytest.raises(Overloaded, match="Try again in a second"):
        platform.call(LOCAL, RestoreRun(run_id=run_id))
    finish_sweeps(platform)
    platform.call(LOCAL, RestoreRun(run_id=run_id))
    assert shown(platform, experiment) == [run_id]


def test_a_restore_in_the_middle_of_a_deletion_wins(platform: Platform, experiment: ExperimentId) -> None:
    platform.change(lambda ctx: queries.set_stage(ctx.tx, int(experiment), is_deleted=True, now_ms=1))
    platform.call(LOCAL, RestoreExperiment(experiment_id=experiment))
    assert len(shown(platform, experiment)) == 10
    run = platform.call(LOCAL, GetRun(run_id=shown(platform, experiment)[0]))
    assert run.info.lifecycle_stage == "active"


def test_what_fails_leaves_nothing_to_be_done(platform: Platform) -> None:
    with pytest.raises(NotFound):
        platform.call(LOCAL, DeleteExperiment(experiment_id=ExperimentId("77")))
