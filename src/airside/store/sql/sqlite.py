"""SQLite: WAL, `synchronous=FULL`, one file, checkpoints outside the writer's way."""

import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from airside.core.errors import AlreadyExists, DiskFull, Invalid, Unavailable
from airside.core.operation import Row
from airside.store.private import folder, make
from airside.store.sql.regular import matches
from airside.store.sql.session import QUERY_LIMIT_S, TOO_MUCH, Hooks, Session

RESTART_PAGES = 1024
"""With more pages than this in the write-ahead log (4 MiB) the writer itself begins it anew between two groups: under
constant load it would grow on, because the checkpointer never catches up, and to sync a file that grows takes twice as
long. Asked once a second, so the log comes to hold what a second writes."""
LOG_BYTES = 64 << 20
"""What is kept of the log's file when a long reader let it grow further."""

_INSTRUCTIONS_PER_LOOK = 20_000


# Each statement names these itself: a context manager around it would cost as much as the statement.
_MISTAKES = (sqlite3.Error, OverflowError, UnicodeEncodeError)


def _named(error: Exception) -> Exception:
    """An error of the driver as one of ours."""
    if isinstance(error, sqlite3.IntegrityError):
        return AlreadyExists("A record with the same key is there already, or one that it names is not.")
    if isinstance(error, OverflowError | UnicodeEncodeError):
        return Invalid("A number beyond 64 bits, or a text that is not valid Unicode, cannot be stored.")
    return _named_by_text(error, str(error))


_TOO_MUCH = ("too many", "too large", "too big", "at most 64 tables", "too complex", "stack overflow")
"""Words of SQLite's own limits."""


def _named_by_text(error: Exception, text: str) -> Exception:
    """SQLite tells what went wrong in words only."""
    if "disk is full" in text or "disk I/O" in text:
        return DiskFull()
    if "interrupted" in text:
        return Invalid(f"The query took longer than {QUERY_LIMIT_S:.0f} s and was ended. Narrow its filter.")
    if any(words in text for words in _TOO_MUCH):
        return Invalid(TOO_MUCH)
    if "locked" in text or "busy" in text:
        return Unavailable("The database is held by another process.")
    if "readonly" in text or "unable to open" in text:
        return Unavailable("The database cannot be written. Is its folder read-only, or the disk full?")
    return error


class SqliteSession(Hooks):
    """A session on SQLite's own driver, with plain tuples."""

    dialect: Literal["sqlite"] = "sqlite"

    def __init__(self, path: Path, *, readonly: bool, synchronous: str, check: Callable[[], None]) -> None:
        super().__init__()
        self.is_reading = readonly
        self._check = check
        self._begin = "BEGIN" if readonly else "BEGIN IMMEDIATE"
        self._db = sqlite3.connect(
            path, isolation_level=None, cached_statements=1024, check_same_thread=False, timeout=30
        )
        self._db.create_function("regexp", 2, matches, deterministic=True)
        execute = self._db.execute
        execute("PRAGMA journal_mode=WAL")
        execute(f"PRAGMA synchronous={synchronous}")
        execute("PRAGMA foreign_keys=ON")
        execute("PRAGMA wal_autocheckpoint=0")
        execute(f"PRAGMA journal_size_limit={LOG_BYTES}")
        execute("PRAGMA temp_store=MEMORY")
        execute("PRAGMA cache_size=-8192")
        if readonly:
            execute("PRAGMA cache_size=-16384")
            execute("PRAGMA query_only=ON")
            self._deadline = float("inf")
            self._db.set_progress_handler(self._is_late, _INSTRUCTIONS_PER_LOOK)

    def _is_late(self) -> int:
        return time.monotonic() > self._deadline

    def all(self, sql: str, args: Sequence[Any] = ()) -> list[Row]:
        """Every row."""
        try:
            return self._db.execute(sql, args).fetchall()
        except _MISTAKES as error:
            raise _named(error) from error

    def one(self, sql: str, args: Sequence[Any] = ()) -> Row | None:
        """The first row, or None."""
        try:
            row: Row | None = self._db.execute(sql, args).fetchone()
            return row
        except _MISTAKES as error:
            raise _named(error) from error

    def run(self, sql: str, args: Sequence[Any] = ()) -> int:
        """Execute; the rows touched."""
        try:
            return self._db.execute(sql, args).rowcount
        except _MISTAKES as error:
            raise _named(error) from error

    def many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Execute once for each row."""
        try:
            self._db.executemany(sql, rows)
        except _MISTAKES as error:
            raise _named(error) from error

    def insert(self, sql: str, args: Sequence[Any] = ()) -> int:
        """Insert a row; its id. Without RETURNING, which would double the price: SQLite keeps its rows in a table."""
        try:
            return self._db.execute(sql, args).lastrowid or 0
        except _MISTAKES as error:
            raise _named(error) from error

    def _written(self) -> int:
        return self._db.total_changes if self._db.in_transaction else -1

    def begin(self) -> None:
        """Open the transaction."""
        self._clear()
        if self.is_reading:
            self._deadline = time.monotonic() + QUERY_LIMIT_S
        else:
            self._check()
        self.run(self._begin)

    def commit(self) -> None:
        """Make it durable."""
        self.run("COMMIT")

    def rollback(self) -> None:
        """Undo; never raises."""
        self._clear()
        if self._db.in_transaction:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")

    def savepoint(self) -> None:
        """Mark."""
        self._mark()
        self.run("SAVEPOINT op")

    def release(self) -> None:
        """Keep."""
        self.run("RELEASE op")

    def rollback_to(self) -> None:
        """Go back. A full disk may have ended the whole transaction: then there is nothing to go back to."""
        self._undo()
        if not self._db.in_transaction:
            raise DiskFull
        self.run("ROLLBACK TO op")
        self.run("RELEASE op")

    def script(self, text: str) -> None:
        """Execute statements one by one, inside the open transaction (`executescript` would commit it)."""
        for statement in text.split(";\n"):
            if statement.strip():
                self._db.execute(statement)

    def close(self) -> None:
        """Close."""
        self._db.close()


class SqliteDatabase:
    """A database file."""

    dialect: Literal["sqlite"] = "sqlite"

    def __init__(self, path: Path, *, synchronous: str = "FULL") -> None:
        self.path = path
        self.label = f"SQLite ({path.name})"
        self._synchronous = synchronous
        self._is_written = self._is_grown = False
        self._identity: tuple[int, int] | None = None

    def open(self, *, readonly: bool) -> Session:
        """A connection to the file, which is made when it is not there, for this user alone (its logs follow it)."""
        try:
            if not readonly:
                self.check()
                if self._identity is None:
                    folder(self.path.parent)
                    make(self.path)
                    self.check()
            return SqliteSession(self.path, readonly=readonly, synchronous=self._synchronous, check=self.check)
        except (sqlite3.DatabaseError, OSError) as error:
            raise Unavailable(
                f"{self.path.name} cannot be opened: {error}. Is it a database of Airside, in a folder that "
                "can be written, on a disk with room?"
            ) from error

    def check(self) -> None:
        """Refuse to write into a file that lies no longer where it was opened: what it took would be lost with it.

        Nor is it opened anew by any but SQLite once it is there: to close a handle gives up the locks of all others.

        Raises:
            Unavailable: it was moved, deleted or replaced.
        """
        try:
            found = self.path.stat()
        except OSError:  # nor its folder, or it may not be looked at
            if self._identity is None:
                return
            found = None
        identity = None if found is None else (found.st_dev, found.st_ino)
        self._identity = self._identity or identity
        if identity != self._identity:
            raise Unavailable(
                f"{self.path.name} was moved, deleted or replaced while the server ran. Nothing was written. Put it "
                "back, or stop the server and start it again."
            )

    def tables(self) -> set[str]:
        """The names of the tables. Opening as ours would turn a foreign file's log into a write-ahead log."""
        if not self.path.is_file() or not self.path.stat().st_size:
            return set()
        try:
            with closing(sqlite3.connect(f"file:{quote(os.fsencode(self.path.absolute()))}?mode=ro", uri=True)) as db:
                return {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        except sqlite3.Error:  # what is wrong with it is told when it is opened
            return set()

    def checkpoint(self) -> None:
        """Copy what was written into the database, without making writers wait.

        A log that is copied whole is begun anew by the next write, in place: a file that does not grow needs half the
        time for each fsync. So the log is never cut.
        """
        if not self._is_written:
            return
        self._is_written = False
        with suppress(sqlite3.Error), closing(sqlite3.connect(self.path, isolation_level=None, timeout=0.1)) as db:
            db.execute(f"PRAGMA synchronous={self._synchronous}")
            _, pages, _ = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            self._is_grown = pages > RESTART_PAGES

    def between_groups(self, session: Session) -> None:
        """Begin a grown log anew; the checkpointer has left little to copy."""
        self._is_written = True
        if self._is_grown:
            self._is_grown = False
            with suppress(sqlite3.Error):  # a reader in the way, a full disk: the next look asks again
                session.script("PRAGMA busy_timeout=20;\nPRAGMA wal_checkpoint(RESTART);\nPRAGMA busy_timeout=30000")
