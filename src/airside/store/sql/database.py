"""From a URL to a database."""

from pathlib import Path

from airside.core.errors import Invalid
from airside.core.plugin import load
from airside.store.sql.session import Database
from airside.store.sql.sqlite import SqliteDatabase

_ELSEWHERE = ("mysql", "mssql", "file", "mlruns")


def database_of(url: str, home: Path, *, synchronous: str = "FULL") -> Database:
    """The database that a URL names; an empty one is `airside.db` in the home.

    Raises:
        Invalid: the URL names a kind of store that Airside does not run on, or its driver is not installed.
    """
    scheme, _, rest = url.partition("://")
    kind = scheme.partition("+")[0]
    if not url:
        return SqliteDatabase(home / "airside.db", synchronous=synchronous)
    if kind == "sqlite":
        path = rest.partition("?")[0]
        return SqliteDatabase(Path(path.removeprefix("/")), synchronous=synchronous)
    if kind in ("postgresql", "postgres"):
        try:
            made: Database = load("airside.store.sql.postgresql:PostgresDatabase")(url)
        except ModuleNotFoundError as missing:
            raise Invalid("PostgreSQL needs its driver. Install it with: pip install 'airside[postgres]'") from missing
        return made
    if kind in _ELSEWHERE:
        raise Invalid(
            f"Airside does not run on {kind}: it runs on SQLite and PostgreSQL. How to copy runs out of another store "
            "with MLflow's own client: docs/how-to/move-from-mlflow.md"
        )
    raise Invalid(f"No database of the kind '{kind}'. There are: sqlite:///FILE, postgresql://USER@HOST/NAME.")
