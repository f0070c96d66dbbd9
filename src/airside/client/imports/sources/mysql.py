"""A MySQL or MariaDB database, read in one read-only transaction."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pymysql
from pymysql.cursors import SSCursor

from airside.client.imports.sources.port import PAGE, Row
from airside.core.errors import Denied, Unavailable

NO_RIGHT = {1044, 1045, 1142, 1143, 1227}
_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"


class MysqlSource:
    """A database of another program's."""

    def __init__(self, url: str, label: str) -> None:
        self.label = label
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        try:
            self._db = pymysql.connect(
                host=parts.hostname or "localhost",
                port=parts.port or 3306,
                user=unquote(parts.username or "") or None,
                password=unquote(parts.password or ""),
                database=unquote(parts.path.lstrip("/")) or None,
                unix_socket=query.get("unix_socket"),
                ssl_ca=query.get("ssl_ca"),
                charset="utf8mb4",
                connect_timeout=10,
            )
            with self._db.cursor() as cursor:
                cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        except pymysql.Error as error:
            raise _named(label, error) from error

    def tables(self) -> frozenset[str]:
        """Its tables."""
        return frozenset(name for (name,) in self.all(_TABLES))

    def columns(self, table: str) -> frozenset[str]:
        """The columns of a table."""
        if table not in self.tables():
            return frozenset()
        return frozenset(row[0] for row in self.all(f'SHOW COLUMNS FROM "{table}"'))

    def all(self, sql: str, args: Sequence[Any] = ()) -> list[Row]:
        """Every row."""
        return list(self.stream(sql, args))

    def stream(self, sql: str, args: Sequence[Any] = ()) -> Iterator[Row]:
        """Every row, as it comes."""
        try:
            with self._db.cursor(SSCursor) as cursor:
                cursor.execute(sql.replace('"', "`").replace("?", "%s"), tuple(args) or None)
                while rows := cursor.fetchmany(PAGE):
                    yield from rows
        except pymysql.Error as error:
            raise _named(self.label, error) from error

    def close(self) -> None:
        """Close it."""
        self._db.close()


def _named(label: str, error: "pymysql.Error") -> Exception:
    number, text = (*error.args, "", "")[:2]
    if number in NO_RIGHT:
        return Denied(f"{label}: {text}. Give the user the right: GRANT SELECT ON DATABASE.* TO USER")
    return Unavailable(f"{label} cannot be read: {text or error}.")
