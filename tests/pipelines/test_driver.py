"""Whole runs: what runs, what is taken from the cache, what is tried again, what is left when something goes wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from airside.client.sdk.pipelines import run_inline, start_run
from airside.client.transport import Client
from airside.core.errors import Conflict
from airside.core.ids import PipelineRunId
from airside.pipelines.define import current, map_over, pipeline, step
from airside.pipelines.executors.port import Ended, receipt_path
from airside.pipelines.lock import host_of
from airside.pipelines.operations.runs import ClaimRun, GetRun
from airside.pipelines.operations.steps import DecideStep, GetStepLog, ListSteps
from airside.pipelines.records import PipelineRun, StepRun
from airside.pipelines.runner import Runner
from airside.pipelines.values import json_value

Project = Callable[..., None]
MakeRunner = Callable[..., Runner]

PIPELINE = """
import helper
from airside.pipelines.define import current, map_over, pipeline, step

@step
def load(rows: int):
    print("loading", rows)
    return list(range(rows))

@step(outputs=("total", "count"))
def summarise(numbers):
    return {"total": sum(numbers), "count": len(numbers)}

@step
def power(base: int, exponent: int):
    return helper.power(base, exponent)

@step
def join(powers, total):
    return {"powers": powers, "total": total, "run": current().step}

@pipeline
def main(rows: int = 4, exponent: int = 2):
    numbers = load(rows)
    total, count = summarise(numbers)
    powers = map_over(power, over={"base": numbers}, exponent=exponent)
    return join(powers, total)
"""
HELPER = "def power(base, exponent): return base ** exponent\n"


def run_of(client: Client, runner: Runner, **parameters: Any) -> tuple[PipelineRun, dict[str, StepRun]]:
    run = start_run(client, "main", parameters=parameters)
    assert runner.step()
    return after(client, run.id)


def after(client: Client, run_id: PipelineRunId) -> tuple[PipelineRun, dict[str, StepRun]]:
    steps = client.call(ListSteps(run_id=run_id)).items
    return client.call(GetRun(run_id=run_id)), {step.step: step for step in steps}


def ran(steps: dict[str, StepRun]) -> set[str]:
    return {name for name, step in steps.items() if not step.cached}


@pytest.mark.parametrize("executor", ["inline", "pool", "process"])
def test_a_run_unfolds_its_fan_out_and_returns_its_result(
    client: Client, runner: MakeRunner, project: Project, executor: str
) -> None:
    project(pipeline=PIPELINE, helper=HELPER)
    run, steps = run_of(client, runner(executor=executor, size=2))
    assert (run.state, run.error) == ("succeeded", "")
    assert run.result == {"powers": [0, 1, 4, 9], "total": 6, "run": "join"}
    assert set(steps) == {"load", "summarise", "join", *(f"power[{i}]" for i in range(4))}
    assert (run.steps_done, run.steps_total) == (7, 7)


def test_the_same_again_runs_nothing_and_a_longer_list_runs_only_what_is_new(
    client: Client, runner: MakeRunner, project: Project
) -> None:
    project(pipeline=PIPELINE, helper=HELPER)
    run_of(client, runner())
    run, steps = run_of(client, runner())
    assert (run.result["powers"], ran(steps)) == ([0, 1, 4, 9], set())
    _, steps = run_of(client, runner(), rows=5)
    assert ran(steps) == {"load", "summarise", "power[4]", "join"}


def test_an_edit_of_a_helper_runs_what_reaches_it_and_what_its_output_changes(
    client: Client, runner: MakeRunner, project: Project
) -> None:
    project(pipeline=PIPELINE, helper=HELPER)
    run_of(client, runner())
    project(pipeline=PIPELINE, helper="def power(base, exponent): return base ** exponent + 1\n")
    run, steps = run_of(client, runner())
    assert run.result["powers"] == [1, 2, 5, 10]
    assert ran(steps) == {"power[0]", "power[1]", "power[2]", "power[3]", "join"}


def test_what_a_step_prints_is_its_log(client: Client, runner: MakeRunner, project: Project) -> None:
    project(pipeline=PIPELINE, helper=HELPER)
    run, _ = run_of(client, runner())
    assert client.call(GetStepLog(run_id=run.id, step="load")).text == "loading 4\n"


FAILING = """
from airside.pipelines.define import pipeline, step

@step
def bad(x: int = 1):
    print("about to fail")
    raise ValueError("no " + "luck")

@step
def behind(x):
    return x

@step
def beside():
    return 1

@pipeline
def main():
    beside()
    return behind(bad())
"""


def test_a_failing_step_fails_the_run_skips_what_needs_it_and_leaves_the_rest(
    client: Client, runner: MakeRunner, project: Project
) -> None:
    project(pipeline=FAILING)
    run, steps = run_of(client, runner())
    assert (run.state, run.error) == ("failed", "bad: ValueError: no luck")
    assert {name: step.state for name, step in steps.items()} == {
        "bad": "failed",
        "behind": "skipped",
        "beside": "succeeded",
    }
    log = client.call(GetStepLog(run_id=run.id, step="bad")).text
    assert "about to fail" in log
    assert "raise ValueError" in log


RETRIED = """
import os, pathlib, time
from airside.pipelines.define import pipeline, scratch_folder, step

@step(retries=2, retry_delay_s=0.01, timeout_s=TIMEOUT)
def fragile():
    place = scratch_folder() / "tries"
    tries = int(place.read_text()) if place.exists() else 0
    place.write_text(str(tries + 1))
    if tries < 2:
        FAULT
    return tries

@pipeline
def main():
    return fragile()
"""


@pytest.mark.parametrize(
    ("fault", "infrastructure", "error"),
    [
        ("raise OSError('flaky')", False, "OSError: flaky"),
        ("time.sleep(60)", False, "The body took longer than its time-out and was killed."),
        ("os._exit(3)", True, "The worker process died (exit status 3)."),
        ("os.kill(os.getpid(), 9)", True, "The worker process died (signal SIGKILL; out of memory?)."),
    ],
)
def test_a_fragile_step_is_tried_again_and_each_attempt_says_why(
    client: Client, runner: MakeRunner, project: Project, fault: str, infrastructure: bool, error: str
) -> None:
    limit = "0.6" if "sleep" in fault else "None"
    project(pipeline=RETRIED.replace("FAULT", fault).replace("TIMEOUT", limit))
    run, steps = run_of(client, runner())
    attempts = client.call(ListSteps(run_id=run.id, latest=False)).items
    assert (run.state, run.result, steps["fragile"].attempt) == ("succeeded", 2, 3)
    assert [(one.state, one.infrastructure, one.error) for one in attempts[:2]] == [
        ("failed", infrastructure, error)
    ] * 2


RECEIVED = """
import os, pathlib
from airside.pipelines.define import pipeline, step

@step(cache=False)
def once():
    with pathlib.Path(SIDE).open("a") as file:
        file.write("ran ")
    return 1

@pipeline
def main():
    return once()
"""


def test_a_receipt_that_a_dead_driver_left_counts_and_its_step_does_not_run_again(
    client: Client, runner: MakeRunner, project: Project, tmp_path: Path
) -> None:
    side, folder = tmp_path / "side", tmp_path / "runner"
    project(pipeline=RECEIVED.replace("SIDE", repr(str(side))))
    _, steps = run_of(client, runner())
    dead = start_run(client, "main")
    client.call(ClaimRun(run_id=dead.id, worker="dead", host=host_of(folder)))
    left = msgspec.structs.replace(steps["once"], run=dead.id, outputs={"result": json_value(99)})
    place = receipt_path(folder / dead.id / "receipts", left)
    place.parent.mkdir(parents=True)
    place.write_bytes(msgspec.json.encode(Ended(step=left)))
    (place.parent / "cut@1.json").write_bytes(b'{"step":')
    assert runner().step()
    run, steps = after(client, dead.id)
    assert (run.state, run.result, run.attempt, steps["once"].attempt) == ("succeeded", 99, 2, 1)
    assert side.read_text() == "ran "


def test_an_error_that_no_database_can_hold_is_told_all_the_same(
    client: Client, runner: MakeRunner, project: Project
) -> None:
    project(pipeline=FAILING.replace('"no " + "luck"', r'"no\0luck\udc80"'))
    run, _ = run_of(client, runner())
    assert (run.state, run.error) == ("failed", "bad: ValueError: no\ufffdluck?")


def test_a_project_that_cannot_be_imported_fails_the_run_and_says_why(
    client: Client, runner: MakeRunner, project: Project
) -> None:
    project(pipeline="import os\nif 'AIRSIDE_PIPELINE_RUN' in os.environ: import nowhere\n" + FAILING)
    run, _ = run_of(client, runner())
    assert run.state == "failed"
    assert "No module named 'nowhere'" in run.error


RICH = """
import pyarrow as pa
from airside.pipelines.define import map_over, pipeline, step

class Model:
    def __init__(self, n): self.n = n
    def predict(self): return self.n * FACTOR
FACTOR = 10

@step
def table():
    return pa.table({"x": list(range(100_000))})

@step
def split(table):
    return [table.slice(0, 10), table.slice(10, 20)]

@step
def fit(part):
    return Model(part.num_rows)

@step
def predict(models):
    return [model.predict() for model in models]

@pipeline
def main():
    return predict(map_over(fit, over={"part": split(table())}))
"""


def test_tables_objects_and_lists_of_them_pass_between_steps_by_content(
    client: Client, runner: MakeRunner, project: Project
) -> None:
    project(pipeline=RICH)
    run, steps = run_of(client, runner())
    kinds = {name: step.outputs["result"].kind for name, step in steps.items()}
    assert (run.state, run.error, run.result) == ("succeeded", "", [100, 200])
    assert kinds == {"table": "arrow", "split": "list", "fit[0]": "pickle", "fit[1]": "pickle", "predict": "json"}
    assert steps["table"].outputs["result"].summary == "table 100,000 x 1"


def test_the_code_of_an_object_is_part_of_what_it_is(client: Client, runner: MakeRunner, project: Project) -> None:
    project(pipeline=RICH)
    run_of(client, runner())
    project(pipeline=RICH.replace("FACTOR = 10", "FACTOR = 11"))
    run, _ = run_of(client, runner())
    assert run.result == [110, 220]


APPROVED = """
from airside.pipelines.define import approval, pipeline, step

@step
def train():
    return 7

@step
def release(model, decision):
    return [model, decision["approved"], decision["text"]]

@pipeline
def main():
    model = train()
    return release(model, approval("look-at-it", model))
"""


@pytest.mark.parametrize("approved", [True, False])
def test_an_approval_waits_without_a_process_and_the_run_goes_on_under_its_id(
    client: Client, runner: MakeRunner, project: Project, approved: bool
) -> None:
    project(pipeline=APPROVED)
    waiting, steps = run_of(client, runner())
    assert (waiting.state, steps["look-at-it"].state, steps["train"].state) == ("waiting", "waiting", "succeeded")
    assert not runner().step()
    client.call(DecideStep(run_id=waiting.id, step="look-at-it", approved=approved, text="fine"))
    assert runner().step()
    run, steps = after(client, waiting.id)
    if approved:
        assert (run.state, run.result) == ("succeeded", [7, True, "fine"])
    else:
        assert (run.state, run.error) == ("failed", "look-at-it: Refused by local. fine")
    assert (steps["train"].attempt, steps["look-at-it"].attempt) == (1, 1)
    with pytest.raises(Conflict):
        client.call(DecideStep(run_id=waiting.id, step="look-at-it", approved=approved))


def test_a_pipeline_runs_in_this_process_with_functions_that_are_in_no_file(client: Client) -> None:
    seen: list[str] = []

    @step(cache=False)
    def note(x: int) -> str:
        seen.append(current().step)
        return "abc"[x]

    @pipeline
    def main(xs: list[int] = [0, 1, 2]) -> Any:  # noqa: B006 -- a pipeline's parameters are never changed
        return map_over(note, over={"x": xs})

    run = run_inline(client, main, xs=[2, 0])
    assert (run.state, run.result, seen) == ("succeeded", ["c", "a"], ["note[0]", "note[1]"])


def test_a_fan_out_over_what_is_no_list_fails_the_run_with_its_reason(
    client: Client, runner: MakeRunner, project: Project
) -> None:
    project(
        pipeline=PIPELINE.replace("return list(range(rows))", "return rows")
        .replace("sum(numbers)", "1")
        .replace("len(numbers)", "1"),
        helper=HELPER,
    )
    run, steps = run_of(client, runner())
    assert run.error == "power: A fan-out needs a list; it was given json: 4."
    assert (steps["power"].state, steps["join"].state) == ("failed", "skipped")
