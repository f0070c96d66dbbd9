"""One store for every server of `tracking.py`: many runs with 20 metrics, 20 parameters and 7 tags, and histories.

Airside and FastTrackML are filled over HTTP. MLflow would need an hour for that: its tables are filled with SQL.
"""

import json
import random
import sqlite3
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from itertools import islice
from typing import Any, NamedTuple

from peers import API, Peer

CURVES, CURVE_POINTS = 20, 10_000
LONG_POINTS = 100_000
MODELS = ("xgb", "forest", "linear")
BEGAN_MS = 1_700_000_000_000


class Sample(NamedTuple):
    """A run of the store."""

    number: int
    metrics: dict[str, float]
    params: dict[str, str]
    tags: dict[str, str]

    @property
    def start_ms(self) -> int:
        """Each a second later than the one before."""
        return BEGAN_MS + 1000 * self.number


class Filled(NamedTuple):
    """What the reads ask for: the experiment; runs with 20 + 20, with 100 + 100, with a long history, with curves."""

    experiment_id: str
    small_run: str
    large_run: str
    long_run: str
    curve_runs: list[str]


def samples(count: int) -> Iterator[Sample]:
    """The same for every server."""
    chance = random.Random(7)
    for number in range(count):
        width = 100 if number == count - 1 else 20
        yield Sample(
            number,
            {"auc": chance.random(), **{f"m{index}": chance.random() for index in range(1, width)}},
            {
                "p": f"{chance.random():.4f}",
                "model": chance.choice(MODELS),
                **{f"p{index}": str(chance.randrange(1000)) for index in range(2, width)},
            },
            {"team": f"t{chance.randrange(10)}", **{f"tag{index}": str(chance.randrange(100)) for index in range(6)}},
        )


def points(count: int) -> list[tuple[float, int, int]]:
    """Value, time, step of a history."""
    chance = random.Random(11)
    return [(chance.random(), BEGAN_MS + step, step) for step in range(count)]


def fill(peer: Peer, runs: int) -> Filled:
    """Fill a running server, whichever it is."""
    experiment_id = str(peer.post("experiments/create", name="bench")["experiment_id"])
    if peer.name == "mlflow":
        return _by_sql(peer, experiment_id, runs)
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda sample: _sent(peer, experiment_id, sample), samples(runs)))
        _sent_history(peer, ids[0], "long", LONG_POINTS)
        list(pool.map(lambda run_id: _sent_history(peer, run_id, "curve", CURVE_POINTS), ids[1 : CURVES + 1]))
    return Filled(experiment_id, ids[-2], ids[-1], ids[0], ids[1 : CURVES + 1])


def _sent(peer: Peer, experiment_id: str, sample: Sample) -> str:
    kept = HTTPConnection("127.0.0.1", peer.port, timeout=300)
    try:
        made = _post(kept, "runs/create", experiment_id=experiment_id, start_time=sample.start_ms)
        run_id: str = made["run"]["info"]["run_id"]
        _post(
            kept,
            "runs/log-batch",
            run_id=run_id,
            metrics=[
                {"key": key, "value": value, "timestamp": sample.start_ms, "step": 0}
                for key, value in sample.metrics.items()
            ],
            params=[{"key": key, "value": value} for key, value in sample.params.items()],
            tags=[{"key": key, "value": value} for key, value in sample.tags.items()],
        )
    finally:
        kept.close()
    return run_id


def _sent_history(peer: Peer, run_id: str, key: str, count: int) -> None:
    every = [{"key": key, "value": value, "timestamp": at, "step": step} for value, at, step in points(count)]
    for first in range(0, count, 1000):
        peer.post("runs/log-batch", run_id=run_id, metrics=every[first : first + 1000])


def _post(kept: HTTPConnection, path: str, **fields: Any) -> dict[str, Any]:
    kept.request("POST", API + path, json.dumps(fields), {"Content-Type": "application/json"})
    answer = kept.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status} {body[:300]!r}")
    made: dict[str, Any] = json.loads(body or b"{}")
    return made


def _by_sql(peer: Peer, experiment_id: str, runs: int) -> Filled:
    ids = [f"{number:032x}" for number in range(runs)]
    with sqlite3.connect(peer.folder / "mlflow.db", timeout=60) as db:
        stream = samples(runs)
        while part := list(islice(stream, 2000)):
            _many(db, "runs", (_run_row(ids[sample.number], experiment_id, sample) for sample in part))
            for table in ("metrics", "latest_metrics"):
                _many(db, table, (row for sample in part for row in _metric_rows(ids[sample.number], sample)))
            for table, field in (("params", "params"), ("tags", "tags")):
                _many(
                    db,
                    table,
                    (
                        {"run_uuid": ids[sample.number], "key": key, "value": value}
                        for sample in part
                        for key, value in getattr(sample, field).items()
                    ),
                )
        for run_id, key, count in [(ids[0], "long", LONG_POINTS), *((i, "curve", CURVE_POINTS) for i in ids[1:21])]:
            rows = [_metric_row(run_id, key, value, at, step) for value, at, step in points(count)]
            _many(db, "metrics", rows)
            _many(db, "latest_metrics", rows[-1:])
    db.close()
    return Filled(experiment_id, ids[-2], ids[-1], ids[0], ids[1 : CURVES + 1])


def _run_row(run_id: str, experiment_id: str, sample: Sample) -> dict[str, Any]:
    return {
        "run_uuid": run_id,
        "name": f"run-{sample.number}",
        "source_type": "UNKNOWN",
        "source_name": "",
        "entry_point_name": "",
        "user_id": "",
        "status": "RUNNING",
        "start_time": sample.start_ms,
        "source_version": "",
        "lifecycle_stage": "active",
        "artifact_uri": f"mlflow-artifacts:/{experiment_id}/{run_id}/artifacts",
        "experiment_id": int(experiment_id),
    }


def _metric_rows(run_id: str, sample: Sample) -> Iterator[dict[str, Any]]:
    return (_metric_row(run_id, key, value, sample.start_ms, 0) for key, value in sample.metrics.items())


def _metric_row(run_id: str, key: str, value: float, at: int, step: int) -> dict[str, Any]:
    return {"run_uuid": run_id, "key": key, "value": value, "timestamp": at, "step": step, "is_nan": False}


def _many(db: sqlite3.Connection, table: str, rows: Iterable[dict[str, Any]]) -> None:
    rows = list(rows)
    names = list(rows[0])
    text = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
    db.executemany(text, [tuple(row.values()) for row in rows])
