"""What a step costs: a chain of 100 trivial steps, cold and from the cache, and a fan-out of 200, on this machine.

    python bench/pipeline_overhead.py

`inline` and `pool` ask a platform in this process; `over HTTP` is the pool with a control plane in another process.
Beside them, in the same run, the limit: plain calls and a `ProcessPoolExecutor`. Medians of five runs, ms a
step: `inline` by the wall around the whole run, the others from the first body's start to the last body's end.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import airside
from airside.client.sdk.pipelines import register_pipeline, run_inline
from airside.client.transport import Client, connect
from airside.core.ids import PipelineName
from airside.pipelines.operations.runs import GetRun, StartRun
from airside.pipelines.operations.steps import ListSteps
from airside.pipelines.project import load_pipeline
from airside.pipelines.runner import Runner, RunnerOptions

STEPS, FAN_OUT, REPEATS = 100, 200, 5
PROJECT = f"""
from airside.pipelines.define import map_over, pipeline, step

@step
def add(x: int, salt: int):
    return x + 1

@step
def square(i: int, salt: int):
    return i * i

@step
def join(values):
    return sum(values)

@pipeline
def chain(salt: int = 0):
    x = 0
    for _ in range({STEPS}):
        x = add(x, salt)
    return x

@pipeline
def fan_out(salt: int = 0):
    return join(map_over(square, over={{"i": list(range({FAN_OUT}))}}, salt=salt))
"""


def plain(x: int) -> int:
    return x + 1


def median(act: Callable[[int], float | None], steps: int) -> float:
    """The median of an act's time: what it says itself, else the wall around it."""
    act(-1)
    seconds = []
    for number in range(REPEATS):
        began = time.perf_counter()
        said = act(number)
        seconds.append(time.perf_counter() - began if said is None else said)
    return statistics.median(seconds) / steps * 1000


def report(name: str, ms: float, beside: float) -> None:
    print(f"{name:<44}{ms:8.3f} ms/step   {ms / beside:6.1f} x ProcessPoolExecutor")


def pooled(client: Client, folder: Path, name: str) -> Callable[[int], float]:
    runner = Runner(client, folder, RunnerOptions(), token="", stop=threading.Event())

    def act(salt: int) -> float:
        run = client.call(StartRun(pipeline=PipelineName(name), parameters={"salt": salt + 1000}))
        runner.step()
        ended = client.call(GetRun(run_id=run.id))
        assert ended.state == "succeeded", ended.error
        steps = client.call(ListSteps(run_id=run.id)).items
        first = min(step.started_at for step in steps if step.started_at)
        return (max(step.ended_at for step in steps if step.ended_at) - first).total_seconds()

    return act


def main() -> None:
    print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, Python {sys.version.split()[0]}")
    with ProcessPoolExecutor(2) as pool:

        def beside_pool(_: int) -> None:
            x = 0
            for _ in range(STEPS):
                x = pool.submit(plain, x).result()

        limit = median(beside_pool, STEPS)
    report("ProcessPoolExecutor, chain of 100", limit, limit)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "project").mkdir()
        (place / "project" / "bench_project.py").write_text(PROJECT)
        entry = f"{place / 'project' / 'bench_project.py'}"
        with airside.open(place / "home") as client:
            for pipeline, steps in (("chain", STEPS), ("fan_out", FAN_OUT + 1)):
                function, _ = load_pipeline(f"{entry}:{pipeline}")
                register_pipeline(client, f"{entry}:{pipeline}")

                def inline(salt: int, function: Any = function) -> None:
                    run_inline(client, function, salt=salt)

                report(f"inline, {pipeline}", median(inline, steps), limit)
                report(f"inline, {pipeline}, from the cache", median(lambda _: inline(1), steps), limit)
                register_pipeline(client, f"{entry}:{pipeline}")
                act = pooled(client, place / "runner", pipeline)
                report(f"pool, {pipeline}", median(act, steps), limit)
        over_http(place, entry, limit)


def over_http(place: Path, entry: str, limit: float) -> None:
    command = [sys.executable, "-m", "airside", "server", "--home", str(place / "served"), "--port", "0"]
    server = subprocess.Popen([*command, "--no-runner", "--no-serving"], stdout=subprocess.PIPE, text=True)
    try:
        line = server.stdout.readline() if server.stdout else ""
        url = next(word for word in line.split() if word.startswith("http://")).rstrip(".,")
        with connect(url) as client:
            register_pipeline(client, f"{entry}:chain")
            act = pooled(client, place / "runner", "chain")
            report("pool over HTTP, chain", median(act, STEPS), limit)
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
