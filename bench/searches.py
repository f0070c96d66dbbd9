"""Searching a large experiment: CPU of finding and encoding a page, in this process, without HTTP.

    python bench/searches.py [--runs 20000] [--home DIR]

The store is the one of the peer's figures: each run has 20 metrics, 20 parameters and 7 tags. `first` is with empty
memory, `again` with the page's runs in memory.
"""

import argparse
import random
import tempfile
import time
from pathlib import Path

from airside.core.ids import ExperimentId, RunId
from airside.core.operation import LOCAL, Context
from airside.platform.wiring import Platform
from airside.server.mlflow.runs import ROUTES
from airside.tracking.memory import memory_of
from airside.tracking.operations.runs import GetRun, SearchRuns
from airside.tracking.queries import runs, values
from airside.tracking.records import Param, RunInfo, RunPage, Tag

ZERO = ExperimentId("0")
ENCODE = {route.path: route.encode for route in ROUTES}["2.0/mlflow/runs/search"]
CASES: dict[str, SearchRuns] = {
    "newest 50": SearchRuns(max_results=50),
    "newest 1,000": SearchRuns(max_results=1000),
    "metric filter, ordered by it": SearchRuns(
        filter="metrics.auc > 0.9", order_by=("metrics.auc DESC",), max_results=50
    ),
    "metric and parameter": SearchRuns(
        filter="metrics.auc > 0.9 AND params.model = 'xgb'", order_by=("metrics.auc DESC",), max_results=50
    ),
    "ordered by a metric": SearchRuns(order_by=("metrics.auc DESC",), max_results=50),
    "ordered by a parameter": SearchRuns(order_by=("params.p0",), max_results=50),
    "parameter LIKE prefix": SearchRuns(filter="params.p0 LIKE '0.12%'", max_results=50),
    "parameter LIKE infix": SearchRuns(filter="params.p0 LIKE '%123%'", max_results=50),
    "tag equals": SearchRuns(filter="tags.team = 't3'", max_results=50),
    "rare tag": SearchRuns(filter="tags.team = 'rare'", max_results=50),
    "oldest 50": SearchRuns(order_by=("start_time",), max_results=50),
    "status, then metric": SearchRuns(order_by=("status", "metrics.auc"), max_results=50),
}


def fill(platform: Platform, count: int) -> None:
    chance = random.Random(7)

    def some(first: int, last: int) -> None:
        def change(ctx: Context) -> None:
            for index in range(first, last):
                add(ctx, index, chance)

        platform.change(change)

    for first in range(0, count, 500):
        some(first, min(count, first + 500))


def add(ctx: Context, index: int, chance: random.Random) -> None:
    run_id = RunId(ctx.new_hex())
    info = RunInfo(
        run_id=run_id,
        experiment_id=ZERO,
        name=f"run {index}",
        user_id="u",
        status=("FINISHED", "FAILED", "RUNNING")[index % 3],  # type: ignore[arg-type]
        start_time_ms=1_700_000_000_000 + index * 1000,
        end_time_ms=None,
        artifact_uri=f"mlflow-artifacts:/0/{run_id}/artifacts",
        lifecycle_stage="active",
    )
    run = (runs.add(ctx, info, 0), 0)
    names = [*(f"m{k}" for k in range(19)), "auc"]
    values.add_points(ctx, run, {name: ((index, 0, chance.random(), False),) for name in names})
    for k in range(19):
        values.add_param(ctx, run, Param(key=f"p{k}", value=repr(chance.random())))
    values.add_param(ctx, run, Param(key="model", value=chance.choice(("xgb", "lgbm", "rf", "mlp", "lr"))))
    team = "rare" if index % 5000 == 17 else f"t{chance.randrange(10)}"
    values.set_tags(
        ctx,
        run,
        [Tag(key=f"k{k}", value=str(index % 97)) for k in range(5)]
        + [Tag(key="team", value=team), Tag(key="mlflow.runName", value=info.name)],
    )


def clocked(platform: Platform, ask: SearchRuns) -> tuple[RunPage, float]:
    """A page and the CPU that it took, encoding included, in milliseconds."""
    before = time.process_time()
    page = platform.call(LOCAL, ask)
    ENCODE(page)
    return page, (time.process_time() - before) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--home", type=Path)
    options = parser.parse_args()
    folder = tempfile.TemporaryDirectory()
    platform = Platform.open(options.home or Path(folder.name) / "home")
    try:
        if not platform.call(LOCAL, SearchRuns(experiment_ids=(ZERO,), max_results=1)).items:
            fill(platform, options.runs)
        print(f"{'search':32}{'found':>7}{'first ms':>10}{'again ms':>10}")
        for name, ask in CASES.items():
            asked = SearchRuns(
                experiment_ids=(ZERO,), filter=ask.filter, order_by=ask.order_by, max_results=ask.max_results
            )
            memory_of_platform(platform)
            page, first = clocked(platform, asked)
            again = min(clocked(platform, asked)[1] for _ in range(5))
            print(f"{name:32}{len(page.items):7}{first:10.2f}{again:10.2f}")
        deep(platform)
        run_id = page.items[0].info.run_id
        before = time.process_time()
        for _ in range(200):
            platform.call(LOCAL, GetRun(run_id=run_id))
        print(f"{'runs/get':32}{1:7}{'':10}{(time.process_time() - before) * 5:10.2f}")
    finally:
        platform.close()
        folder.cleanup()


def memory_of_platform(platform: Platform) -> None:
    """Forget the loaded runs."""
    platform.read(lambda ctx: memory_of(ctx).clear())


def deep(platform: Platform) -> None:
    """The last page by keyset, beside the first."""
    token, took, pages = "", list[float](), 0
    while True:
        page, ms = clocked(platform, SearchRuns(experiment_ids=(ZERO,), max_results=100, page_token=token))
        took.append(ms)
        pages += 1
        token = page.next_page_token
        if not token:
            break
    print(f"{'pages of 100: first and last':32}{pages:7}{took[0]:10.2f}{took[-1]:10.2f}")


if __name__ == "__main__":
    main()
