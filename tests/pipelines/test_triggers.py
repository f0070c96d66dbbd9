"""What starts a pipeline without anybody typing, and what does not start it twice."""

from typing import Any

import pytest

from airside.core.clock import FixedClock
from airside.core.errors import AlreadyExists, Invalid, NotFound
from airside.core.ids import BlobId, DatasetName, ModelName, MonitorName, PipelineName
from airside.core.operation import LOCAL
from airside.data.operations.datasets import CreateDataset
from airside.data.operations.versions import CommitDatasetVersion
from airside.data.records import DatasetFile
from airside.pipelines.operations.pipelines import RegisterPipeline
from airside.pipelines.operations.runs import ClaimRun, FinishRun, ListRuns
from airside.pipelines.operations.triggers import (
    CreateTrigger,
    EnableTrigger,
    FireTrigger,
    ListFires,
    ListTriggers,
    NoteEvent,
    TickTriggers,
)
from airside.pipelines.records import FromParameter, Graph, Node, Parameter, PipelineRun, Trigger
from airside.platform.wiring import Platform

NAME = PipelineName("training")


@pytest.fixture(autouse=True)
def pipeline(platform: Platform) -> None:
    node = Node(name="load", function="steps:load", bindings={"dataset": FromParameter(name="dataset")})
    parameters = (Parameter(name="dataset", default=""), Parameter(name="why", default=""))
    code = BlobId("b3:" + "0" * 64)
    platform.call(
        LOCAL,
        RegisterPipeline(name=NAME, entry="p:p", code=code, graph=Graph(nodes=(node,)), parameters=parameters),
    )


def trigger(platform: Platform, **fields: Any) -> Trigger:
    return platform.call(LOCAL, CreateTrigger(**{"name": "t", "pipeline": NAME, **fields}))


def alert(platform: Platform, number: int = 1, monitor: str = "m") -> list[str]:
    ask = NoteEvent(kind="alert", event=f"al-{number}", monitor=MonitorName(monitor), text="drift")
    return [fire.state for fire in platform.call(LOCAL, ask).fires]


def dataset(platform: Platform, version: int, name: str = "people") -> list[str]:
    ask = NoteEvent(kind="dataset", event=f"dv-{version}", dataset=DatasetName(name), dataset_version=version)
    return [fire.state for fire in platform.call(LOCAL, ask).fires]


def runs(platform: Platform) -> tuple[PipelineRun, ...]:
    return platform.call(LOCAL, ListRuns(pipeline=NAME)).items


def end(platform: Platform, run: PipelineRun) -> None:
    claim = platform.call(LOCAL, ClaimRun(run_id=run.id, worker="w"))
    platform.call(LOCAL, FinishRun(run_id=run.id, token=claim.token, state="succeeded"))


def test_an_alert_starts_a_run_once_however_often_it_is_told(platform: Platform) -> None:
    made = trigger(platform, on="alert", monitor="m", parameters={"why": "$alert"})
    assert alert(platform) == ["fired"]
    assert alert(platform) == []
    (run,) = runs(platform)
    assert (run.cause.kind, run.cause.trigger, run.cause.event) == ("alert", made.id, "al-1")
    assert (run.cause.text, run.parameters["why"]) == ("drift", "al-1")


def test_an_alert_of_another_monitor_starts_nothing(platform: Platform) -> None:
    trigger(platform, on="alert", monitor="m")
    assert alert(platform, monitor="other") == []
    assert runs(platform) == ()


def test_an_alert_while_the_run_goes_on_joins_it_and_the_next_after_its_end_starts_another(
    platform: Platform, clock: FixedClock
) -> None:
    trigger(platform, on="alert")
    assert [alert(platform, number) for number in (1, 2)] == [["fired"], ["joined"]]
    end(platform, runs(platform)[0])
    clock.advance(seconds=1)
    assert alert(platform, 3) == ["fired"]
    assert len(runs(platform)) == 2
    states = sorted(fire.state for fire in platform.call(LOCAL, ListFires()).items)
    assert states == ["fired", "fired", "joined"]


def test_a_trigger_that_waits_for_data_fires_with_the_version_that_came_after_the_alert(platform: Platform) -> None:
    platform.call(LOCAL, CreateDataset(name=DatasetName("people")))
    trigger(
        platform, on="alert", wait_for_dataset="people", parameters={"dataset": "$dataset_version", "why": "$alert"}
    )
    assert alert(platform, 1) == ["waiting"]
    assert alert(platform, 2) == ["joined"]
    assert runs(platform) == ()
    assert dataset(platform, 1, "other") == []
    assert dataset(platform, 1) == ["fired"]
    assert dataset(platform, 1) == []
    assert dataset(platform, 2) == []
    (run,) = runs(platform)
    assert (run.parameters, run.cause.event) == ({"dataset": 1, "why": "al-1"}, "al-1")


def test_a_version_that_came_between_the_alert_and_its_telling_counts_as_newer(
    platform: Platform, clock: FixedClock
) -> None:
    happened_at = clock.now()
    clock.advance(seconds=1)
    blob = platform.blobs.put([b"rows"])
    platform.call(LOCAL, CreateDataset(name=DatasetName("people")))
    file = DatasetFile(path="a", size_bytes=4, digest=blob)
    platform.call(LOCAL, CommitDatasetVersion(name=DatasetName("people"), files=(file,), rows=1))
    trigger(platform, on="alert", wait_for_dataset="people", parameters={"dataset": "$dataset_version"})
    platform.call(LOCAL, NoteEvent(kind="alert", event="al-1", happened_at=happened_at))
    assert [run.parameters["dataset"] for run in runs(platform)] == [1]


def test_a_new_dataset_version_starts_a_run_with_its_number(platform: Platform) -> None:
    trigger(platform, on="dataset", dataset="people", parameters={"dataset": "$dataset_version"})
    assert dataset(platform, 7) == ["fired"]
    assert runs(platform)[0].parameters["dataset"] == 7


def test_a_promotion_starts_a_run(platform: Platform) -> None:
    trigger(platform, on="promotion", model="income", parameters={"why": "$model_version"})
    ask = NoteEvent(kind="promotion", event="income@3#1", model=ModelName("income"), model_version=3)
    platform.call(LOCAL, ask)
    assert runs(platform)[0].parameters["why"] == 3


def test_the_calendar_fires_once_for_what_was_missed(platform: Platform, clock: FixedClock) -> None:
    trigger(platform, on="cron", cron="0 * * * *")
    assert platform.call(LOCAL, TickTriggers()).fires == ()
    clock.advance(seconds=5 * 3600)
    (fire,) = platform.call(LOCAL, TickTriggers()).fires
    assert fire.state == "fired"
    assert platform.call(LOCAL, TickTriggers()).fires == ()
    clock.advance(seconds=3600)
    (fire,) = platform.call(LOCAL, TickTriggers()).fires
    assert fire.state == "joined"


def test_a_trigger_that_is_off_fires_by_hand_only_and_a_key_fires_once(platform: Platform) -> None:
    made = trigger(platform, on="alert")
    platform.call(LOCAL, EnableTrigger(trigger_id="t", enabled=False))
    assert alert(platform) == []
    first = platform.call(LOCAL, FireTrigger(trigger_id=made.id, key="k", parameters={"why": "me"}))
    assert platform.call(LOCAL, FireTrigger(trigger_id=made.id, key="k")) == first
    assert [run.parameters["why"] for run in runs(platform)] == ["me"]


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"on": "cron"}, Invalid),
        ({"on": "cron", "cron": "61 * * * *"}, Invalid),
        ({"on": "cron", "cron": "0 0 * * *", "time_zone": "Nowhere/None"}, Invalid),
        ({"on": "alert", "cron": "0 0 * * *"}, Invalid),
        ({"on": "alert", "parameters": {"unknown": 1}}, Invalid),
        ({"on": "alert", "pipeline": "none"}, NotFound),
    ],
)
def test_a_trigger_that_could_not_work_is_refused(platform: Platform, fields: dict[str, Any], error: type) -> None:
    with pytest.raises(error):
        trigger(platform, **fields)


def test_names_of_triggers_are_unique(platform: Platform) -> None:
    trigger(platform, on="alert")
    with pytest.raises(AlreadyExists):
        trigger(platform, on="dataset")
    assert [one.name for one in platform.call(LOCAL, ListTriggers(pipeline=NAME)).items] == ["t"]
