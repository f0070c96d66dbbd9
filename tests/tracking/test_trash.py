"""The trash: what goes for good, what stays, and that nothing dangles."""

from pathlib import Path

import pytest

from airside.core.clock import FixedClock
from airside.core.errors import Conflict, Invalid, NotFound
from airside.core.operation import LOCAL
from airside.platform.reactions.clearing import sweep_trash
from airside.platform.wiring import Platform
from airside.registry.operations.models import CreateModel
from airside.registry.operations.versions import CreateVersion
from airside.store.sql.schema import METADATA
from airside.tracking.evaluation.operations.scorers import RegisterScorer
from airside.tracking.logged_models.operations import CreateLoggedModel, DeleteLoggedModel
from airside.tracking.operations.experiments import (
    CreateExperiment,
    DeleteExperiment,
    GetExperiment,
)
from airside.tracking.operations.logging import LogBatch
from airside.tracking.operations.runs import CreateRun, DeleteRun, GetRun, RestoreRun
from airside.tracking.records import LoggedMetric, Param, Tag
from airside.tracking.traces.operations.labels import LinkPromptsToTrace, LinkTracesToRun
from airside.tracking.traces.operations.writing import StartTrace
from airside.tracking.traces.records import PromptRef
from airside.tracking.trash import operations, queries
from airside.tracking.trash.operations import ListTrash, RemoveTrash, SweepTrash
from airside.tracking.trash.rules import age_ms


def a_run(platform: Platform, experiment_id: str = "0") -> str:
    """A run with something in each table, and a file."""
    run_id = platform.call(LOCAL, CreateRun(experiment_id=experiment_id)).info.run_id
    points = tuple(LoggedMetric(key=f"m{step % 3}", value=step, timestamp_ms=step, step=step) for step in range(30))
    params, tags = (Param(key="p", value="1"),), (Tag(key="t", value="x"),)
    platform.call(LOCAL, LogBatch(run_id=run_id, metrics=points, params=params, tags=tags))
    platform.artifacts.write(f"{experiment_id}/{run_id}/artifacts/a.txt", [b"x"])
    return run_id


def rows(platform: Platform, table: str) -> int:
    found = platform.read(lambda ctx: ctx.tx.one(f"SELECT COUNT(*) FROM {table}"))
    assert found is not None
    return int(found[0])


def test_a_removed_run_is_gone_with_its_rows_and_files(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "SWEEP_ROWS", 7)
    kept, gone = a_run(platform), a_run(platform)
    platform.call(LOCAL, DeleteRun(run_id=gone))
    platform.call(LOCAL, RemoveTrash(kind="run", ids=(gone,)))
    with pytest.raises(NotFound):
        platform.call(LOCAL, GetRun(run_id=gone))
    sweep_trash(platform)
    assert [rows(platform, table) for table in ("run", "metric_point", "run_param", "removal")] == [1, 30, 1, 0]
    assert platform.artifacts.list("0")[0].path == f"0/{kept}"
    assert len(platform.artifacts.list("0")) == 1
    assert len(platform.call(LOCAL, GetRun(run_id=kept)).metrics) == 3


def test_what_is_not_deleted_or_not_there_is_refused_and_nothing_goes(platform: Platform) -> None:
    active, deleted = a_run(platform), a_run(platform)
    platform.call(LOCAL, DeleteRun(run_id=deleted))
    with pytest.raises(Invalid, match="is not in the `deleted` lifecycle stage"):
        platform.call(LOCAL, RemoveTrash(kind="run", ids=(deleted, active)))
    with pytest.raises(NotFound):
        platform.call(LOCAL, RemoveTrash(kind="run", ids=(deleted, "nope")))
    assert platform.call(LOCAL, GetRun(run_id=deleted)).info.lifecycle_stage == "deleted"


def test_only_what_is_old_enough_is_listed_and_removed(platform: Platform, clock: FixedClock) -> None:
    old, young = a_run(platform), a_run(platform)
    platform.call(LOCAL, DeleteRun(run_id=old))
    clock.advance(seconds=7200)
    platform.call(LOCAL, DeleteRun(run_id=young))
    listed = platform.call(LOCAL, ListTrash(older_than="1h")).items
    assert [item.id for item in listed] == [old]
    assert {item.id for item in platform.call(LOCAL, ListTrash()).items} == {old, young}
    with pytest.raises(Invalid, match="not older than the required age"):
        platform.call(LOCAL, RemoveTrash(kind="run", ids=(young,), older_than="1h"))


def test_the_list_is_read_page_by_page(platform: Platform) -> None:
    for _ in range(5):
        platform.call(LOCAL, DeleteRun(run_id=a_run(platform)))
    seen, after = [], ""
    while True:
        page = platform.call(LOCAL, ListTrash(limit=2, after=after))
        seen += [item.id for item in page.items]
        after = page.next_after
        if not after:
            break
    assert (len(seen), len(set(seen))) == (5, 5)


def test_a_restored_run_leaves_the_trash(platform: Platform) -> None:
    run_id = a_run(platform)
    platform.call(LOCAL, DeleteRun(run_id=run_id))
    platform.call(LOCAL, RestoreRun(run_id=run_id))
    assert platform.call(LOCAL, ListTrash()).items == ()


def test_an_experiment_goes_when_it_is_empty_and_its_name_is_free_again(platform: Platform) -> None:
    made = platform.call(LOCAL, CreateExperiment(name="e")).experiment_id
    run_id = a_run(platform, made)
    platform.call(LOCAL, DeleteExperiment(experiment_id=made))
    with pytest.raises(Conflict, match="still holds"):
        platform.call(LOCAL, RemoveTrash(kind="experiment", ids=(made,)))
    platform.call(LOCAL, RemoveTrash(kind="run", ids=(run_id,), experiment_id=made))
    platform.call(LOCAL, RemoveTrash(kind="experiment", ids=(made,)))
    sweep_trash(platform)
    with pytest.raises(NotFound):
        platform.call(LOCAL, GetExperiment(experiment_id=made))
    again = platform.call(LOCAL, CreateExperiment(name="e")).experiment_id
    assert int(again) > int(made)


def test_an_experiment_with_a_run_that_was_restored_singly_stays(platform: Platform) -> None:
    made = platform.call(LOCAL, CreateExperiment(name="e")).experiment_id
    run_id = a_run(platform, made)
    platform.call(LOCAL, DeleteExperiment(experiment_id=made))
    platform.call(LOCAL, RestoreRun(run_id=run_id))
    with pytest.raises(Conflict, match="runs of it are active"):
        platform.call(LOCAL, RemoveTrash(kind="experiment", ids=(made,)))


def test_what_a_registered_version_needs_stays(platform: Platform) -> None:
    model = platform.call(LOCAL, CreateLoggedModel(experiment_id="0", name="m"))
    platform.call(LOCAL, CreateModel(name="churn"))
    source = f"models:/{model.model_id}"
    platform.call(LOCAL, CreateVersion(name="churn", source=source, model_id=model.model_id))
    platform.call(LOCAL, DeleteLoggedModel(model_id=model.model_id))
    listed = platform.call(LOCAL, ListTrash(kind="logged_model")).items
    assert [item.kept_for for item in listed] == ["churn@1"]
    with pytest.raises(Conflict, match="churn@1"):
        platform.call(LOCAL, RemoveTrash(kind="logged_model", ids=(model.model_id,)))


def test_a_run_whose_folder_a_version_names_stays(platform: Platform) -> None:
    run_id = a_run(platform)
    platform.call(LOCAL, CreateModel(name="old"))
    source = f"mlflow-artifacts:/0/{run_id}/artifacts/model"
    platform.call(LOCAL, CreateVersion(name="old", source=source, run_id=run_id))
    platform.call(LOCAL, DeleteRun(run_id=run_id))
    with pytest.raises(Conflict, match="old@1"):
        platform.call(LOCAL, RemoveTrash(kind="run", ids=(run_id,)))


def test_files_in_a_place_of_the_clients_are_left_and_told(platform: Platform) -> None:
    made = platform.call(LOCAL, CreateExperiment(name="e", artifact_location="s3://bucket/x")).experiment_id
    run_id = platform.call(LOCAL, CreateRun(experiment_id=made)).info.run_id
    platform.call(LOCAL, DeleteRun(run_id=run_id))
    platform.call(LOCAL, RemoveTrash(kind="run", ids=(run_id,)))
    platform.call(LOCAL, SweepTrash())
    swept = platform.call(LOCAL, SweepTrash())
    assert (swept.left, swept.untouched) == (0, (f"s3://bucket/x/{run_id}/artifacts",))


def test_a_folder_that_a_client_named_is_never_deleted_whole(platform: Platform, tmp_path: Path) -> None:
    platform.artifacts.write("shared/others.txt", [b"x"])
    made = platform.call(LOCAL, CreateExperiment(name="e", artifact_location="mlflow-artifacts:/shared")).experiment_id
    platform.call(LOCAL, DeleteExperiment(experiment_id=made))
    platform.call(LOCAL, RemoveTrash(kind="experiment", ids=(made,)))
    sweep_trash(platform)
    assert [each.path for each in platform.artifacts.list("shared")] == ["shared/others.txt"]


def test_what_hangs_on_the_things_of_an_experiment_goes_with_it(platform: Platform) -> None:
    made = platform.call(LOCAL, CreateExperiment(name="e")).experiment_id
    run_id, trace_id = a_run(platform, made), f"tr-{7:032x}"
    platform.call(LOCAL, RegisterScorer(experiment_id=made, name="s", serialized="{}"))
    platform.call(LOCAL, RegisterScorer(experiment_id=made, name="s", serialized="{}"))
    platform.call(LOCAL, StartTrace(trace_id=trace_id, experiment_id=made, request_ms=1))
    platform.call(LOCAL, LinkTracesToRun(trace_ids=(trace_id,), run_id=run_id))
    platform.call(LOCAL, LinkPromptsToTrace(trace_id=trace_id, prompts=(PromptRef(name="p", version="1"),)))
    platform.call(LOCAL, DeleteExperiment(experiment_id=made))
    platform.call(LOCAL, RemoveTrash(kind="run", ids=(run_id,)))
    platform.call(LOCAL, RemoveTrash(kind="experiment", ids=(made,)))
    sweep_trash(platform)
    left = {
        table: rows(platform, table) for table in ("scorer", "scorer_version", "trace_run", "trace_prompt", "trace")
    }
    assert left == dict.fromkeys(left, 0)


def test_every_table_with_rows_of_a_run_a_model_or_an_experiment_is_swept() -> None:
    kinds = {
        "run_no": queries.OF_RUNS,
        "model_id": {**queries.OF_LOGGED_MODELS, "model_input": (), "model_output": ()},
        "experiment_no": {**queries.OF_EXPERIMENTS, **queries.OF_RUNS, **dict.fromkeys(queries.OF_TRACES)},
    }
    heads = {"run", "logged_model", "experiment"}
    other = {"model_version", "evidence"}  # they name a logged model, and outlive it
    missing = [
        (table.name, column)
        for table in METADATA.sorted_tables
        for column, known in kinds.items()
        if column in table.columns and table.name not in {*known, *heads, *other}
    ]
    assert missing == []


@pytest.mark.parametrize("text", ["1", "d", "1d2", "-1d", "1x", "2s1d"])
def test_an_age_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="Could not parse any time information"):
        age_ms(text)
