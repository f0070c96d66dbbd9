"""Runs, claims, fences, attempts and the cache, on each database."""

from typing import Any

import msgspec
import pytest

from airside.core.clock import FixedClock
from airside.core.errors import Conflict, Invalid, NotFound
from airside.core.ids import BlobId, PipelineName, PipelineRunId
from airside.core.operation import LOCAL
from airside.pipelines.operations.pipelines import GetPipeline, ListPipelines, RegisterPipeline
from airside.pipelines.operations.runs import (
    CancelRun,
    Claimed,
    ClaimRun,
    FinishRun,
    GetOffers,
    GetRun,
    ListRuns,
    Offers,
    RenewLease,
    StartRun,
)
from airside.pipelines.operations.steps import (
    Attempt,
    CommitSteps,
    ExplainStep,
    GetStepLog,
    ListSteps,
    LookUpSteps,
)
from airside.pipelines.records import (
    Constant,
    FromParameter,
    FromStep,
    Graph,
    Node,
    Parameter,
    PipelineRun,
    StepRun,
)
from airside.pipelines.values import json_value
from airside.platform.wiring import Platform
from airside.tracking.operations.runs import GetRun as GetTrackedRun

NAME = PipelineName("training")
CODE = BlobId("b3:" + "0" * 64)
GRAPH = Graph(
    nodes=(
        Node(name="load", function="steps:load", bindings={"dataset": FromParameter(name="dataset")}),
        Node(
            name="train", function="steps:train", bindings={"rows": FromStep(node="load"), "depth": Constant(value=3)}
        ),
    )
)
PARAMETERS = (Parameter(name="dataset", type="str", default="people"), Parameter(name="depth", type="int", default=3))


def register(platform: Platform, **changes: Any) -> None:
    ask = RegisterPipeline(name=NAME, entry="steps:training", code=CODE, graph=GRAPH, parameters=PARAMETERS)
    platform.call(LOCAL, msgspec.structs.replace(ask, **changes))


def started(platform: Platform) -> PipelineRun:
    register(platform)
    return platform.call(LOCAL, StartRun(pipeline=NAME))


def claimed(platform: Platform, run_id: PipelineRunId, **options: Any) -> Claimed:
    return platform.call(LOCAL, ClaimRun(run_id=run_id, worker="w", **options))


def attempt(run: PipelineRunId, step: str = "load", **changes: Any) -> Attempt:
    made = StepRun(run=run, step=step, node=step, state="running")
    log, keep, parts = changes.pop("log", ""), changes.pop("keep", False), changes.pop("parts", {})
    return Attempt(step=msgspec.structs.replace(made, **changes), log=log, keep=keep, parts=parts)


def commit(platform: Platform, claim: Claimed, *attempts: Attempt) -> None:
    platform.call(LOCAL, CommitSteps(run_id=claim.run.id, token=claim.token, attempts=attempts))


def states(platform: Platform, run_id: PipelineRunId) -> dict[str, str]:
    return {step.step: step.state for step in platform.call(LOCAL, ListSteps(run_id=run_id)).items}


def test_a_pipeline_gets_a_new_version_only_if_it_changed(platform: Platform) -> None:
    register(platform)
    register(platform)
    assert platform.call(LOCAL, GetPipeline(name=NAME)).version == 1
    register(platform, code=BlobId("b3:" + "1" * 64))
    assert platform.call(LOCAL, GetPipeline(name=NAME)).version == 2
    assert platform.call(LOCAL, GetPipeline(name=NAME, version=1)).code == CODE


@pytest.mark.parametrize(
    "nodes",
    [
        (Node(name="a", function="s:a", after=("b",)), Node(name="b", function="s:b")),
        (Node(name="a", function="s:a"), Node(name="a", function="s:a")),
        (Node(name="a", function="s:a", bindings={"x": FromParameter(name="none")}),),
        (
            Node(name="a", function="s:a"),
            Node(name="b", function="s:b", bindings={"x": FromStep(node="a", output="q")}),
        ),
        (Node(name="a", function="s:a", mapped=("x",)),),
        (Node(name="a b", function="s:a"),),
    ],
)
def test_a_graph_that_does_not_hang_together_is_refused(platform: Platform, nodes: tuple[Node, ...]) -> None:
    with pytest.raises(Invalid):
        register(platform, graph=Graph(nodes=nodes))


def test_a_run_is_queued_with_its_defaults_and_tracked_in_the_pipelines_experiment(platform: Platform) -> None:
    run = started(platform)
    tracked = platform.call(LOCAL, GetTrackedRun(run_id=run.tracking_run))
    assert (run.state, run.parameters) == ("queued", {"dataset": "people", "depth": 3})
    assert {"airside.pipelineRun": run.id, "airside.pipeline": "training@1"}.items() <= {
        tag.key: tag.value for tag in tracked.tags
    }.items()
    assert {param.key: param.value for param in tracked.params} == {"dataset": "people", "depth": "3"}


@pytest.mark.parametrize("parameters", [{"unknown": 1}, {"dataset": 1}, {"depth": True}, {"depth": 1.5}])
def test_parameters_that_do_not_fit_are_refused(platform: Platform, parameters: dict[str, Any]) -> None:
    register(platform)
    with pytest.raises(Invalid):
        platform.call(LOCAL, StartRun(pipeline=NAME, parameters=parameters))


def test_a_claimed_run_is_its_drivers_until_the_lease_runs_out(platform: Platform, clock: FixedClock) -> None:
    run = started(platform)
    first = claimed(platform, run.id, lease_s=30)
    with pytest.raises(Conflict):
        claimed(platform, run.id)
    platform.call(LOCAL, RenewLease(run_id=run.id, token=first.token, lease_s=60))
    clock.advance(seconds=45)
    assert platform.call(LOCAL, GetOffers()) == Offers()
    clock.advance(seconds=20)
    assert platform.call(LOCAL, GetOffers()).abandoned == (run.id,)
    assert claimed(platform, run.id).token == first.token + 1


def test_who_holds_the_lock_on_the_same_host_takes_over_at_once(platform: Platform) -> None:
    run = started(platform)
    claimed(platform, run.id, host="here")
    assert platform.call(LOCAL, GetOffers(host="here")).here == (run.id,)
    with pytest.raises(Conflict):
        claimed(platform, run.id, host="elsewhere", holds_lock=True)
    assert claimed(platform, run.id, host="here", holds_lock=True).run.attempt == 2


def test_a_fenced_off_driver_can_commit_nothing(platform: Platform) -> None:
    run = started(platform)
    old = claimed(platform, run.id, host="here")
    new = claimed(platform, run.id, host="here", holds_lock=True)
    with pytest.raises(Conflict):
        commit(platform, old, attempt(run.id))
    with pytest.raises(Conflict):
        platform.call(LOCAL, FinishRun(run_id=run.id, token=old.token, state="succeeded"))
    commit(platform, new, attempt(run.id))
    assert states(platform, run.id) == {"load": "running"}


def test_a_takeover_interrupts_what_ran_and_hands_over_what_had_finished(platform: Platform) -> None:
    run = started(platform)
    old = claimed(platform, run.id, host="here")
    commit(platform, old, attempt(run.id, state="succeeded", key="k"), attempt(run.id, "train"))
    new = claimed(platform, run.id, host="here", holds_lock=True)
    assert [step.step for step in new.finished] == ["load"]
    assert new.attempts == {"load": 1, "train": 1}
    assert states(platform, run.id) == {"load": "succeeded", "train": "interrupted"}


def test_a_receipt_may_end_an_interrupted_attempt_and_nothing_changes_an_ended_one(platform: Platform) -> None:
    run = started(platform)
    commit(platform, claimed(platform, run.id, host="here"), attempt(run.id))
    new = claimed(platform, run.id, host="here", holds_lock=True)
    commit(platform, new, attempt(run.id, state="succeeded", outputs={"result": json_value(1)}))
    commit(platform, new, attempt(run.id, state="failed", error="late"))
    step = platform.call(LOCAL, ListSteps(run_id=run.id)).items[0]
    assert (step.state, step.error, step.outputs["result"].json) == ("succeeded", "", 1)


def test_an_ended_run_leaves_no_step_running_and_ends_its_tracked_run(platform: Platform) -> None:
    run = started(platform)
    claim = claimed(platform, run.id)
    commit(platform, claim, attempt(run.id), attempt(run.id, "train", state="failed", error="no"))
    ended = platform.call(LOCAL, FinishRun(run_id=run.id, token=claim.token, state="failed", error="train: no"))
    assert (ended.state, ended.error) == ("failed", "train: no")
    assert states(platform, run.id) == {"load": "interrupted", "train": "failed"}
    assert platform.call(LOCAL, GetTrackedRun(run_id=run.tracking_run)).info.status == "FAILED"


def test_a_cancelled_run_fences_its_driver_off(platform: Platform) -> None:
    run = started(platform)
    claim = claimed(platform, run.id)
    assert platform.call(LOCAL, CancelRun(run_id=run.id)).state == "cancelled"
    with pytest.raises(Conflict):
        platform.call(LOCAL, RenewLease(run_id=run.id, token=claim.token))
    with pytest.raises(Conflict):
        platform.call(LOCAL, CancelRun(run_id=run.id))


def test_outputs_are_found_again_by_key_if_they_were_to_be_kept(platform: Platform) -> None:
    run = started(platform)
    outputs = {"result": json_value([1, 2])}
    claim = claimed(platform, run.id)
    commit(platform, claim, attempt(run.id, state="succeeded", key="k1", outputs=outputs, keep=True))
    commit(platform, claim, attempt(run.id, "train", state="succeeded", key="k2", outputs=outputs))
    found = platform.call(LOCAL, LookUpSteps(keys=("k1", "k2", "k3"))).items
    assert [(kept.key, kept.run, kept.outputs) for kept in found] == [("k1", run.id, outputs)]


def test_explain_names_the_parts_that_changed(platform: Platform, clock: FixedClock) -> None:
    runs = []
    for depth in ("1", "2"):
        run = started(platform)
        claim = claimed(platform, run.id)
        parts = {"code:steps.load": "x", "argument:depth": depth}
        commit(platform, claim, attempt(run.id, state="succeeded", key=depth, parts=parts, log="said\n"))
        runs.append(run)
        clock.advance(seconds=1)
    explained = platform.call(LOCAL, ExplainStep(run_id=runs[1].id, step="load"))
    assert (explained.run, explained.changed) == (runs[0].id, ("argument:depth",))
    assert platform.call(LOCAL, GetStepLog(run_id=runs[1].id, step="load")).text == "said\n"


def test_runs_are_listed_newest_first_and_cut_by_state_and_page(platform: Platform, clock: FixedClock) -> None:
    made = []
    for _ in range(3):
        made.append(started(platform).id)
        clock.advance(seconds=1)
    page = platform.call(LOCAL, ListRuns(pipeline=NAME, max_results=2))
    rest = platform.call(LOCAL, ListRuns(pipeline=NAME, max_results=2, page_token=page.next_page_token))
    assert [run.id for run in (*page.items, *rest.items)] == made[::-1]
    assert platform.call(LOCAL, ListRuns(states=("failed",))).items == ()
    summary = platform.call(LOCAL, ListPipelines()).items[0]
    assert (summary.runs, summary.last_run, summary.last_state) == (3, made[-1], "queued")


def test_what_is_not_there_is_not_found(platform: Platform) -> None:
    register(platform)
    run = platform.call(LOCAL, StartRun(pipeline=NAME))
    for ask in (
        GetPipeline(name=PipelineName("none")),
        StartRun(pipeline=NAME, version=9),
        GetRun(run_id=PipelineRunId("pr-none")),
        ListSteps(run_id=PipelineRunId("pr-none")),
        GetStepLog(run_id=run.id, step="load"),
    ):
        with pytest.raises(NotFound):
            platform.call(LOCAL, ask)
