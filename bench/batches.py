"""Metrics over HTTP: batches of a thousand, long histories exact and sampled, and the server's memory.

    python bench/batches.py [--seconds 3] [--mlflow /path/to/bin/mlflow]

With `--mlflow` the same requests go to `mlflow server` with its defaults, in the same run, and the ratio of CPU is
printed. Everything of Airside is taken with `synchronous=FULL`. CPU is user + system of the server's process tree.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from load import cpu_s, free_port, measured, request, started
from small_write import MLFLOW, airside, new_run

START_MS = 1_700_000_000_000
LONG, SHORT, SHORT_RUNS = 100_000, 10_000, 20


class Line(NamedTuple):
    """A figure: what, CPU in milliseconds, what else is worth telling, the target in words."""

    name: str
    cpu_ms: float
    said: str
    target: str


def pss_mb(pid: int) -> float:
    """The proportional memory of a process and those it started."""
    total = 0
    for process in (str(pid), *_below(pid)):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


def _below(pid: int) -> Iterator[str]:
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield child
            yield from _below(int(child))


def batch(run_id: str, keys: int, n: int) -> bytes:
    """The n-th batch of a thousand metrics of so many keys."""
    points = [
        {"key": f"m{k % keys}", "value": (n * 1000 + k) / 7, "timestamp": START_MS + n * 1000 + k, "step": n * 1000 + k}
        for k in range(1000)
    ]
    return json.dumps({"run_id": run_id, "metrics": points}).encode()


def batches(pid: int, port: int, seconds: float) -> Iterator[Line]:
    """Batches with one key and with a hundred, one client and eight."""
    targets = {1: "CPU <= 6 ms, >= 100,000 metrics/s", 100: "CPU <= 6 ms, >= 60,000 metrics/s"}
    for keys in (1, 100):
        for clients in (1, 8):
            runs = [new_run(port) for _ in range(clients)]

            def make(n: int, keys: int = keys, runs: list[str] = runs) -> bytes:
                body = batch(runs[n % len(runs)], keys, n // len(runs))
                return request(MLFLOW + "log-batch", body, port)

            row = measured(pid, port, clients, seconds, make)
            said = f"{row['per_s'] * 1000:,.0f} metrics/s, p50 {row['p50_ms']:.1f} p99 {row['p99_ms']:.1f} ms"
            said += f", {row['errors']:.0f} errors" if row["errors"] else ""
            yield Line(f"batch, {keys} keys, {clients} clients", row["cpu_ms"], said, targets[keys])


def fill(port: int) -> tuple[str, list[str]]:
    """A run with a long history, and twenty with shorter ones."""
    long, short = new_run(port), [new_run(port) for _ in range(SHORT_RUNS)]
    for run_id, points in [(long, LONG), *((run_id, SHORT) for run_id in short)]:
        for n in range(points // 1000):
            post(port, "log-batch", batch(run_id, 1, n))
    return long, short


def post(port: int, call: str, body: bytes) -> None:
    """Send one call and wait for its answer."""
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}{MLFLOW}{call}", data=body, headers={"Content-Type": "application/json"}
    )
    urllib.request.urlopen(asked, timeout=60).read()


def histories(pid: int, port: int) -> Iterator[Line]:
    """Exact in one answer and in pages; sampled."""
    long, short = fill(port)
    at = f"http://127.0.0.1:{port}/api/2.0/mlflow/metrics"
    one = f"{at}/get-history?run_id={long}&metric_key=m0"
    many = "&".join(f"run_ids={run_id}" for run_id in short)
    before = pss_mb(pid)
    yield clocked(pid, "exact, 100,000 in one answer", lambda: fetched(one), "CPU <= 200 ms")
    grown = pss_mb(pid) - before
    yield Line("  memory behind it", grown, "MB more than before", "<= 20 MB")
    yield clocked(pid, "exact, four pages of 25,000", lambda: paged(one), "CPU <= 200 ms")
    sampled = f"{at}/get-history-bulk-interval?metric_key=m0&max_results=320"
    yield clocked(pid, "1 x 100,000 to 320", lambda: fetched(f"{sampled}&run_ids={long}"), "CPU <= 6 ms")
    yield clocked(pid, "20 x 10,000 to 320", lambda: fetched(f"{sampled}&{many}"), "CPU <= 30 ms")


def fetched(url: str) -> bytes:
    """The body of an answer."""
    body: bytes = urllib.request.urlopen(url, timeout=120).read()
    return body


def paged(url: str) -> bytes:
    """A history by pages."""
    token, body = "", b""
    while True:
        body = fetched(f"{url}&max_results=25000" + (f"&page_token={token}" if token else ""))
        token = json.loads(body).get("next_page_token", "")
        if not token:
            return body


def clocked(pid: int, name: str, ask: Callable[[], bytes], target: str) -> Line:
    """The CPU of one answer: the mean of ten, after one that is not counted."""
    ask()
    before, began, size = cpu_s(pid), time.perf_counter(), 0
    for _ in range(10):
        size = len(ask())
    passed = (time.perf_counter() - began) * 100
    return Line(
        name, (cpu_s(pid) - before) * 100, f"{passed:.1f} ms as the client sees it, {size / 1024:.0f} KB", target
    )


@contextmanager
def airside_server(folder: Path) -> Iterator[tuple[int, int]]:
    """Our server: its process and its port."""
    port = free_port()
    process = started(airside(folder / "home", port), port, "/health")
    try:
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def mlflow_server(folder: Path, command: str) -> Iterator[tuple[int, int]]:
    """The peer's, with its defaults."""
    port = free_port()
    store = f"sqlite:///{folder}/mlflow.db"
    flags = ["--port", str(port), "--backend-store-uri", store, "--artifacts-destination", f"{folder}/artifacts"]
    with Path(folder, "mlflow.log").open("wb") as log:
        process = subprocess.Popen(
            [command, "server", *flags], stdout=log, stderr=log, start_new_session=True, cwd=folder
        )
    try:
        waited_for(f"http://127.0.0.1:{port}/health")
        yield process.pid, port
    finally:
        os.killpg(process.pid, 15)
        process.wait(30)


def waited_for(url: str) -> None:
    """Return when an address answers."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            fetched(url)
        except OSError:
            time.sleep(0.2)
        else:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--mlflow", default="", help="the peer's command")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with airside_server(folder) as (pid, port):
            ours = [*batches(pid, port, options.seconds), *histories(pid, port)]
            ours.append(Line("memory after all of it", pss_mb(pid), "MB", "< 200 MB"))
        theirs: dict[str, float] = {}
        if options.mlflow:
            with mlflow_server(folder, options.mlflow) as (pid, port):
                lines = [*batches(pid, port, options.seconds), *histories(pid, port)]
                theirs = {line.name: line.cpu_ms for line in lines}
                theirs["memory after all of it"] = pss_mb(pid)
    print(f"{'':34}{'CPU ms':>9}{'peer':>10}{'ratio':>8}  {'target':36}")
    for line in ours:
        peer = theirs.get(line.name)
        beside = f"{peer:10.1f}{peer / line.cpu_ms if line.cpu_ms > 0 else 0:7.0f}x" if peer is not None else " " * 18
        print(f"{line.name:34}{line.cpu_ms:9.2f}{beside}  {line.target:36}{line.said}")


if __name__ == "__main__":
    main()
