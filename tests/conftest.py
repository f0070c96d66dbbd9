"""What all tests share: a platform on each database, a clock that tests own, a PostgreSQL server of their own."""

import itertools
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
import urllib3
from _pytest.doctest import DoctestModule
from hypothesis import HealthCheck, settings

from airside.core.clock import FixedClock
from airside.core.settings import Settings
from airside.platform.wiring import Platform
from airside.store import private
from airside.store.sql.bootstrap import prepare
from airside.store.sql.database import database_of

# The same examples in every run, and none of Hypothesis's clocks: a busy machine is no fault of the code.
settings.register_profile("airside", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("airside")
# Hundreds of processes that the tests start would each compile the source again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

_schemas = itertools.count(1)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file() -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """The examples of docstrings are those of the source: in the files of tests nobody looks for any."""
    return [found for found in (yield) if not isinstance(found, DoctestModule)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A PostgreSQL server from Debian's packages on a free port; its URL."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not binaries:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    # Not below pytest's own folder: that is closed to other users, and PostgreSQL refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="airside-postgres-"))
    port = free_port()
    as_user: list[str] = []
    if os.geteuid() == 0:
        as_user = ["runuser", "-u", "postgres", "--"]
        shutil.chown(folder, "postgres")
    data = folder / "data"
    run = [
        *as_user,
        str(binaries[-1] / "initdb"),
        "-D",
        str(data),
        "-A",
        "trust",
        "-U",
        "airside",
        "--no-sync",
        "-E",
        "UTF8",
    ]
    subprocess.run(run, check=True, capture_output=True)
    options = f"-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={data} -c fsync=off"
    control = [*as_user, str(binaries[-1] / "pg_ctl"), "-D", str(data), "-w"]
    subprocess.run(
        [*control, "-l", str(data / "log"), "-o", options, "start"],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield f"postgresql://airside@127.0.0.1:{port}/postgres"
    subprocess.run([*control, "-m", "immediate", "stop"], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty store: SQLite's default, and a schema of its own on PostgreSQL."""
    if request.param == "sqlite":
        return ""
    server: str = request.getfixturevalue("postgres_server")
    import psycopg

    schema = f"t{next(_schemas)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
    return f"{server}?options=-csearch_path%3D{schema}"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture(scope="session")
def postgres_store(postgres_server: str) -> Iterator["PostgresStore"]:
    """A store with its tables made, which one test after another uses: to make 120 tables takes longer than a test."""
    store = PostgresStore(postgres_server)
    yield store
    store.close()


class PostgresStore:
    """A schema with the tables of a store, and a connection that empties them."""

    def __init__(self, server: str) -> None:
        import psycopg

        schema = f"t{next(_schemas)}"
        self.url = f"{server}?options=-csearch_path%3D{schema}"
        self._connection = psycopg.connect(self.url, autocommit=True)
        self._connection.execute(f"CREATE SCHEMA {schema}".encode())
        prepare(database_of(self.url, Path()))
        tables = self._connection.execute(b"SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        names = [name for (name,) in tables.fetchall() if name != "schema_version"]
        self._connection.execute(EMPTYING.format(emptied="\n".join(map(EMPTIED.format, names))).encode())

    def clear(self) -> None:
        """Take every row out, and begin to count again."""
        self._connection.execute(b"SELECT clear_store()")

    def close(self) -> None:
        self._connection.close()


EMPTIED = "IF EXISTS (SELECT 1 FROM {0}) THEN DELETE FROM {0}; END IF;"
EMPTYING = """
CREATE FUNCTION clear_store() RETURNS void LANGUAGE plpgsql AS $$
DECLARE one record;
BEGIN
    {emptied}
    FOR one IN SELECT sequencename FROM pg_sequences WHERE schemaname = current_schema() AND last_value IS NOT NULL LOOP
        EXECUTE format('ALTER SEQUENCE %I RESTART', one.sequencename);
    END LOOP;
END $$
"""


@pytest.fixture(scope="session")
def sqlite_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with its tables made, to be copied."""
    folder = tmp_path_factory.mktemp("store")
    prepare(database_of("", folder))
    return folder / "airside.db"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a store without rows: SQLite's default, and on PostgreSQL one that the test leaves empty again."""
    if request.param == "sqlite":
        yield ""
        return
    store: PostgresStore = request.getfixturevalue("postgres_store")
    yield store.url
    store.clear()


@pytest.fixture
def platform(tmp_path: Path, store_url: str, sqlite_store: Path, clock: FixedClock) -> Iterator[Platform]:
    """An open platform on an empty store; closed after the test. It survives no power cut, and no test makes one."""
    settings = Settings.load(
        None, environment={}, flags={"database": store_url, "synchronous": "OFF", "reader_threads": 1}
    )
    if not store_url:
        private.folder(tmp_path / "home")
        private.make(tmp_path / "home" / "airside.db")
        shutil.copyfile(sqlite_store, tmp_path / "home" / "airside.db")
    opened = Platform.open(tmp_path / "home", settings=settings, clock=clock)
    yield opened
    opened.close()


class RunningServer:
    """A real `airside server` process on a free port, stopped by the test that started it."""

    def __init__(self, home: Path, *flags: str) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._flags = flags
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "airside", "server", "--home", str(self.home)]
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port), *self._flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline()
        self._wait()

    def _wait(self) -> None:
        pool = urllib3.PoolManager(retries=urllib3.Retry(total=200, backoff_factor=0.0, backoff_max=0.02))
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                if pool.request("GET", self.url + "/health", retries=False).status == 200:
                    pool.clear()
                    return
            except urllib3.exceptions.HTTPError:
                assert self.process.poll() is None, self.said + (
                    self.process.stdout.read() if self.process.stdout else ""
                )
                time.sleep(0.01)
        raise AssertionError(self.said)

    def kill(self) -> None:
        """kill -9: nothing is said, nothing is tidied."""
        self.process.kill()
        self._ended()

    def stop(self) -> int:
        """SIGTERM, as a supervisor does; the exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        return self._ended()

    def _ended(self) -> int:
        code = self.process.wait(timeout=15)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    """A server on an empty home."""
    running = RunningServer(tmp_path / "home")
    yield running
    running.stop()
