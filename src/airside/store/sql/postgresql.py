"""PostgreSQL, through psycopg 3, with the same texts as SQLite."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import urlsplit

import psycopg
from psycopg.pq import TransactionStatus

from airside.core.errors import AirsideError, AlreadyExists, DiskFull, Invalid, Unavailable
from airside.core.operation import Row
from airside.store.sql.session import QUERY_LIMIT_S, TOO_MUCH, ConnectionLost, Hooks, Session

READING = (f"statement_timeout = {int(QUERY_LIMIT_S * 1000)}", "jit = off", "max_parallel_workers_per_gather = 0")
"""Our queries end within milliseconds: to compile one, or to start workers for it, takes longer than to run it."""


@lru_cache(maxsize=4096)
def _translated(sql: str) -> str:
    """The text with psycopg's placeholders. A text holds no literal `?`."""
    return sql.replace("%", "%%").replace("?", "%s")


def _named(error: psycopg.Error) -> Exception:
    if isinstance(error, psycopg.errors.QueryCanceled):
        return Invalid(f"The query took longer than {QUERY_LIMIT_S:.0f} s and was ended. Narrow its filter.")
    if isinstance(error, psycopg.errors.DiskFull):
        return DiskFull()
    if isinstance(error, psycopg.IntegrityError):
        return AlreadyExists("A record with the same key is there already, or one that it names is not.")
    if isinstance(error, psycopg.DataError):
        return Invalid("A value cannot be stored: a number beyond 64 bits, or a text with a NUL character.")
    if isinstance(error, psycopg.OperationalError | psycopg.InternalError):  # the latter: read-only since a failover
        is_too_much = isinstance(error, psycopg.errors.ProgramLimitExceeded) or "number of parameters" in str(error)
        return Invalid(TOO_MUCH) if is_too_much else ConnectionLost(str(error))
    return error


@contextmanager
def _our_errors() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise _named(error) from error
    except (OverflowError, UnicodeEncodeError) as error:
        raise Invalid("A number beyond 64 bits, or a text that is not valid Unicode, cannot be stored.") from error


class PostgresSession(Hooks):
    """A session on psycopg, with plain tuples and prepared statements."""

    dialect: Literal["postgresql"] = "postgresql"

    def __init__(self, url: str, *, readonly: bool) -> None:
        super().__init__()
        self.is_reading = readonly
        self._db = psycopg.connect(url, autocommit=True, prepare_threshold=2)
        self._db.prepared_max = 1000
        self._writes = 0
        self._begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if readonly else "BEGIN"
        if readonly:
            for setting in READING:
                self._db.execute(f"SET {setting}".encode())

    def all(self, sql: str, args: Sequence[Any] = ()) -> list[Row]:
        """Every row."""
        self._writes += not sql.startswith("SELECT")
        with _our_errors():
            return self._db.execute(_translated(sql).encode(), args).fetchall()

    def one(self, sql: str, args: Sequence[Any] = ()) -> Row | None:
        """The first row, or None."""
        self._writes += not sql.startswith("SELECT")
        with _our_errors():
            return self._db.execute(_translated(sql).encode(), args).fetchone()

    def run(self, sql: str, args: Sequence[Any] = ()) -> int:
        """Execute; the rows touched."""
        with _our_errors():
            touched = self._db.execute(_translated(sql).encode(), args).rowcount
        self._writes += touched != 0
        return touched

    def many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Execute once for each row."""
        self._writes += 1
        with _our_errors(), self._db.cursor() as cursor:
            cursor.executemany(_translated(sql).encode(), rows)

    def insert(self, sql: str, args: Sequence[Any] = ()) -> int:
        """Insert a row; its id."""
        row = self.one(f"{sql} RETURNING id", args)
        return int(row[0]) if row else 0

    def _written(self) -> int:
        return self._writes if self._db.info.transaction_status == TransactionStatus.INTRANS else -1

    def _plain(self, text: str) -> None:
        with _our_errors():
            self._db.execute(text.encode(), prepare=False)

    def begin(self) -> None:
        """Open the transaction."""
        self._clear()
        self._plain(self._begin)

    def commit(self) -> None:
        """Make it durable."""
        self._plain("COMMIT")

    def rollback(self) -> None:
        """Undo; never raises."""
        self._clear()
        with suppress(AirsideError, ConnectionLost, psycopg.Error):
            self._plain("ROLLBACK")

    def savepoint(self) -> None:
        """Mark."""
        self._mark()
        self._plain("SAVEPOINT op")

    def release(self) -> None:
        """Keep."""
        self._plain("RELEASE op")

    def rollback_to(self) -> None:
        """Go back."""
        self._undo()
        self._plain("ROLLBACK TO op")
        self._plain("RELEASE op")

    def script(self, text: str) -> None:
        """Execute statements one by one."""
        for statement in text.split(";\n"):
            if statement.strip():
                self._plain(statement)

    def close(self) -> None:
        """Close."""
        self._db.close()


class PostgresDatabase:
    """A database on a server."""

    dialect: Literal["postgresql"] = "postgresql"

    def __init__(self, url: str) -> None:
        _, _, rest = url.partition("://")
        self.url = f"postgresql://{rest}"  # psycopg does not know SQLAlchemy's `+driver`
        parts = urlsplit(self.url)
        self.label = f"PostgreSQL ({parts.hostname or 'local socket'}{parts.path})"

    def open(self, *, readonly: bool) -> Session:
        """A connection."""
        try:
            return PostgresSession(self.url, readonly=readonly)
        except psycopg.OperationalError as error:
            reason = " ".join(str(error).split())[:500]
            raise Unavailable(f"{self.label} does not answer: {reason}") from error

    def tables(self) -> set[str]:
        """Opening changes nothing here."""
        return set()

    def checkpoint(self) -> None:
        """PostgreSQL does its own."""

    def between_groups(self, session: Session) -> None:
        """PostgreSQL does its own."""
