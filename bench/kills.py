"""kill -9 of the server at random moments under load: nothing acknowledged is lost, no batch is torn, no number twice.

    python bench/kills.py [--kills 200] [--database postgresql://…] [--seed 0]

Writers log batches (ten points of each of eight metrics, a parameter, a tag) and register versions as fast as they are
answered; the server is killed, started again on the same home, and so on. In the end everything is read back.
"""

import argparse
import contextlib
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

M = "/api/2.0/mlflow/"
WRITERS = 6
REGISTRARS = 2
POINTS = 10
METRICS = tuple(f"m{number}" for number in range(8))
LOAD_S = (0.05, 0.6)
"""How long the load lasts before a kill."""
START_S = 60.0
PATIENCE_S = 30.0


class Server:
    """A server that is killed and started again on the same home and port."""

    def __init__(self, home: Path, port: int, database: str = "") -> None:
        self.port = port
        flags = ["--database", database] if database else []
        self._command = [sys.executable, "-m", "airside", "server", "--home", str(home), "--port", str(port), *flags]
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if call(self.port, "GET", "/health", timeout=2)[0] == 200:
                    return
            if self.process.poll() is not None:
                raise SystemExit(f"the server ended with status {self.process.returncode}")
            time.sleep(0.02)
        raise SystemExit(f"the server did not answer in {START_S:.0f} s")

    def kill(self) -> None:
        """kill -9."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """SIGTERM."""
        self.process.terminate()
        self.process.wait(30)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def call(port: int, method: str, path: str, body: Any = None, *, timeout: float = 30) -> tuple[int, Any]:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        return sent(connection, method, path, body)
    finally:
        connection.close()


def sent(connection: http.client.HTTPConnection, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """One request on a kept connection; the status and the JSON."""
    data = None if body is None else json.dumps(body).encode()
    connection.request(method, path, data, {"Content-Type": "application/json"} if data else {})
    answer = connection.getresponse()
    told = answer.read()
    return answer.status, json.loads(told) if told.startswith(b"{") else None


def got(port: int, path: str, **query: Any) -> Any:
    """A read that must succeed."""
    status, told = call(port, "GET", f"{M}{path}?{urlencode(query)}")
    if status != 200:
        raise SystemExit(f"{path}: {status} {told}")
    return told


class Load:
    """Writers and registrars, until they are told to end; what was acknowledged to them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.runs = [self._made("runs/create", experiment_id="0")["run"]["info"]["run_id"] for _ in range(WRITERS)]
        self._made("registered-models/create", name="m")
        self.batches: list[set[int]] = [set() for _ in self.runs]
        self.versions: set[int] = set()
        self.refusals: list[str] = []
        self._next = [0] * WRITERS
        self._answered = threading.Event()

    def _made(self, path: str, **body: Any) -> Any:
        return call(self._port, "POST", M + path, body)[1]

    def last(self, seconds: float) -> list[threading.Thread]:
        """Start everybody; they end when the server is gone, or after so long at the latest."""
        self._answered.clear()
        self._until = time.monotonic() + seconds + PATIENCE_S
        threads = [threading.Thread(target=self._write, args=(number,)) for number in range(WRITERS)]
        threads += [threading.Thread(target=self._register) for _ in range(REGISTRARS)]
        for thread in threads:
            thread.start()
        return threads

    def wait_for_an_answer(self) -> None:
        """Until the first batch of this round is acknowledged: on a busy machine a kill must not always come before."""
        self._answered.wait(PATIENCE_S)

    def _write(self, number: int) -> None:
        run = self.runs[number]
        with self._connection() as connection:
            while time.monotonic() < self._until:
                batch = self._next[number]
                self._next[number] += 1
                points = [
                    {"key": key, "value": float(step), "timestamp": step, "step": step}
                    for step in range(batch * POINTS, (batch + 1) * POINTS)
                    for key in METRICS
                ]
                pairs = [{"key": f"b{batch}", "value": "1"}]
                body = {"run_id": run, "metrics": points, "params": pairs, "tags": pairs}
                status, told = sent(connection, "POST", f"{M}runs/log-batch", body)
                if status == 200:
                    self.batches[number].add(batch)
                    self._answered.set()
                else:
                    self.refusals.append(f"log-batch: {status} {told}")

    def _register(self) -> None:
        with self._connection() as connection:
            while time.monotonic() < self._until:
                body = {"name": "m", "source": "s3://bucket/m"}
                status, told = sent(connection, "POST", f"{M}model-versions/create", body)
                if status == 200:
                    self.versions.add(int(told["model_version"]["version"]))
                else:
                    self.refusals.append(f"model-versions/create: {status} {told}")

    @contextlib.contextmanager
    def _connection(self) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            with contextlib.suppress(OSError, http.client.HTTPException):  # the server was killed: that was to be
                yield connection
        finally:
            connection.close()


def judged(port: int, load: Load) -> list[str]:
    """What is wrong with what is there."""
    wrong = list(load.refusals)
    for number, run in enumerate(load.runs):
        data = got(port, "runs/get", run_id=run)["run"]["data"]
        params = {int(each["key"][1:]) for each in data.get("params", ())}
        tags = {int(each["key"][1:]) for each in data.get("tags", ()) if each["key"] != "mlflow.runName"}
        if lost := load.batches[number] - params:
            wrong.append(f"writer {number}: {len(lost)} acknowledged batches are lost")
        for key in METRICS:
            history = got(port, "metrics/get-history", run_id=run, metric_key=key).get("metrics", ())
            steps = [point["step"] for point in history]
            if len(steps) != len(set(steps)):
                wrong.append(f"writer {number}: a point of {key} is there twice")
            points = Counter(step // POINTS for step in steps)
            together = params | tags | set(points)
            torn = [batch for batch in together if batch not in params & tags or points[batch] != POINTS]
            if torn:
                wrong.append(f"writer {number}: batches {torn[:5]} are torn")
    found: list[int] = []
    token = ""
    while True:
        page = got(port, "model-versions/search", filter="name = 'm'", max_results=1000, page_token=token)
        found += [int(each["version"]) for each in page.get("model_versions", ())]
        token = page.get("next_page_token", "")
        if not token:
            break
    if sorted(found) != list(range(1, len(found) + 1)):
        wrong.append("version numbers have a gap or are there twice")
    if lost_versions := load.versions - set(found):
        wrong.append(f"acknowledged versions are lost: {sorted(lost_versions)[:10]}")
    return wrong


def killed(home: Path, port: int, kills: int, *, database: str = "", seed: int = 0) -> tuple[list[str], dict[str, int]]:
    """Kill a server so many times; what is wrong afterwards, and what was done."""
    chance = random.Random(seed)
    server = Server(home, port, database)
    try:
        load = Load(port)
        for number in range(kills):
            seconds = chance.uniform(*LOAD_S)
            threads = load.last(seconds)
            if number % 2:
                load.wait_for_an_answer()
            time.sleep(seconds)
            server.kill()
            for thread in threads:
                thread.join()
            server.start()
        wrong = judged(port, load)
    finally:
        server.stop()
    done = {"kills": kills, "batches": sum(map(len, load.batches)), "versions": len(load.versions)}
    return wrong, done


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--database", default="", help="SQLite in the home when it is not given")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as home:
        wrong, done = killed(
            Path(home) / "home", free_port(), options.kills, database=options.database, seed=options.seed
        )
    for each in wrong:
        print(each)
    print(f"{done}, {len(wrong)} wrong, {time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
