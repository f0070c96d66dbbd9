"""From an address that MLflow takes (`--backend-store-uri`) to an opened source."""

from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from airside.client.imports.sources.port import Source
from airside.client.imports.sources.sqlite import SqliteSource
from airside.core.errors import Invalid, NotFound
from airside.core.plugin import resolve

DRIVERS = {
    "postgresql": "airside.client.imports.sources.postgresql:PostgresSource",
    "mysql": "airside.client.imports.sources.mysql:MysqlSource",
}
EXTRAS = {"postgresql": "'airside[postgres]'", "mysql": "'airside[mysql]'"}
SCHEMES = {"postgres": "postgresql", "mariadb": "mysql"}


def without_password(uri: str) -> str:
    """An address as it may be shown.

    >>> without_password("postgresql+psycopg2://ana:s3cret@db:5432/mlflow?sslmode=require")
    'postgresql://ana@db:5432/mlflow'
    """
    parts = urlsplit(uri)
    scheme = parts.scheme.partition("+")[0]
    user, at, host = parts.netloc.rpartition("@")
    return urlunsplit((SCHEMES.get(scheme, scheme), f"{user.partition(':')[0]}{at}{host}", parts.path, "", ""))


def folder_of(uri: str) -> Path | None:
    """The folder that an address names; None when it names something else.

    >>> folder_of("file:///srv/mlruns").as_posix(), folder_of("sqlite:///mlflow.db")
    ('/srv/mlruns', None)
    """
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return Path(unquote(parts.path)).expanduser()
    path = Path(uri).expanduser()
    return path if not parts.scheme and not path.is_file() else None


def file_of(uri: str) -> Path | None:
    """The file of a SQLite database that an address names; None when it names something else.

    >>> file_of("sqlite:////srv/mlflow.db").as_posix(), file_of("postgresql://db/mlflow")
    ('/srv/mlflow.db', None)
    """
    scheme, mark, rest = uri.partition("://")
    if mark:
        is_sqlite = scheme.partition("+")[0] == "sqlite"
        return Path(unquote(rest.removeprefix("/").partition("?")[0])).expanduser() if is_sqlite else None
    path = Path(uri).expanduser()
    return path if path.is_file() else None


def open_database(uri: str) -> Source:
    """A database by MLflow's address of it, or by the path of a SQLite file.

    Raises:
        Invalid: no database of that kind can be read, or its driver is not installed.
        NotFound: there is none. Unavailable, Denied: it does not let us in.
    """
    scheme, _, rest = uri.partition("://")
    kind = scheme.partition("+")[0]
    kind = SCHEMES.get(kind, kind)
    if (file := file_of(uri)) is not None:
        return SqliteSource(file)
    if "://" not in uri:
        if not Path(uri).expanduser().exists():
            raise NotFound(f"There is no {uri}. Name a database (sqlite:///mlflow.db) or the folder mlruns.")
        return SqliteSource(Path(uri).expanduser())
    if kind not in DRIVERS:
        raise Invalid(
            f"Nothing is read from '{kind}://'. There are sqlite:///FILE, postgresql://…, mysql+pymysql://… and the "
            "path of a folder mlruns. From SQL Server, copy the database with MLflow's own tools first."
        )
    opened: Source = resolve(DRIVERS, kind, group="airside.sources", hint=EXTRAS[kind])(
        f"{kind}://{rest}", without_password(uri)
    )
    return opened
