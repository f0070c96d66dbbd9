"""Reading long histories: CPU of an answer, encoding included, in this process, without HTTP.

    python bench/histories.py [--points 100000] [--millions 100]

`--millions` is how many metrics of 1,000,000 points one run has; the target of 0.5 s stands for a hundred of them
sampled one after another. `batches.py` measures the same over HTTP, beside `mlflow server`.
"""

import argparse
import random
import resource
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from airside.core.ids import RunId
from airside.core.operation import LOCAL, Context
from airside.core.record import Ask
from airside.platform.wiring import Platform
from airside.server.mlflow.histories import ROUTES
from airside.tracking.operations.histories import GetCurves, GetMetricInterval, GetMetricPoints
from airside.tracking.operations.logging import LogHistory
from airside.tracking.operations.runs import CreateRun
from airside.tracking.queries import keys
from airside.tracking.queries.chunks import COLUMNS
from airside.tracking.queries.runs import numbers

ENCODE = {route.path.rpartition("/")[2]: route.encode for route in ROUTES}
START_MS = 1_700_000_000_000
PART = 10_000
MILLION = 1_000_000
COPIED = {
    "metric_point": "run_no, time_ms, step, value, is_nan",
    "metric_chunk": f"run_no, points, {COLUMNS}",
    "metric_latest": "run_no, experiment_no, step, time_ms, value, is_nan, n_since_packed, packed_ms",
}


def fill(platform: Platform, run_id: RunId, key: str, points: int) -> None:
    """A metric as a training logs it: a step every hundred milliseconds or so."""
    for first in range(0, points, PART):
        steps = range(first, min(points, first + PART))
        asked = LogHistory(
            run_id=run_id,
            key=key,
            timestamps_ms=tuple(START_MS + step * 100 + step * 7919 % 50 for step in steps),
            steps=tuple(steps),
            values=tuple(1 / (step + 1) + (step * 7919 % 1000) / 1e5 for step in steps),
        )
        platform.call(LOCAL, asked)


def copied(ctx: Context, run_id: RunId, key: str, to: str) -> None:
    """Give a run a second metric with the same history, row by row as the tables hold it."""
    source, number = keys.key_of(ctx, key), keys.key_of(ctx, to)
    run = numbers(ctx, run_id)
    assert run is not None
    for table, columns in COPIED.items():
        ctx.tx.run(
            f"INSERT INTO {table} (key_no, {columns}) SELECT ?, {columns} FROM {table} WHERE run_no = ? AND key_no = ?",
            (number, run[0], source),
        )


def filled(platform: Platform, points: int) -> RunId:
    """A run with one metric."""
    run_id = platform.call(LOCAL, CreateRun()).info.run_id
    fill(platform, run_id, "loss", points)
    return run_id


def clocked(platform: Platform, name: str, ask: Ask[Any], encode: Callable[[Any], bytes], target: str = "") -> float:
    """The least CPU of three answers; the memory that a fourth one needs at its peak."""
    took, body = [], b""
    for _ in range(3):
        before = time.process_time()
        body = encode(platform.call(LOCAL, ask))
        took.append((time.process_time() - before) * 1000)
    tracemalloc.start()
    encode(platform.call(LOCAL, ask))
    peak = tracemalloc.get_traced_memory()[1] / (1 << 20)
    tracemalloc.stop()
    print(f"{name:44}{min(took):9.1f} ms{len(body) / 1024:10.0f} KB{peak:9.1f} MB  {target}", flush=True)
    return min(took)


def pages(platform: Platform, run_id: RunId) -> None:
    """The whole history as MLflow's unlimited call takes it: page by page."""
    before, token, size = time.process_time(), "", 0
    while True:
        page = platform.call(LOCAL, GetMetricPoints(run_id=run_id, key="loss", page_token=token))
        size += len(ENCODE["get-history"](page))
        token = page.next_page_token
        if not token:
            break
    took = (time.process_time() - before) * 1000
    print(f"{'exact, all, page by page':44}{took:9.1f} ms{size / 1024:10.0f} KB{'':12}  <= 200 ms at 100,000 points")


def millions(platform: Platform, count: int) -> None:
    """A run with metrics of a million points."""
    run_id = platform.call(LOCAL, CreateRun()).info.run_id
    before = time.process_time()
    fill(platform, run_id, "m0", MILLION)
    took = time.process_time() - before
    print(f"filled a metric of 1,000,000 points: {took:.1f} s of CPU; {count - 1} more by copying its rows", flush=True)
    for metric in range(1, count):
        platform.change(lambda ctx, metric=metric: copied(ctx, run_id, "m0", f"m{metric}"))
    for metric in (count - 1, 0):
        page = platform.call(LOCAL, GetMetricPoints(run_id=run_id, key=f"m{metric}", max_results=25_000))
        assert page.steps == tuple(range(25_000))
    for name, ask in (
        ("sampled to 320", GetMetricInterval(run_ids=(run_id,), key="m0", max_results=320)),
        ("sampled to 2,500", GetMetricInterval(run_ids=(run_id,), key="m0", max_results=2500)),
    ):
        clocked(platform, f"1,000,000 points {name}", ask, ENCODE["get-history-bulk-interval"])
    clocked(platform, "1,000,000 points, curve of 600 pixels", GetCurves(run_ids=(run_id,), key="m0"), _plain)
    without_order(platform)
    before = time.process_time()
    for metric in range(count):
        asked = GetMetricInterval(run_ids=(run_id,), key=f"m{metric}", max_results=320)
        ENCODE["get-history-bulk-interval"](platform.call(LOCAL, asked))
    took = (time.process_time() - before) * 1000
    print(f"all {count} metrics sampled to 320: {took:.0f} ms, {took / count:.1f} each (a hundred: <= 500 ms)")


def without_order(platform: Platform) -> None:
    """A million points whose steps and times have nothing to do with each other."""
    run_id, chance = platform.call(LOCAL, CreateRun()).info.run_id, random.Random(5)
    for first in range(0, MILLION, PART):
        asked = LogHistory(
            run_id=run_id,
            key="wild",
            timestamps_ms=tuple(range(first, first + PART)),
            steps=tuple(chance.randrange(MILLION) for _ in range(PART)),
            values=tuple(chance.random() for _ in range(PART)),
        )
        platform.call(LOCAL, asked)
    ask = GetMetricInterval(run_ids=(run_id,), key="wild", max_results=320)
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    before = time.process_time()
    platform.call(LOCAL, ask)
    took = (time.process_time() - before) * 1000
    more = (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - largest
    ) / 1024  # to trace each allocation takes longer
    print(f"{'1,000,000 points without order to 320':44}{took:9.1f} ms{'':13}{more:9.1f} MB more at the peak")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--millions", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        platform = Platform.open(Path(folder) / "home")
        try:
            long = filled(platform, options.points)
            short = tuple(filled(platform, options.points // 10) for _ in range(20))
            history, interval = ENCODE["get-history"], ENCODE["get-history-bulk-interval"]
            clocked(platform, "exact, page of 1,000", _page(long, 1000), history)
            clocked(platform, "exact, page of 25,000", _page(long, 25_000), history)
            pages(platform, long)
            clocked(platform, "1 run to 320", _sample((long,)), interval, "<= 6 ms")
            clocked(platform, "20 runs to 320 each", _sample(short), interval, "<= 30 ms")
            clocked(platform, "20 runs to 2,500 each", _sample(short, 2500), interval)
            clocked(platform, "curve, 600 pixels", GetCurves(run_ids=(long,), key="loss"), _plain)
            clocked(platform, "curve, smoothed", GetCurves(run_ids=(long,), key="loss", smoothing=0.9), _plain)
            if options.millions:
                millions(platform, options.millions)
        finally:
            platform.close()
    print(f"largest memory of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def _page(run_id: RunId, count: int) -> GetMetricPoints:
    return GetMetricPoints(run_id=run_id, key="loss", max_results=count)


def _sample(run_ids: tuple[RunId, ...], count: int = 320) -> GetMetricInterval:
    return GetMetricInterval(run_ids=run_ids, key="loss", max_results=count)


def _plain(answer: Any) -> bytes:
    return msgspec.json.encode(answer)


if __name__ == "__main__":
    main()
