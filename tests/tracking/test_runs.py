"""Runs: their life, and what they log."""

import math
import sys

import pytest

from airside.core.errors import Invalid, NotFound
from airside.core.ids import ExperimentId, LoggedModelId, RunId
from airside.core.operation import LOCAL
from airside.platform.wiring import Platform
from airside.tracking.operations.logging import (
    DeleteRunTag,
    LogBatch,
    LogInputs,
    LogMetric,
    LogOutputs,
    LogParam,
    SetRunTag,
)
from airside.tracking.operations.runs import CreateRun, DeleteRun, GetRun, RestoreRun, UpdateRun
from airside.tracking.records import (
    Dataset,
    DatasetInput,
    LoggedMetric,
    Metric,
    ModelOutput,
    Param,
    Run,
    Tag,
)

ZERO = ExperimentId("0")


@pytest.fixture
def run_id(platform: Platform) -> RunId:
    return platform.call(LOCAL, CreateRun(experiment_id=ZERO, name="first", start_time_ms=5)).info.run_id


def got(platform: Platform, run_id: RunId) -> Run:
    return platform.call(LOCAL, GetRun(run_id=run_id))


def point(key: str, value: float, step: int = 0, time_ms: int = 0) -> LoggedMetric:
    return LoggedMetric(key=key, value=value, timestamp_ms=time_ms, step=step)


def test_a_new_run_is_answered_as_it_is_stored(platform: Platform) -> None:
    made = platform.call(LOCAL, CreateRun(experiment_id=ZERO, user_id="u", tags=(Tag(key="a", value="1"),)))
    stored = got(platform, made.info.run_id)
    assert made.info == stored.info
    assert set(made.tags) == set(stored.tags)
    assert Tag(key="mlflow.runName", value=made.info.name) in stored.tags
    assert made.info.artifact_uri == f"mlflow-artifacts:/0/{made.info.run_id}/artifacts"


def test_a_name_and_a_name_tag_that_differ_are_refused(platform: Platform) -> None:
    tags = (Tag(key="mlflow.runName", value="y"),)
    with pytest.raises(Invalid, match=r"run_name='x', mlflow\.runName='y'"):
        platform.call(LOCAL, CreateRun(name="x", tags=tags))
    assert platform.call(LOCAL, CreateRun(tags=tags)).info.name == "y"


def test_the_latest_point_has_the_greatest_step_then_time_then_value(platform: Platform, run_id: RunId) -> None:
    for value, step, time_ms in ((1.0, 5, 1), (9.0, 4, 9), (2.0, 5, 2), (1.5, 5, 2), (8.0, 0, 99)):
        platform.call(LOCAL, LogMetric(run_id=run_id, key="m", value=value, step=step, timestamp_ms=time_ms))
    assert got(platform, run_id).metrics == (Metric(key="m", value=2.0, timestamp_ms=2, step=5),)


def test_not_a_number_takes_part_as_zero_and_the_earlier_of_equals_stays(platform: Platform, run_id: RunId) -> None:
    for key, values in (("a", (math.nan, 5.0)), ("b", (math.nan, 0.0)), ("c", (-1.0, math.nan))):
        for value in values:
            platform.call(LOCAL, LogMetric(run_id=run_id, key=key, value=value, timestamp_ms=1))
    assert {metric.key: metric.value for metric in got(platform, run_id).metrics} == {"a": 5.0, "b": None, "c": None}


def test_infinities_become_the_greatest_finite_doubles(platform: Platform, run_id: RunId) -> None:
    platform.call(LOCAL, LogMetric(run_id=run_id, key="up", value=math.inf, timestamp_ms=0))
    platform.call(LOCAL, LogMetric(run_id=run_id, key="down", value=-math.inf, timestamp_ms=0))
    values = {metric.key: metric.value for metric in got(platform, run_id).metrics}
    assert values == {"up": sys.float_info.max, "down": -sys.float_info.max}


def test_a_parameter_is_written_once(platform: Platform, run_id: RunId) -> None:
    for _ in range(2):
        platform.call(LOCAL, LogParam(run_id=run_id, key="p", value="1"))
    with pytest.raises(Invalid, match=r"Param with key='p' was already logged with value='1' for run ID='.*'\. "):
        platform.call(LOCAL, LogParam(run_id=run_id, key="p", value="2"))
    assert got(platform, run_id).params == (Param(key="p", value="1"),)


def test_over_long_values_are_cut_and_then_equal(platform: Platform, run_id: RunId) -> None:
    for length in (6500, 6400):
        platform.call(LOCAL, LogParam(run_id=run_id, key="p", value="x" * length))
    platform.call(LOCAL, SetRunTag(run_id=run_id, key="t", value="y" * 9000))
    run = got(platform, run_id)
    assert len(run.params[0].value) == 6000
    assert max(len(tag.value) for tag in run.tags) == 8000


@pytest.mark.parametrize("name", ["a$", "a//b", "../a", "/abs", ".", "", "a/", "a\n"])
def test_names_that_could_be_other_files_are_refused(platform: Platform, run_id: RunId, name: str) -> None:
    for ask in (
        LogParam(run_id=run_id, key=name),
        SetRunTag(run_id=run_id, key=name),
        LogMetric(run_id=run_id, key=name, value=1.0, timestamp_ms=0),
    ):
        with pytest.raises(Invalid, match="Invalid value"):
            platform.call(LOCAL, ask)


def test_a_batch_is_whole_or_absent(platform: Platform, run_id: RunId) -> None:
    platform.call(LOCAL, LogParam(run_id=run_id, key="p", value="1"))
    before = got(platform, run_id)
    batch = LogBatch(
        run_id=run_id,
        metrics=(point("m", 1.0),),
        params=(Param(key="q", value="1"), Param(key="p", value="2")),
        tags=(Tag(key="t", value="1"),),
    )
    with pytest.raises(Invalid, match=r"\[\{'key': 'p', 'old_value': '1', 'new_value': '2'\}\]"):
        platform.call(LOCAL, batch)
    assert got(platform, run_id) == before


def test_a_batch_stores_each_point_once_and_the_last_of_each_tag(platform: Platform, run_id: RunId) -> None:
    batch = LogBatch(
        run_id=run_id,
        metrics=(point("m", 1.0, step=1), point("m", 1.0, step=1), point("m", 3.0, step=0), point("n", 2.0)),
        tags=(Tag(key="t", value="1"), Tag(key="t", value="2"), Tag(key="mlflow.runName", value="renamed")),
    )
    for _ in range(2):
        platform.call(LOCAL, batch)
    run = got(platform, run_id)
    assert {metric.key: metric.value for metric in run.metrics} == {"m": 1.0, "n": 2.0}
    assert run.info.name == "renamed"
    assert Tag(key="t", value="2") in run.tags


@pytest.mark.parametrize(
    ("batch", "text"),
    [
        ({"metrics": tuple(point("m", float(i)) for i in range(1001))}, "at most 1000 metrics. Got 1001 metrics."),
        ({"params": tuple(Param(key=f"p{i}") for i in range(101))}, "at most 100 params. Got 101 params."),
        ({"params": (Param(key="d"), Param(key="d"))}, r"Duplicate parameter keys have been submitted: \['d'\]"),
        ({"metrics": (point("ok", 1.0), point("a$", 1.0))}, r"parameter 'metrics\[1\]\.name' supplied"),
        ({"tags": (Tag(key="k" * 251),)}, r"'tags\[0\]\.key' exceeds the maximum length of 250 characters"),
        ({"metrics": (point("m", 1.0, time_ms=-1),)}, r"Timestamp must be a nonnegative long"),
    ],
)
def test_a_batch_that_breaks_a_rule_says_where(platform: Platform, run_id: RunId, batch: dict, text: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(Invalid, match=text):
        platform.call(LOCAL, LogBatch(run_id=run_id, **batch))


def test_a_deleted_run_is_read_and_restored_but_not_written(platform: Platform, run_id: RunId) -> None:
    for _ in range(2):
        platform.call(LOCAL, DeleteRun(run_id=run_id))
    for ask in (
        LogMetric(run_id=run_id, key="m", value=1.0, timestamp_ms=0),
        LogParam(run_id=run_id, key="p"),
        SetRunTag(run_id=run_id, key="t"),
        DeleteRunTag(run_id=run_id, key="mlflow.runName"),
        LogBatch(run_id=run_id),
        LogInputs(run_id=run_id),
        LogOutputs(run_id=run_id),
        UpdateRun(run_id=run_id),
    ):
        with pytest.raises(Invalid, match=r"must be in the 'active' state\. Current state is deleted\."):
            platform.call(LOCAL, ask)
    assert got(platform, run_id).info.lifecycle_stage == "deleted"
    for _ in range(2):
        platform.call(LOCAL, RestoreRun(run_id=run_id))
    platform.call(LOCAL, LogBatch(run_id=run_id))


def test_unknown_runs_are_named(platform: Platform) -> None:
    for ask in (GetRun(run_id=RunId("x")), LogBatch(run_id=RunId("x")), DeleteRun(run_id=RunId("x"))):
        with pytest.raises(NotFound, match="Run with id=x not found"):
            platform.call(LOCAL, ask)


def test_an_update_changes_only_what_is_given(platform: Platform, run_id: RunId) -> None:
    info = platform.call(LOCAL, UpdateRun(run_id=run_id, status="FINISHED", end_time_ms=9))
    assert (info.status, info.end_time_ms, info.name) == ("FINISHED", 9, "first")
    info = platform.call(LOCAL, UpdateRun(run_id=run_id, status="RUNNING", name="second"))
    assert (info.status, info.end_time_ms, info.name) == ("RUNNING", 9, "second")
    info = platform.call(LOCAL, UpdateRun(run_id=run_id, end_time_ms=0, name=""))
    assert (info.end_time_ms, info.name) == (None, "second")
    assert Tag(key="mlflow.runName", value="second") in got(platform, run_id).tags


def test_removing_the_name_tag_leaves_the_name(platform: Platform, run_id: RunId) -> None:
    platform.call(LOCAL, DeleteRunTag(run_id=run_id, key="mlflow.runName"))
    with pytest.raises(NotFound, match=r"No tag with name: mlflow\.runName in run with id"):
        platform.call(LOCAL, DeleteRunTag(run_id=run_id, key="mlflow.runName"))
    assert got(platform, run_id).info.name == "first"


def test_known_datasets_and_inputs_stay_as_they_are(platform: Platform, run_id: RunId) -> None:
    context = Tag(key="mlflow.data.context", value="train")
    first = DatasetInput(dataset=Dataset(name="d", digest="x", source="a", schema="{}"), tags=(context,))
    again = DatasetInput(dataset=Dataset(name="d", digest="x", source="b"), tags=(Tag(key="n", value="1"),))
    platform.call(LOCAL, LogInputs(run_id=run_id, datasets=(first,), model_ids=(LoggedModelId("m-1"),)))
    platform.call(LOCAL, LogInputs(run_id=run_id, datasets=(again,), model_ids=(LoggedModelId("m-1"),)))
    run = got(platform, run_id)
    assert run.dataset_inputs == (first,)
    assert run.model_inputs == ("m-1",)


def test_of_the_same_output_the_last_step_counts(platform: Platform, run_id: RunId) -> None:
    for step in (1, 2):
        platform.call(LOCAL, LogOutputs(run_id=run_id, models=(ModelOutput(model_id=LoggedModelId("m"), step=step),)))
    assert got(platform, run_id).model_outputs == (ModelOutput(model_id=LoggedModelId("m"), step=2),)


def test_a_loaded_run_is_never_older_than_the_last_answer(platform: Platform, run_id: RunId) -> None:
    for step in range(5):
        platform.call(LOCAL, LogMetric(run_id=run_id, key="m", value=float(step), timestamp_ms=0, step=step))
        assert got(platform, run_id).metrics[0].value == float(step)
    platform.call(LOCAL, DeleteRun(run_id=run_id))
    assert got(platform, run_id).info.lifecycle_stage == "deleted"
