"""From a URL to a database."""

from pathlib import Path
from urllib.parse import parse_qsl

from airside.core.errors import Invalid, WrongUse
from airside.core.plugin import load
from airside.store.sql.session import Database
from airside.store.sql.sqlite import SqliteDatabase

_ELSEWHERE = ("mysql", "mariadb", "mssql", "file", "databricks", "http", "https")
_HARMLESS = frozenset({"timeout", "check_same_thread", "cached_statements", "isolation_level"})
"""What SQLAlchemy passes to SQLite's driver: one writer never waits for another, so none of it matters here."""


def database_of(url: str, home: Path, *, synchronous: str = "FULL") -> Database:
    """The database that a URL names; an empty one is `airside.db` in the home.

    Raises:
        WrongUse: the URL names a kind of store that Airside does not run on. Invalid: its driver is not installed.
    """
    scheme, mark, rest = url.partition("://")
    kind = scheme.partition("+")[0] if mark else ""
    if not url:
        return SqliteDatabase(home / "airside.db", synchronous=synchronous)
    if kind == "sqlite":
        return SqliteDatabase(_sqlite_file(rest), synchronous=synchronous)
    if kind in ("postgresql", "postgres"):
        try:
            made: Database = load("airside.store.sql.postgresql:PostgresDatabase")(url)
        except ModuleNotFoundError as missing:
            raise Invalid("PostgreSQL needs its driver. Install it with: pip install 'airside[postgres]'") from missing
        return made
    if kind in _ELSEWHERE or not mark:
        raise WrongUse(
            f"Airside does not run on {kind or 'a folder of files'}: it runs on SQLite and PostgreSQL. What such a "
            "store holds is taken over with: airside import mlflow URI"
        )
    raise WrongUse(f"No database of the kind '{kind}'. There are: sqlite:///FILE, postgresql://USER@HOST/NAME.")


def _sqlite_file(rest: str) -> Path:
    """The file behind `sqlite://`: as SQLAlchemy reads it, `/` and a path relative to the working folder."""
    path, _, query = rest.partition("?")
    name = path.removeprefix("/")
    unknown = {key for key, _ in parse_qsl(query, keep_blank_values=True)} - _HARMLESS
    if not path.startswith("/") or name in ("", ":memory:") or unknown:
        raise WrongUse(
            f"'sqlite://{rest[:200]}' names no database file. One looks like sqlite:///airside.db (in the working "
            "folder) or sqlite:////srv/airside.db."
        )
    return Path(name)
