"""A SQLite file, opened read-only."""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from airside.client.imports.sources.port import PAGE, Row
from airside.core.errors import Denied, Invalid, NotFound, Unavailable

WAIT_S = 30


class SqliteSource:
    """A file of another program's. No statement of ours can change it: it is opened `mode=ro`."""

    def __init__(self, path: Path, label: str = "") -> None:
        self.label = label or f"sqlite:///{path}"
        if not path.exists():
            raise NotFound(f"There is no file {path}. Name the database that `--backend-store-uri` named.")
        if not (path.is_file() or path.is_dir()):
            raise Invalid(f"{path} is no file: a pipe, a device or a socket. Name the database.")
        try:
            with path.open("rb") as file:
                head = file.read(16)
        except IsADirectoryError:
            raise Invalid(f"{path} is a folder. A folder that MLflow wrote is named by its path: {path}") from None
        except PermissionError:
            raise Denied(f"{path} may not be read. Give this user the right to read it.") from None
        if head and head != b"SQLite format 3\0":
            raise Invalid(f"{path} is not a SQLite database.")
        self._db = self._opened(path)

    def tables(self) -> frozenset[str]:
        """Its tables."""
        return frozenset(name for (name,) in self.all("SELECT name FROM sqlite_master WHERE type = 'table'"))

    def columns(self, table: str) -> frozenset[str]:
        """The columns of a table."""
        return frozenset(row[1] for row in self.all(f'PRAGMA table_info("{table}")'))

    def all(self, sql: str, args: Sequence[Any] = ()) -> list[Row]:
        """Every row."""
        return list(self.stream(sql, args))

    def stream(self, sql: str, args: Sequence[Any] = ()) -> Iterator[Row]:
        """Every row, page by page."""
        try:
            cursor = self._db.execute(sql, args)
            while rows := cursor.fetchmany(PAGE):
                yield from rows
        except sqlite3.Error as error:
            raise _named(self.label, error) from error

    def close(self) -> None:
        """Close it."""
        self._db.close()

    def _opened(self, path: Path) -> sqlite3.Connection:
        place = f"file:{quote(str(path.resolve()))}?mode=ro"
        try:
            db = sqlite3.connect(place, uri=True, timeout=WAIT_S, check_same_thread=False, isolation_level=None)
            try:
                db.execute("SELECT 1 FROM sqlite_master LIMIT 1")
            except sqlite3.OperationalError:
                # A write-ahead log in a folder that cannot be written: without a log the file alone is the database.
                if path.with_name(f"{path.name}-wal").exists():
                    raise
                db.close()
                db = sqlite3.connect(f"{place}&immutable=1", uri=True, check_same_thread=False, isolation_level=None)
                db.execute("SELECT 1 FROM sqlite_master LIMIT 1")
        except sqlite3.Error as error:
            raise _named(self.label, error) from error
        return db


def _named(label: str, error: sqlite3.Error) -> Exception:
    text = str(error)
    if "locked" in text or "busy" in text:
        return Unavailable(f"{label} is held by another program. Stop the server that writes to it, or try again.")
    if "malformed" in text or "not a database" in text or "Could not decode" in text:
        return Invalid(f"{label} is damaged ({text}). Restore a backup of it, or mend it with: sqlite3 FILE .recover")
    return Unavailable(f"{label} cannot be read: {text}.")
