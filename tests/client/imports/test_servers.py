"""From PostgreSQL and MariaDB, through HTTP, through kills: what the unmodified client reads is what it read before."""

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.client.imports.near import Quiet, client_of, make_database
from tests.client.imports.reading import differences
from tests.conftest import RunningServer, free_port

from airside.client.imports.job import Options
from airside.client.imports.opening import open_store
from airside.core.errors import Denied, Invalid
from airside.platform.wiring import Platform
from airside.tracking.imports.records import Import

ROOT = Path(__file__).parents[3]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="session")
def maria() -> Iterator[Any]:
    """A connection to a MariaDB server from Debian's package, on a free port."""
    pymysql = pytest.importorskip("pymysql")
    binary = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
    if not Path(binary).exists():
        pytest.skip("MariaDB is not installed: apt-get install mariadb-server")
    folder, port = Path(tempfile.mkdtemp(prefix="airside-maria-")), free_port()
    user = ["--user=mysql"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(folder, "mysql")
    place = [*user, f"--datadir={folder}/data"]
    install = ["mariadb-install-db", "--no-defaults", *place, "--auth-root-authentication-method=normal"]
    subprocess.run([*install, "--skip-test-db"], check=True, capture_output=True)
    options = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder}/s", f"--pid-file={folder}/p"]
    server = subprocess.Popen([binary, "--no-defaults", *place, *options], stderr=subprocess.DEVNULL)
    for _ in range(600):
        try:
            connection = pymysql.connect(host="127.0.0.1", port=port, user="root", autocommit=True)
            break
        except pymysql.Error:
            assert server.poll() is None
            time.sleep(0.05)
    yield connection
    connection.close()
    server.terminate()
    server.wait(60)
    shutil.rmtree(folder)


def typed(table: str, column: str) -> str:
    """The type of a column of MLflow's, near enough."""
    if column in ("value", "metric_value") and table in ("metrics", "latest_metrics", "logged_model_metrics"):
        return "DOUBLE PRECISION"
    numbers = (
        "_time",
        "_ms",
        "timestamp",
        "step",
        "version",
        "is_nan",
        "experiment_id",
        "deleted_time",
        "_nano",
        "valid",
    )
    is_number = (column.endswith(numbers) and column != "source_version") or (
        column == "status" and table == "logged_models"
    )
    keyed = ("key", "name", "run_uuid", "model_id", "input_uuid")
    return "BIGINT" if is_number else "VARCHAR(250)" if column in keyed else "TEXT"


def copy_into(connection: Any, path: Path, *, quote: str) -> None:
    """Put a database that MLflow wrote on SQLite into another server."""
    with closing(sqlite3.connect(path)) as source, connection.cursor() as cursor:
        for (table,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            names = [row[1] for row in source.execute(f"PRAGMA table_info({table})")]
            columns = ", ".join(f"{quote}{name}{quote} {typed(table, name)}" for name in names)
            cursor.execute(f"CREATE TABLE {table} ({columns})")
            marks = ", ".join(["%s"] * len(names))
            cursor.executemany(
                f"INSERT INTO {table} VALUES ({marks})", source.execute(f"SELECT * FROM {table}").fetchall()
            )


def brought(platform: Platform, address: str, *copy_from: Path) -> Import:
    with open_store(address, copy_from) as store:
        return store.bring(client_of(platform), Options(), Quiet())


def check(done: Import) -> None:
    assert done.report.n_differences == 0
    assert [count.here for count in done.report.counts] == [4, 11, 3, 3, 5, 4, 3, 3, 2]


def test_all_of_a_mariadb_is_here(maria: Any, platform: Platform, tmp_path: Path) -> None:
    name = f"d{time.monotonic_ns()}"
    with maria.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        cursor.execute(f"USE {name}")
        cursor.execute("CREATE OR REPLACE USER ana@'127.0.0.1' IDENTIFIED BY 'p@ss'")
        cursor.execute(f"GRANT SELECT ON {name}.* TO ana@'127.0.0.1'")
    copy_into(maria, make_database(tmp_path / "old", "mlflow-3.17"), quote="`")

    done = brought(platform, f"mysql+pymysql://ana:p%40ss@127.0.0.1:{maria.port}/{name}", tmp_path)

    check(done)
    assert done.source == f"mysql://ana@127.0.0.1:{maria.port}/{name}"
    with pytest.raises(Denied, match="GRANT SELECT"):
        open_store(f"mysql://ana:wrong@127.0.0.1:{maria.port}/{name}")
    with maria.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}e")
    with pytest.raises(Invalid, match="it is empty"):
        open_store(f"mysql://root@127.0.0.1:{maria.port}/{name}e")


@pytest.mark.postgres
def test_all_of_a_postgresql_is_here(postgres_server: str, platform: Platform, tmp_path: Path) -> None:
    import psycopg

    name = f"d{time.monotonic_ns()}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        connection.execute(f"CREATE USER u{name}".encode())
    address = postgres_server.rpartition("/")[0] + f"/{name}"
    with psycopg.connect(address, autocommit=True) as connection:
        copy_into(connection, make_database(tmp_path / "old", "mlflow-3.17"), quote='"')

    done = brought(platform, address.replace("postgresql://", "postgresql+psycopg2://"), tmp_path)

    check(done)
    with pytest.raises(Denied, match="GRANT SELECT"):
        open_store(address.replace("airside@", f"u{name}@"))


def in_mlflow(text: str, uri: str, folder: Path) -> str:
    """Run a line of Python with MLflow's client in a process of its own; the last line that it said."""
    line = "import sys; sys.path.insert(0, {!r}); " + text
    code = line.replace("{!r}", repr(str(ROOT))).replace("{0!r}", repr(uri))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.rpartition("\n")[0].rpartition("\n")[2]


def command(address: object, server: RunningServer, *more: str) -> list[str]:
    return [sys.executable, "-m", "airside", "import", "mlflow", str(address), "--url", server.url, "--json", *more]


def test_an_import_that_is_killed_goes_on_and_the_client_reads_what_it_read(
    server: RunningServer, tmp_path: Path
) -> None:
    pytest.importorskip("mlflow")
    path = tmp_path / "old" / "mlflow.db"
    path.parent.mkdir()
    in_mlflow("from tests.client.imports.make_store import fill; fill({0!r}, 4)", f"sqlite:///{path}", path.parent)
    read = "import json; from tests.client.imports.reading import everything; print(json.dumps(everything({0!r})))"
    before = json.loads(in_mlflow(read, f"sqlite:///{path}", path.parent))
    chance = random.Random(7)
    for _ in range(4):
        process = subprocess.Popen(command(path, server), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.2, 1.2))  # a moment to be killed at, not one to wait for
        process.kill()
        process.wait()

    done = subprocess.run(command(path, server, "--skip-existing"), capture_output=True, text=True, check=True)

    report = json.loads(done.stdout)["report"]
    assert (report["n_differences"], [count["skipped"] for count in report["counts"]]) == (0, [0] * 9)
    after = json.loads(in_mlflow(read, server.url, path.parent))
    moved = [line for line in differences(before, after) if "mlflow-artifacts:/" not in line]
    assert moved == []


def test_differences_end_with_status_1_and_a_wrong_source_is_told(server: RunningServer, tmp_path: Path) -> None:
    path = make_database(tmp_path / "old", "mlflow-3.17")
    lost = next(path.parent.rglob("hello.txt"))
    lost.rename(lost.with_name("a#b.txt"))  # a name that no artifact may have

    done = subprocess.run(command(path, server), capture_output=True, text=True, check=False)
    none = subprocess.run(command(path.parent / "no.db", server), capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert (
        "a#b.txt: the artifact store takes no file of this name" in json.loads(done.stdout)["report"]["differences"][0]
    )
    assert (none.returncode, "Traceback" in none.stderr) == (1, False)
