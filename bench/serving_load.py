"""Predictions over HTTP, everything on (checks, log, routing, metrics), beside a bare ASGI echo in the same run.

    python bench/serving_load.py

A logistic model, a forest and a boosting of ten numeric columns, compiled; 1 row at 1 and 32 connections, 1,000 rows at
1. The answers of 100 rows are compared with scikit-learn's before the load. CPU is that of the serving process alone,
its hand-over of the log included; the control plane runs beside it.
"""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import urllib3
from load import free_port, measured, request
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from airside.client.sdk.endpoints import create_endpoint, deploy, predict
from airside.client.sdk.models import log_model, register
from airside.client.transport import connect
from airside.core.ids import ExperimentId
from airside.tracking.operations.runs import CreateRun

ROWS, COLUMNS, SECONDS = 4_000, 10, 3.0
NAMES = tuple(f"x{i}" for i in range(COLUMNS))
MODELS = {
    "logistic": LogisticRegression(max_iter=1_000),
    "forest": RandomForestClassifier(100, max_depth=12, random_state=0),
    "boosting": HistGradientBoostingClassifier(max_iter=100),
}


def wait(url: str) -> None:
    with urllib3.PoolManager(retries=False) as pool:
        for _ in range(3_000):
            try:
                if pool.request("GET", url).status == 200:
                    return
            except urllib3.exceptions.HTTPError:
                pass
            time.sleep(0.01)
    raise SystemExit(f"{url} did not become ready")


def started(*command: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def body_of(table: "np.ndarray[tuple[int, int], np.dtype[np.float64]]", rows: int) -> bytes:
    return json.dumps({"dataframe_split": {"columns": NAMES, "data": table[:rows].tolist()}}).encode()


def measure(name: str, what: str, port: int, clients: int, make: Callable[[int], bytes], pid: int) -> None:
    found = measured(pid, port, clients, SECONDS, make)
    assert found["errors"] == 0, name
    figures = f"{found['per_s']:.0f} | {found['p50_ms']:.2f} | {found['p99_ms']:.2f} | {found['cpu_ms']:.3f}"
    print(f"| {name} | {what} | {clients} | {figures} |", flush=True)


def main() -> None:
    random = np.random.default_rng(0)
    table = random.normal(size=(ROWS, COLUMNS))
    labels = (table[:, 0] + table[:, 1] * table[:, 2] + random.normal(scale=0.3, size=ROWS) > 0).astype(int)
    folder = Path(tempfile.mkdtemp(prefix="airside-bench-"))
    control_port, port, echo_port = free_port(), free_port(), free_port()
    control = f"http://127.0.0.1:{control_port}"
    server = started(
        "-m", "airside", "server", "--home", str(folder / "home"), "--port", str(control_port), "--no-serving"
    )
    echo = started(str(Path(__file__).with_name("bare.py")), "echo", str(echo_port))
    wait(f"{control}/health")
    with connect(control) as client:
        run_id = client.call(CreateRun(experiment_id=ExperimentId("0"))).info.run_id
        for name, model in MODELS.items():
            model.fit(table, labels)
            logged = log_model(client, model, run_id=run_id, name=name, example=table[:200], training_columns=NAMES)
            register(client, name, logged)
            create_endpoint(client, name, name)
            deploy(client, name, 1)
    began = time.perf_counter()
    serving = started(
        "-m", "airside", "serve", "--control", control, "--port", str(port), "--spool", str(folder / "spool")
    )
    url = f"http://127.0.0.1:{port}"
    wait(f"{url}/ping")
    print(f"ready after {time.perf_counter() - began:.2f} s")
    for name, model in MODELS.items():
        answered = predict(url, name, dict(zip(NAMES, table[:100].T.tolist(), strict=True)))
        assert answered.predictions == model.predict(table[:100]).tolist(), name
    print("| model | rows | connections | requests/s | p50 ms | p99 ms | CPU ms per request |")
    print("|---|---|---|---|---|---|---|")
    point = json.dumps({"run_id": "r", "key": "k", "value": 1.0, "timestamp": 1}).encode()
    for clients in (1, 32):
        measure("bare echo", "-", echo_port, clients, lambda _: request("/", point, echo_port), echo.pid)
    for name in MODELS:
        for clients, rows in ((1, 1), (32, 1), (1, 1_000)):
            made = request(f"/endpoints/{name}/invocations", body_of(table, rows), port)
            measure(name, str(rows), port, clients, lambda _, made=made: made, serving.pid)
    for process in (serving, echo, server):
        process.send_signal(signal.SIGTERM)
        process.wait(20)


if __name__ == "__main__":
    main()
