"""One small durable write over HTTP with 1, 8 and 32 clients, beside the bare limits of the same machine.

    python bench/small_write.py [--seconds 3] [--json FILE]

Every figure of Airside is taken with `synchronous=FULL`: answered means on disk.
"""

import argparse
import itertools
import json
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path

from load import free_port, measured, request, started

MLFLOW = "/api/2.0/mlflow/runs/"


def airside(home: Path, port: int) -> list[str]:
    return ["-m", "airside.client.cli.main", "server", "--home", str(home), "--port", str(port)]


def new_run(port: int) -> str:
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}{MLFLOW}create",
        data=b'{"experiment_id":"0"}',
        headers={"Content-Type": "application/json"},
    )
    made: str = json.load(urllib.request.urlopen(asked, timeout=10))["run"]["info"]["run_id"]
    return made


def makers(run_id: str, port: int) -> dict[str, Callable[[int], bytes]]:
    """The calls that are measured: the n-th request of each."""

    def sent(call: str, **fields: object) -> bytes:
        return request(MLFLOW + call, json.dumps(fields).encode(), port)

    steps = itertools.count()  # each point is a new one, whoever sends it; a clock's times, as clients send them

    def log_point(key: str, n: int) -> bytes:
        return sent("log-metric", run_id=run_id, key=key, value=0.5 + n, timestamp=1_700_000_000_000 + n, step=n)

    return {
        "log-metric": lambda _n: log_point("loss", next(steps)),
        "log-metric, again": lambda n: log_point("again", n % 1000),
        "log-parameter": lambda n: sent("log-parameter", run_id=run_id, key=f"p{n % 1000}", value="1"),
        "set-tag": lambda n: sent("set-tag", run_id=run_id, key="state", value=str(n)),
        "runs/create": lambda n: sent("create", experiment_id="0", start_time=n, run_name="bench"),
        "runs/get": lambda _n: request(f"{MLFLOW}get?run_id={run_id}", b"", port, "GET"),
    }


def point(port: int) -> Callable[[int], bytes]:
    body = json.dumps({"run_id": "0" * 32, "key": "loss", "value": 0.5, "timestamp": 1, "step": 1}).encode()
    made = request("/", body, port)
    return lambda _n: made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    here = Path(__file__).parent
    rows: list[tuple[str, dict[str, float]]] = []
    with tempfile.TemporaryDirectory() as folder:
        servers = []
        port = free_port()
        servers.append(started([str(here / "bare.py"), "echo", str(port)], port))
        plans = [("bare ASGI echo", servers[-1].pid, port, point(port))]
        port = free_port()
        servers.append(started([str(here / "bare.py"), "commit", str(port), f"{folder}/bare.db"], port))
        plans.append(("bare group commit", servers[-1].pid, port, point(port)))
        port = free_port()
        servers.append(started(airside(Path(folder) / "home", port), port, "/health"))
        plans += [
            (f"airside {name}", servers[-1].pid, port, make) for name, make in makers(new_run(port), port).items()
        ]
        try:
            for clients in (1, 8, 32):
                for name, pid, at, make in plans:
                    rows.append((name, measured(pid, at, clients, options.seconds, make)))
        finally:
            for server in servers:
                server.terminate()
                server.wait(15)
    print(f"{'call':24}{'clients':>8}{'req/s':>9}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'CPU ms':>9}{'errors':>8}")
    for name, row in rows:
        print(
            f"{name:24}{row['clients']:8.0f}{row['per_s']:9.0f}{row['p50_ms']:9.2f}{row['p95_ms']:9.2f}"
            f"{row['p99_ms']:9.2f}{row['cpu_ms']:9.3f}{row['errors']:8.0f}"
        )
    if options.json:
        options.json.write_text(json.dumps([{"call": name, **row} for name, row in rows], indent=1), "utf-8")


if __name__ == "__main__":
    main()
