"""SIGKILL at random moments, with real processes over HTTP: nothing lost, nothing twice, nobody left, nothing stuck."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.conftest import RunningServer

from airside.client.sdk.pipelines import register_pipeline, start_run, wait
from airside.client.transport import Client, connect
from airside.core.ids import PipelineRunId
from airside.pipelines.executors.pool import RUN_VARIABLE
from airside.pipelines.lock import processes_with
from airside.pipelines.operations.runs import CancelRun, GetRun
from airside.pipelines.operations.steps import ListSteps

STEPS = 8
PIPELINE = """
import os, pathlib, subprocess, sys, time
from airside.pipelines.define import current, pipeline, step

LOG = pathlib.Path({log!r})

def say(what):
    with LOG.open("a") as file:
        file.write(f"{{what}} {{os.getpid()}}\\n")

@step(cache=False)
def work(x, number: int):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    say(f"begin {{number}}")
    time.sleep({pause})
    say(f"end {{number}}")
    child.kill()
    child.wait()
    return x + 1

@pipeline
def main():
    x = 0
    for number in range({steps}):
        x = work(x, number)
    return x
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    """A server without a runner of its own: the tests start and kill theirs."""
    running = RunningServer(tmp_path / "home", "--no-runner", "--no-serving")
    yield running
    running.stop()


@pytest.fixture
def client(server: RunningServer) -> Iterator[Client]:
    with connect(server.url) as opened:
        yield opened


@pytest.fixture
def side_log(tmp_path: Path, client: Client, monkeypatch: pytest.MonkeyPatch) -> Path:
    root, log = tmp_path / "project", tmp_path / "side.log"
    root.mkdir()
    (root / "killed_pipeline.py").write_text(PIPELINE.format(log=str(log), pause=0.25, steps=STEPS))
    monkeypatch.syspath_prepend(str(root))
    sys.modules.pop("killed_pipeline", None)
    register_pipeline(client, f"{root / 'killed_pipeline.py'}:main")
    return log


@pytest.fixture
def worker(server: RunningServer, tmp_path: Path) -> Iterator[Callable[[], "subprocess.Popen[bytes]"]]:
    started: list[subprocess.Popen[bytes]] = []

    def start() -> "subprocess.Popen[bytes]":
        program = (
            "import sys, pathlib; from airside.pipelines.runner import main;"
            "main(sys.argv[1], home=pathlib.Path(sys.argv[2]))"
        )
        process = subprocess.Popen([sys.executable, "-c", program, server.url, str(tmp_path / "workers")])
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def lines(log: Path) -> list[list[str]]:
    return [line.split() for line in log.read_text().splitlines()] if log.exists() else []


def wait_for_line(log: Path, count: int) -> None:
    until = time.monotonic() + 40
    while len(lines(log)) < count and time.monotonic() < until:
        time.sleep(0.02)  # another process's file: nothing to wait on


def alive(process: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def gone(run_id: PipelineRunId) -> bool:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if not any(alive(process) for process in processes_with(RUN_VARIABLE, run_id)):
            return True
        time.sleep(0.02)
    return False


def proven(client: Client, run_id: PipelineRunId, log: Path, kills: int) -> None:
    run = client.call(GetRun(run_id=run_id))
    assert (run.state, run.error, run.result) == ("succeeded", "", STEPS)
    steps = client.call(ListSteps(run_id=run_id, latest=False)).items
    assert Counter(step.step for step in steps if step.state == "succeeded") == dict.fromkeys(
        {step.step for step in steps}, 1
    )
    assert {step.state for step in steps} <= {"succeeded", "interrupted", "failed"}
    said = Counter((what, number) for what, number, _ in lines(log))
    ends = {int(number): count for (what, number), count in said.items() if what == "end"}
    again = sum(count - 1 for (what, _), count in said.items() if what == "begin")
    assert set(ends) == set(range(STEPS))
    assert again <= kills, said
    assert gone(run_id)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_drivers_killed_at_random_moments_lose_at_most_the_running_step(
    client: Client, worker: Callable[[], "subprocess.Popen[bytes]"], side_log: Path, seed: int
) -> None:
    moments = random.Random(seed)
    run_id = start_run(client, "main").id
    kills = 3
    for number in range(kills):
        driver = worker()
        wait_for_line(side_log, 4 * number + 1)
        time.sleep(moments.random() * 0.4)
        driver.kill()
        driver.wait()
        assert gone_bodies(side_log)
    worker()
    wait(client, run_id, timeout_s=60)
    proven(client, run_id, side_log, kills)


def gone_bodies(log: Path) -> bool:
    """Whether no worker process of a killed driver lives."""
    bodies = {int(process) for _, _, process in lines(log)}
    until = time.monotonic() + 2
    while time.monotonic() < until:
        if not any(alive(process) for process in bodies):
            return True
        time.sleep(0.01)
    return False


def test_a_killed_worker_process_costs_its_attempt_only(
    client: Client, worker: Callable[[], "subprocess.Popen[bytes]"], side_log: Path
) -> None:
    run_id = start_run(client, "main").id
    worker()
    wait_for_line(side_log, 3)
    os.kill(int(lines(side_log)[-1][2]), signal.SIGKILL)
    wait(client, run_id, timeout_s=60)
    proven(client, run_id, side_log, kills=1)
    lost = [step for step in client.call(ListSteps(run_id=run_id, latest=False)).items if step.state == "failed"]
    assert [step.infrastructure for step in lost] == [True]


def test_a_second_runner_beside_a_live_run_runs_nothing_of_it(
    client: Client, worker: Callable[[], "subprocess.Popen[bytes]"], side_log: Path
) -> None:
    run_id = start_run(client, "main").id
    worker()
    worker()
    wait(client, run_id, timeout_s=60)
    proven(client, run_id, side_log, kills=0)
    assert client.call(GetRun(run_id=run_id)).attempt == 1


def test_a_cancelled_run_ends_its_bodies(
    client: Client, worker: Callable[[], "subprocess.Popen[bytes]"], side_log: Path
) -> None:
    run_id = start_run(client, "main").id
    worker()
    wait_for_line(side_log, 2)
    client.call(CancelRun(run_id=run_id))
    assert gone(run_id)
    assert client.call(GetRun(run_id=run_id)).state == "cancelled"
    assert {step.state for step in client.call(ListSteps(run_id=run_id)).items} <= {"succeeded", "cancelled"}


def test_a_runner_told_to_stop_gives_its_run_back(
    client: Client, worker: Callable[[], "subprocess.Popen[bytes]"], side_log: Path
) -> None:
    run_id = start_run(client, "main").id
    driver = worker()
    wait_for_line(side_log, 2)
    driver.terminate()
    assert driver.wait(timeout=10) == 0
    assert client.call(GetRun(run_id=run_id)).state == "interrupted"
    worker()
    wait(client, run_id, timeout_s=60)
    proven(client, run_id, side_log, kills=1)
