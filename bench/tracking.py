"""Tracking beside `mlflow server` (its defaults, SQLite) and FastTrackML (its default, and durable), in one run.

    python bench/tracking.py [PART …] [--quick] [--mlflow ENV] [--fasttrackml ENV] [--without NAME] [--json FILE]

Parts: writes, batches, reads, histories, start, memory, client; all of them when none is named (below 15 minutes;
with --quick below 5). Same client, same requests, alternating. CPU is user + system time of the server's process tree
÷ requests. Airside is durable in every row (`synchronous=FULL`), as is `fml FULL`; `fml` may lose answered writes at a
power cut. "x" columns: the peer's figure ÷ Airside's. ENV: a virtual environment that holds the peer; made when it is
not named.
"""

import argparse
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlencode

from load import cpu_s, free_port, measured, request, started
from peers import API, Peer, environment, memory_mb, servers
from tracking_store import Filled, fill

AJAX = "/ajax-api/2.0/mlflow/"
SLOW_S = 1.0
"""A call that takes longer is measured once, by one client."""
BENCH = Path(__file__).parent

Make = Callable[[int], bytes]


class Figures(NamedTuple):
    """A row: one call, one server, some clients."""

    part: str
    call: str
    server: str
    clients: int
    per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_ms: float
    errors: float


class Options(NamedTuple):
    """How long, how much."""

    seconds: float
    runs: int
    starts: int
    rest_s: float


class Report:
    """Prints each row as it comes, with its ratio to Airside's."""

    def __init__(self) -> None:
        self.rows: list[Figures] = []
        self.others: dict[str, object] = {}

    def title(self, part: str) -> None:
        print(
            f"\n{part:34}{'clients':>8}{'req/s':>9}{'p50 ms':>10}{'p95 ms':>10}{'p99 ms':>10}{'CPU ms':>10}"
            f"{'x CPU':>8}{'x p50':>8}{'errors':>8}"
        )

    def add(self, row: Figures) -> None:
        self.rows.append(row)
        own = next(
            (r for r in self.rows if r[:2] == row[:2] and r.server == "airside" and r.clients == row.clients), None
        )
        ratios = ""
        if own is not None and own is not row and own.cpu_ms and own.p50_ms:
            ratios = f"{row.cpu_ms / own.cpu_ms:8.1f}{row.p50_ms / own.p50_ms:8.1f}"
        print(
            f"{row.call[:24]:24} {row.server:9}{row.clients:8}{row.per_s:9.0f}{row.p50_ms:10.2f}{row.p95_ms:10.2f}"
            f"{row.p99_ms:10.2f}{row.cpu_ms:10.3f}{ratios or ' ' * 16}{row.errors:8.0f}",
            flush=True,
        )

    def tell(self, name: str, server: str, text: str, value: object) -> None:
        self.others[f"{name} {server}"] = value
        print(f"{name:24} {server:9} {text}", flush=True)


def loop(
    report: Report,
    part: str,
    call: str,
    peers: Iterable[tuple[Peer, Make]],
    counts: Iterable[int],
    seconds: float,
    *,
    is_quick: bool = True,
) -> None:
    """One call at every server, with so many clients each; what takes long is asked once."""
    peers = list(peers)
    slow: set[str] = set()
    for clients in counts:
        for peer, make in peers:
            if peer.name in slow:
                continue
            found = measured(peer.pid, peer.port, clients, seconds, make, is_quick=is_quick)
            if found["p50_ms"] > SLOW_S * 1000:
                slow.add(peer.name)
            row = {name: found[name] for name in ("per_s", "p50_ms", "p95_ms", "p99_ms", "cpu_ms", "errors")}
            report.add(Figures(part=part, call=call, server=peer.name, clients=clients, **row))


def new_run(peer: Peer, **more: object) -> str:
    made: str = peer.post("runs/create", experiment_id="0", **more)["run"]["info"]["run_id"]
    return made


def sent(peer: Peer, call: str, **fields: object) -> bytes:
    return request(f"{API}runs/{call}", json.dumps(fields).encode(), peer.port)


def set_tag(peer: Peer, run_id: str) -> Make:
    return lambda n: sent(peer, "set-tag", run_id=run_id, key="state", value=str(n))


def holding(peer: Peer, params: int) -> str:
    """A run with so many parameters."""
    run_id = new_run(peer, start_time=1)
    for first in range(0, params, 100):
        some = [{"key": f"k{number}", "value": "1"} for number in range(first, first + 100)]
        peer.post("runs/log-batch", run_id=run_id, params=some)
    return run_id


# --- parts ---------------------------------------------------------------------------------------------------------


def writes(report: Report, peers: list[Peer], options: Options) -> None:
    """Small writes: 1, 8 and 32 quick clients, one ordinary client; also in a run that holds 1,000 parameters."""
    report.title("small writes")

    steps = count()  # each point is a new one, whoever sends it

    def new_point(peer: Peer, run_id: str) -> bytes:
        n = next(steps)
        return sent(peer, "log-metric", run_id=run_id, key="loss", value=0.5 + n, timestamp=n + 1, step=n)

    def log_metric(peer: Peer, run_id: str) -> Make:
        return lambda _n: new_point(peer, run_id)

    def log_param(peer: Peer, run_id: str, tried: int) -> Make:
        return lambda n: sent(peer, "log-parameter", run_id=run_id, key=f"p{tried}-{n % 900}", value="1")

    def create(peer: Peer) -> Make:
        return lambda n: sent(peer, "create", experiment_id="0", start_time=n + 1, run_name="bench")

    runs = {peer.name: new_run(peer, start_time=1) for peer in peers}
    counts = (1, 8, 32)
    loop(report, "writes", "runs/create", [(p, create(p)) for p in peers], counts, options.seconds)
    loop(report, "writes", "log-metric", [(p, log_metric(p, runs[p.name])) for p in peers], counts, options.seconds)
    loop(report, "writes", "set-tag", [(p, set_tag(p, runs[p.name])) for p in peers], counts, options.seconds)
    for clients in counts:
        made = [(p, log_param(p, new_run(p, start_time=1), clients)) for p in peers]
        loop(report, "writes", "log-parameter", made, (clients,), options.seconds)
    full = {peer.name: holding(peer, 1000) for peer in peers}
    loop(
        report,
        "writes",
        "set-tag, 1,000 params",
        [(p, set_tag(p, full[p.name])) for p in peers],
        (1, 32),
        options.seconds,
    )
    for call, made in (
        ("log-metric, ordinary", [(p, log_metric(p, runs[p.name])) for p in peers]),
        ("runs/create, ordinary", [(p, create(p)) for p in peers]),
    ):
        loop(report, "writes", call, made, (1,), options.seconds, is_quick=False)


def batches(report: Report, peers: list[Peer], options: Options) -> None:
    """`log-batch` with 1,000 metrics."""
    report.title("log-batch, 1,000 metrics")
    for keys in (1, 100):

        def made(peer: Peer, keys: int = keys) -> Make:
            run_id = new_run(peer, start_time=1)

            def make(n: int) -> bytes:
                metrics = [
                    {
                        "key": f"k{i % keys}",
                        "value": i / 7 + n,
                        "timestamp": 1_000_000 + n * 1000 + i,
                        "step": n * 1000 + i,
                    }
                    for i in range(1000)
                ]
                return request(
                    f"{API}runs/log-batch", json.dumps({"run_id": run_id, "metrics": metrics}).encode(), peer.port
                )

            numbers = count()  # each batch is a new one, whoever sends it: one sent again would be looked up
            ready = [make(next(numbers)) for _ in range(64)]
            return lambda _n: ready.pop(0) if ready else make(next(numbers))

        loop(report, "batches", f"{keys} key{'s' * (keys > 1)}", [(p, made(p)) for p in peers], (1, 8), options.seconds)


SEARCHES: dict[str, dict[str, object]] = {
    "newest 50": {"max_results": 50},
    "newest 1,000": {"max_results": 1000},
    "metric, ordered by it": {"filter": "metrics.auc > 0.9", "order_by": ["metrics.auc DESC"], "max_results": 50},
    "metric and parameter": {
        "filter": "metrics.auc > 0.9 and params.model = 'xgb'",
        "order_by": ["metrics.auc DESC"],
        "max_results": 50,
    },
    "ordered by a metric": {"order_by": ["metrics.auc DESC"], "max_results": 50},
    "parameter LIKE prefix": {"filter": "params.p LIKE '0.12%'", "max_results": 50},
    "parameter LIKE infix": {"filter": "params.p LIKE '%123%'", "max_results": 50},
    "tag equals": {"filter": "tags.team = 't3'", "max_results": 50},
}


def reads(report: Report, peers: list[Peer], stores: dict[str, Filled], options: Options) -> None:
    """Searches of many runs, pages far behind, single runs."""
    report.title(f"reads of {options.runs:,} runs")
    peers = [peer for peer in peers if peer.name in stores]

    def search(peer: Peer, fields: dict[str, object]) -> Make:
        asked = {"experiment_ids": [stores[peer.name].experiment_id], **fields}
        made = request(f"{API}runs/search", json.dumps(asked).encode(), peer.port)
        return lambda _n: made

    def get(peer: Peer, run_id: str) -> Make:
        made = request(f"{API}runs/get?run_id={run_id}", b"", peer.port, "GET")
        return lambda _n: made

    for call, fields in SEARCHES.items():
        loop(report, "reads", call, [(p, search(p, fields)) for p in peers], (1, 8), options.seconds / 2)
    far = [(p, token) for p in peers if (token := token_at(p, stores[p.name], min(4900, options.runs // 2)))]
    made = [(p, search(p, {"max_results": 100, "page_token": token})) for p, token in far]
    loop(report, "reads", "page of 100, halfway", made, (1, 8), options.seconds / 2)
    airside = peers[0]
    last = token_at(airside, stores["airside"], options.runs - 100)
    pages = {"first page of 100": {"max_results": 100}, "last page of 100": {"max_results": 100, "page_token": last}}
    for call, fields in pages.items():
        loop(report, "reads", call, [(airside, search(airside, fields))], (1,), options.seconds / 2)
    for call, which in (("one run, 20 + 20", "small_run"), ("one run, 100 + 100", "large_run")):
        made = [(p, get(p, getattr(stores[p.name], which))) for p in peers]
        loop(report, "reads", call, made, (1, 8), options.seconds / 2)


def token_at(peer: Peer, store: Filled, offset: int) -> str:
    """The token of the page that begins at an offset; empty where a peer cannot page so far."""
    token, passed = "", 0
    try:
        while passed < offset:
            size = min(1000, offset - passed)
            asked: dict[str, object] = {"experiment_ids": [store.experiment_id], "max_results": size}
            token = peer.post("runs/search", **asked, **({"page_token": token} if token else {}))["next_page_token"]
            passed += size
    except (urllib.error.HTTPError, KeyError):
        print(f"{peer.name} cannot page to {offset}")
        return ""
    return token


def histories(report: Report, peers: list[Peer], stores: dict[str, Filled], options: Options) -> None:
    """Histories exact and sampled."""
    report.title("histories")
    peers = [peer for peer in peers if peer.name in stores]

    def get(peer: Peer, prefix: str, path: str, **query: object) -> Make:
        made = request(f"{prefix}metrics/{path}?{urlencode(query, doseq=True, quote_via=quote)}", b"", peer.port, "GET")
        return lambda _n: made

    def exact(peer: Peer, **more: object) -> Make:
        run_id = stores[peer.name].long_run
        return get(peer, API, "get-history", run_id=run_id, metric_key="long", **more)

    def bulk(peer: Peer, run_ids: list[str], key: str, most: int) -> Make:
        return get(peer, AJAX, "get-history-bulk-interval", run_ids=run_ids, metric_key=key, max_results=most)

    sampling = [peer for peer in peers if not peer.name.startswith("fml")]  # which has no such call
    plans: list[tuple[str, list[tuple[Peer, Make]]]] = [
        ("exact, page of 1,000", [(p, exact(p, max_results=1000)) for p in sampling]),
        ("exact, page of 25,000", [(p, exact(p, max_results=25_000)) for p in sampling]),
        ("exact, 100,000 at once", [(p, exact(p)) for p in peers]),
        ("100,000 -> 320", [(p, bulk(p, [stores[p.name].long_run], "long", 320)) for p in sampling]),
        ("20 x 10,000 -> 320", [(p, bulk(p, stores[p.name].curve_runs, "curve", 320)) for p in sampling]),
        ("20 x 10,000 -> 2,500", [(p, bulk(p, stores[p.name].curve_runs, "curve", 2500)) for p in sampling]),
    ]
    for call, made in plans:
        loop(report, "histories", call, made, (1,), options.seconds / 2)


def start(report: Report, peers: list[Peer], options: Options) -> None:
    """Launch to the first answer of the API: an existing store again and again; CPU until then. Starts what stands."""
    print(f"\nstart: median of {options.starts}, launch to the first answer of the API")
    for peer in peers:
        count = 1 if peer.name == "mlflow" else options.starts
        found = []
        for _ in range(count):
            peer.stop()
            found.append(peer.start())
        seconds, cpu = (statistics.median(column) for column in zip(*found, strict=True))
        report.tell("start", peer.name, f"{seconds:6.2f} s, {cpu:6.2f} s of CPU", {"s": seconds, "cpu_s": cpu})


def memory(report: Report, peers: list[Peer], options: Options) -> None:
    """Proportional memory and CPU of what stands, without requests."""
    print(f"\nmemory and idle CPU, {options.rest_s:.0f} s without requests")
    time.sleep(2)
    before = {peer.name: cpu_s(peer.pid) for peer in peers}
    time.sleep(options.rest_s)
    for peer in peers:
        idle = 100 * (cpu_s(peer.pid) - before[peer.name]) / options.rest_s
        held = memory_mb(peer.pid)
        report.tell("memory", peer.name, f"{held:7.0f} MiB, {idle:5.2f} % of a core", {"mib": held, "idle": idle})


SCRIPT = """
import statistics, sys, time
import mlflow
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("scripts")
took = []
for _ in range(int(sys.argv[2])):
    began = time.perf_counter()
    with mlflow.start_run():
        for step in range(50):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
    took.append(time.perf_counter() - began)
print(statistics.median(took[1:]))
"""


def client(report: Report, peers: list[Peer], python: Path) -> None:
    """A training script of the official client, and the same with a server that answers at once."""
    print("\nofficial client: 50 log_metric per run, seconds per run")
    port = free_port()
    instant = started([str(BENCH / "instant.py"), str(port)], port)
    try:
        for name, at, count in [
            ("instant", port, 6),
            *((p.name, p.port, 4 if p.name == "mlflow" else 6) for p in peers),
        ]:
            done = subprocess.run(
                [python, "-c", SCRIPT, f"http://127.0.0.1:{at}", str(count)], check=True, capture_output=True, text=True
            )
            seconds = float(done.stdout.split()[-1])
            floor = report.others.setdefault("client instant", seconds)
            report.tell(
                "client", name, f"{seconds:6.3f} s, {seconds / float(str(floor)):5.2f} x the instant one", seconds
            )
    finally:
        instant.terminate()
        instant.wait()


PARTS = ("start", "memory", "writes", "batches", "client", "reads", "histories")
"""In this order: the start and the memory before the load."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="shorter loops, 2,000 runs, fewer starts")
    parser.add_argument("--runs", type=int, help="runs in the store of the reads")
    parser.add_argument("--seconds", type=float, help="length of a loop")
    parser.add_argument("--mlflow", type=Path, metavar="ENV")
    parser.add_argument("--fasttrackml", type=Path, metavar="ENV")
    parser.add_argument("--without", action="append", default=[], choices=("mlflow", "fasttrackml"))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are: {', '.join(PARTS)}")
    parts = given.parts or PARTS
    options = Options(
        seconds=given.seconds or (1.0 if given.quick else 3.0),
        runs=given.runs or (2000 if given.quick else 20_000),
        starts=3 if given.quick else 5,
        rest_s=5 if given.quick else 20,
    )
    report = Report()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers are ended too
    with tempfile.TemporaryDirectory() as place:
        peers = servers(Path(place), given.mlflow, given.fasttrackml, without=set(given.without))
        try:
            run(report, peers, options, set(parts), given.mlflow, Path(place))
        finally:
            for peer in peers:
                peer.stop()
    if given.json:
        document = {"rows": [row._asdict() for row in report.rows], "others": report.others}
        given.json.write_text(json.dumps(document, indent=1), "utf-8")


def run(report: Report, peers: list[Peer], options: Options, parts: set[str], mlflow: Path | None, place: Path) -> None:
    """The parts, one after another, on the same servers."""
    for peer in peers:
        seconds, cpu = peer.start()
        report.tell(
            "start, fresh store", peer.name, f"{seconds:6.2f} s, {cpu:6.2f} s of CPU", {"s": seconds, "cpu_s": cpu}
        )
    for part, measure in (("start", start), ("memory", memory), ("writes", writes), ("batches", batches)):
        if part in parts:
            measure(report, peers, options)
    if "memory" in parts and parts & {"writes", "batches"}:
        memory(report, peers, options)
    if "client" in parts:
        client(report, peers, environment("mlflow", mlflow, place) / "bin" / "python")
    if parts & {"reads", "histories"}:
        stores = filled(report, peers, options)
        for part, measure in (("reads", reads), ("histories", histories)):
            if part in parts:
                measure(report, peers, stores, options)


def filled(report: Report, peers: list[Peer], options: Options) -> dict[str, Filled]:
    """The same store in every server; the durable FastTrackML reads as the other one does, and ends here."""
    stores = {}
    for peer in peers:
        if peer.name == "fml FULL":
            peer.stop()
            continue
        began = time.perf_counter()
        stores[peer.name] = fill(peer, options.runs)
        report.tell("filled", peer.name, f"{time.perf_counter() - began:6.1f} s", time.perf_counter() - began)
    return stores


if __name__ == "__main__":
    main()
