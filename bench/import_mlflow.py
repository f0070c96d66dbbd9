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


def make(path: Path, n_runs: int, n_points: int) -> None:
    """A store with so many runs, each with ten parameters, ten tags and one metric of so many points."""
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
        db.execute("COMMIT")


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
    return json.loads(done.stdout)["report"]


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
            sys.exit(int(report["n_differences"] != 0))


if __name__ == "__main__":
    main()
