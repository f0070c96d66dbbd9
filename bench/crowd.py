"""A crowd: 32 clients write for a minute while others search; then 500 clients at once.

    python -m bench.crowd [--seconds 60] [--writers 32] [--searchers 4] [--crowd 500] [--database postgresql://…]

No error but a deliberate 429 with Retry-After; afterwards every acknowledged value is there.
"""

import argparse
import http.client
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from bench.kills import M, Server, free_port, got

PATIENCE_S = 120.0
FILTERS = (
    {"filter": "metrics.m > 10", "order_by": ["metrics.m DESC"], "max_results": 50},
    {"filter": "params.kind = 'crowd' AND tags.state LIKE '%1'", "max_results": 20},
    {"filter": "", "order_by": ["start_time DESC"], "max_results": 100},
)


class Crowd:
    """Clients of one server, and what they were told."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.errors: list[str] = []
        self.told: Counter[str] = Counter()
        self.points: dict[str, set[int]] = {}
        self._lock = threading.Lock()

    def all_at_once(self, tasks: list[Any]) -> None:
        """Run each on a thread of its own, and wait for all."""
        threads = [threading.Thread(target=task) for task in tasks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def ask(self, connection: http.client.HTTPConnection, path: str, body: Any) -> Any:
        """A POST, again after a 429 as its Retry-After says; None after an error, which is noted."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                status, told, after = _asked(connection, path, body)
            except (OSError, http.client.HTTPException) as error:
                return self._wrong(f"{path}: {type(error).__name__} {error}")
            with self._lock:
                self.told[f"{path} {status}"] += 1
            if status == 200:
                return told
            if status != 429:
                return self._wrong(f"{path}: {status} {told}")
            if not after.isdigit():
                return self._wrong(f"{path}: 429 without Retry-After")
            time.sleep(int(after))
        return self._wrong(f"{path}: nothing but 429 for {PATIENCE_S:.0f} s")

    def _wrong(self, text: str) -> None:
        with self._lock:
            self.errors.append(text)

    def write(self, seconds: float) -> None:
        """Log points of a run until the time is over, one at least."""
        until = time.monotonic() + seconds
        self._log(lambda step: step == 0 or time.monotonic() < until)

    def write_some(self, count: int) -> None:
        """Log so many points of a run."""
        self._log(lambda step: step < count)

    def _log(self, goes_on: Callable[[int], bool]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        made = self.ask(connection, "runs/create", {"experiment_id": "0", "tags": [{"key": "state", "value": "1"}]})
        if made is None:
            return
        run = made["run"]["info"]["run_id"]
        self.ask(connection, "runs/log-parameter", {"run_id": run, "key": "kind", "value": "crowd"})
        step = 0
        acknowledged: set[int] = set()
        while goes_on(step):
            point = {"run_id": run, "key": "m", "value": float(step), "timestamp": step, "step": step}
            if self.ask(connection, "runs/log-metric", point) is not None:
                acknowledged.add(step)
            step += 1
        with self._lock:
            self.points[run] = acknowledged
        connection.close()

    def search(self, seconds: float) -> None:
        """Search runs until the time is over."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        until, number = time.monotonic() + seconds, 0
        while time.monotonic() < until:
            self.ask(connection, "runs/search", {"experiment_ids": ["0"], **FILTERS[number % len(FILTERS)]})
            number += 1
        connection.close()

    def lost(self) -> int:
        """How many acknowledged points are not there."""
        missing = 0
        for run, acknowledged in self.points.items():
            history = got(self.port, "metrics/get-history", run_id=run, metric_key="m").get("metrics", ())
            missing += len(acknowledged - {point["step"] for point in history})
        return missing


def _asked(connection: http.client.HTTPConnection, path: str, body: Any) -> tuple[int, Any, str]:
    """The status, the JSON, and the header Retry-After."""
    connection.request("POST", M + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    told = answer.read()
    return (
        answer.status,
        json.loads(told) if told.startswith(b"{") else told[:200],
        answer.headers.get("Retry-After", ""),
    )


def written(port: int, *, seconds: float, writers: int, searchers: int) -> tuple[list[str], Counter[str]]:
    """Many write while some search; what went wrong, and what was told how often."""
    crowd = Crowd(port)
    tasks = [partial(crowd.write, seconds)] * writers + [partial(crowd.search, seconds)] * searchers
    crowd.all_at_once(tasks)
    if lost := crowd.lost():
        crowd.errors.append(f"{lost} acknowledged points are lost")
    return crowd.errors, crowd.told


def stormed(port: int, clients: int) -> tuple[list[str], Counter[str]]:
    """So many clients at once, each with a run and five points; what went wrong, and what was told how often."""
    crowd = Crowd(port)
    together = threading.Barrier(clients)

    def client() -> None:
        together.wait()
        crowd.write_some(5)

    crowd.all_at_once([client] * clients)
    if lost := crowd.lost():
        crowd.errors.append(f"{lost} acknowledged points are lost")
    if len(crowd.points) != clients:
        crowd.errors.append(f"{clients - len(crowd.points)} clients did not come to an end")
    return crowd.errors, crowd.told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--writers", type=int, default=32)
    parser.add_argument("--searchers", type=int, default=4)
    parser.add_argument("--crowd", type=int, default=500)
    parser.add_argument("--database", default="", help="SQLite in the home when it is not given")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        server = Server(Path(home) / "home", free_port(), options.database)
        try:
            errors, told = written(
                server.port, seconds=options.seconds, writers=options.writers, searchers=options.searchers
            )
            print(f"{options.writers} writers, {options.searchers} searchers, {options.seconds:.0f} s: {dict(told)}")
            more, told = stormed(server.port, options.crowd)
            print(f"{options.crowd} at once: {dict(told)}")
        finally:
            server.stop()
    wrong = errors + more
    for each in wrong[:50]:
        print(each)
    print(f"{len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
