"""What an import from MLflow costs, and that `kill -9` at any moment of it loses and doubles nothing.

    python -m bench.import_mlflow [--runs 20000] [--points 50] [--kills 20] [--folder /tmp/x]

The source is made in MLflow's tables directly, with SQLite's own driver: what is measured is reading and taking over.
"""

import argparse
import json
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from airside.client.imports.mlflow.tables import DDL

START = 1_700_000_000_000
KEPT = (
    *("experiment", "run", "run_param", "run_tag", "metric_latest", "trace", "trace_tag", "span"),
    *("evaluation_dataset", "evaluation_record"),
)
BESIDE = (
    (
        "CREATE TABLE spans (trace_id, span_id, parent_span_id, name, status, start_time_unix_nano, "
        "end_time_unix_nano, content, PRIMARY KEY (trace_id, span_id))"
    ),
    (
        "CREATE TABLE evaluation_datasets (dataset_id PRIMARY KEY, name, schema, digest, created_time, "
        "last_update_time, created_by, last_updated_by)"
    ),
    (
        "CREATE TABLE evaluation_dataset_records (dataset_record_id PRIMARY KEY, dataset_id, inputs, expectations, "
        "tags, source, created_time, last_update_time, created_by, last_updated_by)"
    ),
)
"""What a folder is never staged into, and a database has."""


def make(path: Path, n_runs: int, n_points: int) -> None:
    """A store with so many runs, each with ten parameters, ten tags and one metric of so many points, and traces."""
    chance = random.Random(1)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous=OFF")
        for statement in DDL:
            db.execute(statement)
        db.execute("BEGIN")
        for number in range(20):
            place = f"s3://bucket/{number}"
            db.execute("INSERT INTO experiments VALUES (?, ?, ?, 'active', 1, 1)", (number, f"e{number}", place))
        for number in range(n_runs):
            run_id = f"{chance.getrandbits(128):032x}"
            place = f"s3://bucket/{number % 20}/{run_id}/artifacts"
            row = (run_id, f"run {number}", "ana", "FINISHED", START + number, START + number + 9, "active", place)
            db.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*row, number % 20))
            for table in ("params", "tags"):
                rows = [(f"{table}{key}", f"{chance.random():.6f}", run_id) for key in range(10)]
                db.executemany(f"INSERT INTO {table} VALUES (?, ?, ?)", rows)
            points = [("loss", chance.random(), START + step, step, False, run_id) for step in range(n_points)]
            db.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", points)
        make_traces(db, chance, n_runs // 10)
        db.execute("COMMIT")


def make_traces(db: sqlite3.Connection, chance: random.Random, n_traces: int) -> None:
    """So many traces with five spans each, and an evaluation dataset of ten records for every hundred."""
    for statement in BESIDE:
        db.execute(statement)
    for number in range(n_traces):
        digits = f"{chance.getrandbits(128):032x}"
        trace_id = f"tr-{digits}"
        head = (trace_id, number % 20, START + number, 5, "OK", None, "in", "out")
        db.execute("INSERT INTO trace_info VALUES (?, ?, ?, ?, ?, ?, ?, ?)", head)
        db.execute("INSERT INTO trace_tags VALUES ('mlflow.trace.spansLocation', 'TRACKING_STORE', ?)", (trace_id,))
        content = json.dumps({"attributes": {"mlflow.spanInputs": json.dumps({"q": "x" * 200}), "k": "3"}})
        spans = [(trace_id, f"{at + 1:016x}", f"{1:016x}" if at else None, f"step {at}", content) for at in range(5)]
        db.executemany("INSERT INTO spans VALUES (?, ?, ?, ?, 'OK', 1000, 2000, ?)", spans)
        if number % 100 == 0:
            dataset = f"d-{digits}"
            db.execute("INSERT INTO evaluation_datasets VALUES (?, ?, NULL, 'x', 1, 1, 'a', 'a')", (dataset, dataset))
            records = [(f"dr-{digits}-{each}", dataset, json.dumps({"q": each})) for each in range(10)]
            db.executemany(
                "INSERT INTO evaluation_dataset_records VALUES (?, ?, ?, NULL, '{}', NULL, 1, 1, NULL, NULL)", records
            )


def contents(home: Path) -> dict[str, int]:
    """How many rows of what was taken over a home holds."""
    with closing(sqlite3.connect(home / "airside.db")) as db:
        points = db.execute(
            "SELECT (SELECT COUNT(*) FROM metric_point) + (SELECT COALESCE(SUM(n_points), 0) FROM metric_chunk)"
        ).fetchone()[0]
        return {"points": points} | {table: db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in KEPT}


def command(source: Path, home: Path) -> list[str]:
    """The command."""
    return [sys.executable, "-m", "airside", "import", "mlflow", str(source), "--home", str(home), "--json"]


def measured(source: Path, home: Path) -> tuple[float, float, dict[str, object]]:
    """One import in one go: wall-clock seconds, CPU seconds, the report."""
    import resource

    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command(source, home), capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - began, cpu, json.loads(done.stdout)["report"]


def killed(source: Path, home: Path, kills: int, longest_s: float) -> dict[str, object]:
    """One import with so many kills in it; its report."""
    chance = random.Random(2)
    for number in range(kills):
        process = subprocess.Popen(command(source, home), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            process.communicate(timeout=chance.uniform(0.3, longest_s))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            print(f"  kill {number + 1}", flush=True)
    done = subprocess.run(command(source, home), capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"the import behind the kills failed: {done.stdout[-2000:]}{done.stderr}")
    report: dict[str, object] = json.loads(done.stdout)["report"]
    return report


def main() -> None:
    """Measure, then kill."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--points", type=int, default=50)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--folder", default=None)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        source = Path(folder, "mlflow.db")
        make(source, given.runs, given.points)
        total = given.runs * given.points
        wall, cpu, report = measured(source, Path(folder, "home"))
        print(f"{given.runs:,} runs, {total:,} points: {wall:.1f} s, {cpu:.1f} s of CPU, comparison included")
        print(f"  {given.runs / wall:,.0f} runs/s, {total / wall:,.0f} points/s; {report['n_differences']} differences")
        if given.kills:
            report = killed(source, Path(folder, "killed"), given.kills, max(1.0, 2 * wall / given.kills))
            print(f"behind {given.kills} kills: {report['counts']}, {report['n_differences']} differences")
            whole, pieced = contents(Path(folder, "home")), contents(Path(folder, "killed"))
            print(f"rows as without a kill: {whole == pieced} {pieced}")
            sys.exit(int(report["n_differences"] != 0 or whole != pieced))


if __name__ == "__main__":
    main()
