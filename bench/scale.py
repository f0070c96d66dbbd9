"""A million runs in one experiment: search, paging, `find`, one run, the experiment's page; in process and over HTTP.

    python bench/scale.py [--runs 1000000] [--home DIR] [--database URL | --postgresql]

The store is filled by the database itself (`scale_store.py`) and checked through the API; with `--home` it is kept and
used again. `--postgresql` starts a server of Debian's package for it, with its defaults and statistics taken. Each
search is asked 20 times with other values, so that nothing is in memory; p95 is of wall time, CPU of this process.
Targets: p95 <= 100 ms for filters and orders that an index serves; the last page within 1.5 times the first; what no
index serves is bounded by the time limit of a query, and says so.
"""

import argparse
import os
import random
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from batches import pss_mb
from load import cpu_s, free_port, started
from scale_store import START_MS, check, fill, run_id_of
from small_write import airside

from airside.core.errors import AirsideError
from airside.core.ids import ExperimentId
from airside.core.operation import LOCAL
from airside.core.search import PageToken, write_token
from airside.core.settings import Settings
from airside.platform.wiring import Platform
from airside.server.mlflow.runs import ROUTES
from airside.tower.operations.finding import SearchRecords
from airside.tower.records import MatchPage
from airside.tracking.memory import memory_of
from airside.tracking.operations.runs import GetRun, SearchRuns
from airside.tracking.queries.run_search import digest
from airside.tracking.records import RunPage

ZERO = ExperimentId("0")
ENCODE = {route.path: route.encode for route in ROUTES}["2.0/mlflow/runs/search"]
TARGET_MS = 100.0
Search = Callable[[random.Random], SearchRuns]
Find = Callable[[random.Random], SearchRecords]


def asked(text: str = "", *order: str, count: int = 50, token: str = "") -> SearchRuns:
    """A search of the experiment."""
    return SearchRuns(experiment_ids=(ZERO,), filter=text, order_by=order, max_results=count, page_token=token)


def behind(no: int) -> str:
    """A token as a page that ends with that run leaves it."""
    return write_token(PageToken(after=(0, START_MS + no * 1000, 0, run_id_of(no)), of=digest("", ())))


def indexed(runs: int) -> dict[str, Search]:
    """Searches that an index serves."""
    return {
        "newest 50": lambda _: asked(),
        "newest 1,000": lambda _: asked(count=1000),
        "page of 100: first": lambda _: asked(count=100),
        "page of 100: in the middle": lambda chance: asked(count=100, token=behind(chance.randrange(200, runs))),
        "page of 100: last": lambda _: asked(count=100, token=behind(101)),
        "tag equals (one in 1,000)": lambda chance: asked(f"tags.team = 't{chance.randrange(1000)}'"),
        "tag equals (one in 97)": lambda chance: asked(f"tags.host = 'h{chance.randrange(97)}'"),
        "run name equals": lambda chance: asked(f"run_name = 'run {chance.randrange(1, runs)}'"),
        "parameter LIKE prefix (1 %)": lambda chance: asked(f"params.p0 LIKE '0.1{chance.randrange(10, 99)}%'"),
        "parameter LIKE prefix (few)": lambda chance: asked(f"params.p0 LIKE '0.1{chance.randrange(10000, 99999)}%'"),
        "metric and parameter": lambda chance: asked(
            f"metrics.auc > 0.{chance.randrange(10, 99)} AND params.model = 'xgb'", "metrics.auc DESC"
        ),
        "metric and parameter, newest": lambda chance: asked(
            f"metrics.auc > 0.{chance.randrange(10, 99)} AND params.model = 'xgb'"
        ),
        "metric filter, ordered by it": lambda chance: asked(
            f"metrics.auc > 0.{chance.randrange(10, 99)}", "metrics.auc DESC"
        ),
        "ordered by a metric": lambda chance: asked("", f"metrics.m{chance.randrange(4)} DESC"),
        "ordered by a parameter": lambda chance: asked("", f"params.p{chance.randrange(4)}"),
        "oldest 50": lambda _: asked("", "start_time ASC"),
        "parameter LIKE infix (1 in 200)": lambda chance: asked(f"params.p0 LIKE '%{chance.randrange(100, 999)}%'"),
    }


def bounded() -> dict[str, Search]:
    """Searches that no index serves: each looks at the whole experiment, or would."""
    return {
        "infix that nothing matches": lambda chance: asked(f"params.p0 LIKE '%x{chance.randrange(1000)}y%'"),
        "ordered by status, then a metric": lambda _: asked("", "status", "metrics.auc"),
        "ordered by the run's name": lambda _: asked("", "run_name"),
        "two rare conditions that exclude each other": lambda _: asked("metrics.auc < 0.5 AND metrics.auc > 0.6"),
        "ILIKE that nothing matches": lambda _: asked("tags.host ILIKE 'x%'"),
    }


def across(runs: int) -> dict[str, Find]:
    """Searches across rooms that an index serves: `airside find runs`."""
    return {
        "find: newest": lambda _: SearchRecords(find="runs"),
        "find: metric, common": lambda _: SearchRecords(find="runs", filter="metrics.auc > 0.9"),
        "find: metric, rare": lambda _: SearchRecords(find="runs", filter="metrics.auc > 0.9999"),
        "find: tag (one in 1,000)": lambda chance: SearchRecords(
            find="runs", filter=f"tags.team = 't{chance.randrange(1000)}'"
        ),
        "find: id": lambda chance: SearchRecords(find="runs", filter=f"id = '{run_id_of(chance.randrange(1, runs))}'"),
        "find: experiment and metric": lambda _: SearchRecords(
            find="runs", filter="experiment = 'Default' AND metrics.auc > 0.5"
        ),
        "find: ordered by a metric": lambda chance: SearchRecords(
            find="runs", order_by=f"metrics.m{chance.randrange(4)} DESC"
        ),
        "find: metric filter, ordered by it": lambda _: SearchRecords(
            find="runs", filter="metrics.auc > 0.9", order_by="metrics.auc"
        ),
    }


def far(_: int) -> dict[str, Find]:
    """Searches across rooms that look at every run."""
    return {
        "find: name": lambda chance: SearchRecords(find="runs", filter=f"name = 'run {chance.randrange(1, 1000)}'"),
        "find: ordered by the start": lambda _: SearchRecords(find="runs", order_by="started"),
    }


def clocked(platform: Platform, search: Search | Find, times: int) -> tuple[list[float], list[float], str]:
    """Wall and CPU milliseconds of each time, and how it ended."""
    chance = random.Random(11)
    wall, cpu, said = list[float](), list[float](), ""
    for _ in range(times):
        platform.read(lambda ctx: memory_of(ctx).clear())
        ask = search(chance)
        began, spent = time.perf_counter(), time.process_time()
        try:
            page: RunPage | MatchPage = platform.call(LOCAL, ask)
            if isinstance(page, RunPage):
                ENCODE(page)
            said = f"{len(page.items)} runs"
        except AirsideError as error:
            said = f"{error.status} {error.message}"
        wall.append((time.perf_counter() - began) * 1000)
        cpu.append((time.process_time() - spent) * 1000)
    return sorted(wall), sorted(cpu), said


def told(name: str, wall: list[float], cpu: list[float], said: str, target: float | None) -> None:
    """A line."""
    p95 = wall[min(len(wall) - 1, int(0.95 * len(wall)))]
    verdict = "" if target is None else ("ok" if p95 <= target else f"MISSED ({target:.0f})")
    print(f"{name:46}{wall[len(wall) // 2]:10.1f}{p95:10.1f}{cpu[len(cpu) // 2]:10.1f}  {verdict:14}{said}", flush=True)


def everything(platform: Platform, runs: int, times: int) -> None:
    """The table."""
    print(f"{'search of ' + format(runs, ','):46}{'p50 ms':>10}{'p95 ms':>10}{'CPU ms':>10}")
    pages: dict[str, float] = {}
    for name, search in indexed(runs).items():
        wall, cpu, said = clocked(platform, search, times)
        pages[name] = cpu[len(cpu) // 2]
        told(name, wall, cpu, said, TARGET_MS if "1,000" not in name or "tag" in name else None)
    print(f"last page / first page (CPU): {pages['page of 100: last'] / pages['page of 100: first']:.2f} (target 1.5)")
    for name, find in across(runs).items():
        told(name, *clocked(platform, find, times), TARGET_MS)
    for name, slow in {**bounded(), **far(runs)}.items():
        told(name, *clocked(platform, slow, 2), None)
    wall, cpu = [], []
    for no in random.Random(5).sample(range(1, runs), times):
        began, spent = time.perf_counter(), time.process_time()
        platform.call(LOCAL, GetRun(run_id=run_id_of(no)))
        wall.append((time.perf_counter() - began) * 1000)
        cpu.append((time.process_time() - spent) * 1000)
    told("runs/get", sorted(wall), sorted(cpu), "", TARGET_MS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--database", default="")
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--times", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as ended:
        if options.postgresql:
            options.database = ended.enter_context(postgresql())
        home = options.home or Path(folder) / "home"
        asked_inside(home, options)
        experiment_page(home, options)


@contextmanager
def postgresql() -> Iterator[str]:
    """A PostgreSQL server of Debian's package, with its defaults; its URL."""
    binaries = max(Path("/usr/lib/postgresql").glob("*/bin"))
    folder, port = Path(tempfile.mkdtemp(prefix="airside-scale-")), free_port()
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        as_user = ["runuser", "-u", "postgres", "--"]
        shutil.chown(folder, "postgres")
    data = str(folder / "data")
    made = [*as_user, str(binaries / "initdb"), "-D", data, "-A", "trust", "-U", "airside", "-E", "UTF8"]
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
    control = [*as_user, str(binaries / "pg_ctl"), "-D", data, "-w", "-l", f"{data}/log"]
    served = f"-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={data}"
    subprocess.run([*control, "-o", served, "start"], check=True, stdout=subprocess.DEVNULL)
    try:
        yield f"postgresql+psycopg://airside@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, stdout=subprocess.DEVNULL)
        shutil.rmtree(folder)


def asked_inside(home: Path, options: argparse.Namespace) -> None:
    """Fill the store when it is empty, then ask in this process."""
    settings = Settings.load(None, environment={}, flags={"database": options.database})
    platform = Platform.open(home, settings=settings)
    try:
        if not platform.call(LOCAL, asked(count=1)).items:
            fill(platform, options.runs)
            check(platform, options.runs)
        everything(platform, options.runs, options.times)
    finally:
        platform.close()


def experiment_page(home: Path, options: argparse.Namespace) -> None:
    """The Control Tower's page of the experiment, and the memory of the server that answered it."""
    port = free_port()
    flags = ["--database", options.database] if options.database else []
    process = started([*airside(home, port), *flags], port, "/health")
    try:
        for name, path in (
            ("page: newest runs", "/experiments/0/runs"),
            ("page: best runs", "/experiments/0/runs?order=metrics.auc+DESC"),
        ):
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60).read()  # templates are read once
            wall, before = list[float](), cpu_s(process.pid)
            for _ in range(options.times):
                began = time.perf_counter()
                size = len(urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60).read())
                wall.append((time.perf_counter() - began) * 1000)
            spent = (cpu_s(process.pid) - before) * 1000 / options.times
            told(name, sorted(wall), [spent], f"{size / 1024:.0f} KB", TARGET_MS)
        print(f"memory of the server (PSS): {pss_mb(process.pid):.0f} MB (target < 200)")
    finally:
        process.terminate()
        process.wait(30)


if __name__ == "__main__":
    main()
