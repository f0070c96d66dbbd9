"""A PostgreSQL database, read in one read-only transaction: it stays as it was when the import began."""

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from airside.client.imports.sources.port import PAGE, Row
from airside.core.errors import Denied, Unavailable

_TABLES = "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = ANY (current_schemas(false))"


class PostgresSource:
    """A database of another program's."""

    def __init__(self, url: str, label: str) -> None:
        self.label = label
        try:
            self._db = psycopg.connect(url, connect_timeout=10)
        except psycopg.Error as error:
            raise _named(label, error) from error
        self._db.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        self._db.read_only = True

    def tables(self) -> frozenset[str]:
        """Its tables."""
        return frozenset(name for (name,) in self.all(_TABLES))

    def columns(self, table: str) -> frozenset[str]:
        """The columns of a table."""
        if table not in self.tables():
            return frozenset()
        try:
            with self._db.cursor() as cursor:
                cursor.execute(f'SELECT * FROM "{table}" WHERE 1 = 0'.encode())
                return frozenset(column.name for column in cursor.description or ())
        except psycopg.Error as error:
            raise _named(self.label, error) from error

    def all(self, sql: str, args: Sequence[Any] = ()) -> list[Row]:
        """Every row."""
        try:
            return self._db.execute(sql.replace("?", "%s").encode(), args).fetchall()
        except psycopg.Error as error:
            raise _named(self.label, error) from error

    def stream(self, sql: str, args: Sequence[Any] = ()) -> Iterator[Row]:
        """Every row, through a cursor of the server's."""
        try:
            with self._db.cursor(name="airside_import") as cursor:
                cursor.itersize = PAGE
                cursor.execute(sql.replace("?", "%s").encode(), args)
                yield from cursor
        except psycopg.Error as error:
            raise _named(self.label, error) from error

    def close(self) -> None:
        """Close it."""
        self._db.close()


def _named(label: str, error: psycopg.Error) -> Exception:
    text = " ".join(str(error).split())
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return Denied(f"{label}: {text}. Give the user the right: GRANT SELECT ON ALL TABLES IN SCHEMA public TO USER")
    return Unavailable(f"{label} cannot be read: {text}.")
