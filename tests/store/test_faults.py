"""The n-th statement or commit fails: what was asked is whole or absent, and the next ask works."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from airside.core.clock import FixedClock
from airside.core.errors import AirsideError, DiskFull
from airside.core.operation import LOCAL
from airside.core.settings import Settings
from airside.platform.access.tokens import CreateToken, ListTokens
from airside.platform.house import GetAbout, VerifyAudit
from airside.platform.wiring import Platform
from airside.store.sql import sqlite
from airside.tracking.operations.experiments import CreateExperiment


class Failing:
    """A driver's connection whose n-th statement fails, in one of the ways that SQLite has."""

    def __init__(self, real: sqlite3.Connection) -> None:
        self.real = real
        self.fails_at = 0
        self.count = 0
        self.ends_transaction = False

    def _step(self) -> None:
        self.count += 1
        if self.count == self.fails_at:
            if self.ends_transaction and self.real.in_transaction:
                self.real.execute("ROLLBACK")
            raise sqlite3.OperationalError("database or disk is full")

    def execute(self, sql: str, args: Sequence[Any] = ()) -> sqlite3.Cursor:
        if not sql.startswith("ROLLBACK"):  # undoing needs no room
            self._step()
        return self.real.execute(sql, args)

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> sqlite3.Cursor:
        self._step()
        return self.real.executemany(sql, rows)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Platform, Callable[[], Failing]]]:
    """A platform, and its writer's newest connection."""
    made: list[Failing] = []
    plain = sqlite.SqliteSession.__init__

    def wrapped(self: Any, path: Path, **options: Any) -> None:
        plain(self, path, **options)
        self._db = Failing(self._db)
        if not options["readonly"]:
            made.append(self._db)

    monkeypatch.setattr(sqlite.SqliteSession, "__init__", wrapped)
    settings = Settings.load(None, environment={})
    platform = Platform.open(tmp_path / "home", settings=settings, clock=FixedClock())
    yield platform, lambda: made[-1]
    platform.close()


@pytest.mark.parametrize("ends_transaction", [False, True], ids=["statement", "transaction"])
@pytest.mark.parametrize("fails_at", range(1, 14))
def test_whichever_statement_fails_all_is_whole_or_absent(
    opened: tuple[Platform, Callable[[], Failing]], fails_at: int, ends_transaction: bool
) -> None:
    platform, driver = opened
    before = platform.call(LOCAL, GetAbout())
    failing = driver()
    failing.count, failing.fails_at, failing.ends_transaction = 0, fails_at, ends_transaction
    error: AirsideError | None = None
    try:
        platform.call(LOCAL, CreateExperiment(name="x"), idempotency_key="k")
    except AirsideError as caught:
        error = caught
    failing.fails_at = 0
    after = platform.call(LOCAL, GetAbout())
    done = error is None
    assert done or type(error) is DiskFull
    assert (after.events - before.events, after.audit_records - before.audit_records) == ((1, 1) if done else (0, 0))
    again = platform.call(LOCAL, CreateExperiment(name="x"), idempotency_key="k")
    assert again.experiment_id == "1"
    assert platform.call(LOCAL, GetAbout()).events - before.events == 1
    assert platform.call(LOCAL, VerifyAudit()).holds


def test_the_faults_reach_behind_the_commit(opened: tuple[Platform, Callable[[], Failing]]) -> None:
    """Else the test above would stop short of the last statement."""
    platform, driver = opened
    driver().count = 0
    platform.call(LOCAL, CreateExperiment(name="x"), idempotency_key="k")
    assert driver().count < 14


def test_a_neighbour_of_a_failed_statement_is_kept(opened: tuple[Platform, Callable[[], Failing]]) -> None:
    platform, driver = opened
    platform.call(LOCAL, CreateToken(name="before"))
    failing = driver()
    failing.count, failing.fails_at = 0, 3
    with pytest.raises(DiskFull):
        platform.call(LOCAL, CreateToken(name="full"))
    platform.call(LOCAL, CreateToken(name="after"))
    assert [token.name for token in platform.call(LOCAL, ListTokens()).items] == ["before", "after"]
