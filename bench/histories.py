"""Reading long histories: CPU of an answer, encoding included, in this process, without HTTP.

python bench/histories.py [--points 100000]
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from airside.core.ids import RunId
from airside.core.operation import LOCAL
from airside.core.record import Ask
from airside.platform.wiring import Platform
from airside.server.mlflow.histories import ROUTES
from airside.tracking.operations.histories import GetCurves, GetMetricHistory, GetMetricInterval
from airside.tracking.operations.logging import LogBatch
from airside.tracking.operations.runs import CreateRun
from airside.tracking.records import LoggedMetric

ENCODE = {route.path.rpartition("/")[2]: route.encode for route in ROUTES}


def filled(platform: Platform, points: int) -> RunId:
    run_id = platform.call(LOCAL, CreateRun()).info.run_id
    for first in range(0, points, 1000):
        metrics = tuple(
            LoggedMetric(key="loss", value=1 / (step + 1), timestamp_ms=1_700_000_000_000 + step, step=step)
            for step in range(first, min(points, first + 1000))
        )
        platform.call(LOCAL, LogBatch(run_id=run_id, metrics=metrics))
    return run_id


def clocked(platform: Platform, name: str, ask: Ask[Any], encode: Callable[[Any], bytes]) -> None:
    took = []
    for _ in range(3):
        before = time.process_time()
        body = encode(platform.call(LOCAL, ask))
        took.append((time.process_time() - before) * 1000)
    print(f"{name:44}{min(took):9.1f} ms{len(body) / 1024:10.0f} KB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        platform = Platform.open(Path(folder) / "home")
        try:
            long = filled(platform, options.points)
            short = tuple(filled(platform, options.points // 10) for _ in range(20))
            history, interval = ENCODE["get-history"], ENCODE["get-history-bulk-interval"]
            clocked(
                platform, "exact, page of 1,000", GetMetricHistory(run_id=long, key="loss", max_results=1000), history
            )
            clocked(
                platform,
                "exact, page of 25,000",
                GetMetricHistory(run_id=long, key="loss", max_results=25_000),
                history,
            )
            clocked(platform, "exact, all", GetMetricHistory(run_id=long, key="loss"), history)
            clocked(
                platform, "one run to 320", GetMetricInterval(run_ids=(long,), key="loss", max_results=320), interval
            )
            clocked(
                platform, "20 runs to 320 each", GetMetricInterval(run_ids=short, key="loss", max_results=320), interval
            )
            clocked(platform, "curve, 600 pixels", GetCurves(run_ids=(long,), key="loss"), _plain)
        finally:
            platform.close()


def _plain(answer: Any) -> bytes:
    import msgspec

    return msgspec.json.encode(answer)


if __name__ == "__main__":
    main()
