"""What logging costs: the import, a `run.log` in the caller's thread, a run from end to end; and the official client.

    python bench/client.py [--official]

Ours logs to a real server in a process of its own. With `--official` the unmodified `mlflow` client makes runs with 50
`log_metric` each, against `airside server` and against a server that answers at once, in turns. Medians; CPU seconds
beside wall time, because they stand on a busy machine too.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from load import free_port

REPEATS = 5
COMPILED = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
CALLS = 20_000
IMPORTS = ("pass", "import airside", "import airside; airside.Client", "import airside; airside.start_run")
OFFICIAL = """
import sys, time
import mlflow
mlflow.set_tracking_uri(sys.argv[1])
for number in range(int(sys.argv[2]) + 1):
    began = time.perf_counter()
    with mlflow.start_run(experiment_id="0"):
        for step in range(50):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
    if number:
        print(time.perf_counter() - began, flush=True)
"""
CHILD = "import resource, time\nbegan = time.perf_counter()\n{}\nused = resource.getrusage(resource.RUSAGE_SELF)\n"
TELL = "print(time.perf_counter() - began, used.ru_utime + used.ru_stime)"


AT_ONCE = """
import asyncio, json, socket, sys

info = {"run_id": "a" * 32, "run_uuid": "a" * 32, "experiment_id": "0", "run_name": "n", "status": "RUNNING",
        "start_time": 1, "artifact_uri": "mlflow-artifacts:/0/a/artifacts", "lifecycle_stage": "active"}
experiment = {"experiment_id": "0", "name": "Default", "lifecycle_stage": "active"}
body = json.dumps({"run": {"info": info, "data": {}}, "run_info": info, "experiment": experiment}).encode()
answer = b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body

class AtOnce(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.held = transport, b""
        self.socket = transport.get_extra_info("socket")
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    def data_received(self, data):
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        self.held += data
        head, split, rest = self.held.partition(b"\\r\\n\\r\\n")
        found = head.lower().partition(b"content-length:")[2].split(b"\\r\\n", 1)[0]
        if split and len(rest) >= int(found or 0):
            self.held = b""
            self.transport.write(answer)

async def main():
    server = await asyncio.get_running_loop().create_server(AtOnce, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()

asyncio.run(main())
"""
"""Answers every request of MLflow's client at once, and keeps nothing."""


class Airside:
    """A server of ours on a fresh home."""

    def __enter__(self) -> str:
        self.folder = tempfile.TemporaryDirectory(prefix="airside-bench-")
        port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "airside", "server", "--home", self.folder.name, "--port", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/health")
        return url

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.folder.cleanup()


def _wait_for(url: str) -> None:
    while True:
        try:
            urllib.request.urlopen(url, timeout=1).read()
        except OSError:
            time.sleep(0.02)
        else:
            return


def imports() -> None:
    """Wall and CPU seconds of fresh interpreters, above an empty one."""
    took: dict[str, list[tuple[float, float]]] = {code: [] for code in IMPORTS}
    for round_ in range(REPEATS + 1):
        for code in IMPORTS:
            done = subprocess.run(
                [sys.executable, "-c", CHILD.format(code) + TELL],
                env=COMPILED,
                capture_output=True,
                text=True,
                check=True,
            )
            wall, cpu = map(float, done.stdout.split())
            if round_:  # the first writes byte code
                took[code].append((wall, cpu))
    bare = statistics.median(cpu for _, cpu in took["pass"])
    for code in IMPORTS[1:]:
        wall = statistics.median(wall for wall, _ in took[code])
        cpu = statistics.median(cpu for _, cpu in took[code]) - bare
        print(f"{code:36} {wall:6.3f} s, CPU {cpu:6.3f} s (target 0.15)")


def logging(url: str) -> None:
    """A run of ours: its start, its calls, its end."""
    os.environ |= {"AIRSIDE_QUIET": "1", "AIRSIDE_HOME": tempfile.mkdtemp(prefix="airside-bench-")}
    import airside

    client = airside.connect(url)
    with airside.start_run(client=client) as run:  # imports, connections
        run.log(a=1)
    for name, metrics in (("one metric", {"loss": 0.5}), ("five metrics", {f"m{n}": 0.5 for n in range(5)})):
        began = time.perf_counter()
        run = airside.start_run(client=client)
        started = time.perf_counter()
        cpu = time.thread_time()
        each: list[float] = []
        for step in range(CALLS // len(metrics)):
            before = time.perf_counter()
            run.log(metrics, step=step)
            each.append(time.perf_counter() - before)
        cpu = time.thread_time() - cpu
        ending = time.perf_counter()
        run.finish()
        ended = time.perf_counter()
        total = len(each) * len(metrics)
        p50, p99 = statistics.median(each), statistics.quantiles(each, n=100)[98]
        print(
            f"run.log, {name:13} p50 {p50 * 1e6:5.1f} µs, p99 {p99 * 1e6:6.1f} µs, CPU {cpu / len(each) * 1e6:5.1f} µs "
            f"a call (target 20); start_run {(started - began) * 1e3:.1f} ms, finish {(ended - ending) * 1e3:.0f} ms; "
            f"{total / (ended - started):,.0f} points/s to the disk of the server"
        )


def official(ours: str, runs: int) -> None:
    """50 `log_metric` a run of the unmodified client, in turns."""
    port = free_port()
    bare = subprocess.Popen([sys.executable, "-c", AT_ONCE, str(port)])
    at_once = f"http://127.0.0.1:{port}"
    _wait_for(f"{at_once}/health")
    took: dict[str, list[float]] = {ours: [], at_once: []}
    quiet: dict[str, Any] = {**COMPILED, "GIT_PYTHON_REFRESH": "quiet", "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "1"}
    for _ in range(2):
        for url, times in took.items():
            command = [sys.executable, "-W", "ignore", "-c", OFFICIAL, url, str(runs)]
            done = subprocess.run(command, capture_output=True, text=True, check=True, env=quiet)
            times += [float(line) for line in done.stdout.split()]
    bare.terminate()
    bare.wait(20)
    mine, floor = statistics.median(took[ours]), statistics.median(took[at_once])
    print(f"official client, 50 log_metric a run: {mine:.3f} s; a server that answers at once: {floor:.3f} s")
    print(f"ratio {mine / floor:.2f} (target 1.4)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--official", action="store_true")
    parser.add_argument("--runs", type=int, default=10)
    asked = parser.parse_args()
    imports()
    with Airside() as url:
        logging(url)
        if asked.official:
            official(url, asked.runs)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1] / "src"))
    main()
