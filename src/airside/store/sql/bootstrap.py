"""From whatever is in the database to the newest schema, before anything else touches it."""

from airside.core.errors import Unavailable, WrongUse
from airside.core.plugin import load
from airside.store.sql.ddl import HEAD, ddl_text
from airside.store.sql.session import Database, Session, tables_of


def prepare(database: Database) -> bool:
    """Make the tables in an empty store, bring an older store up to date; True if it was empty.

    Idempotent. Under the database's own lock, so that of two servers that start at once one waits for the other.

    Raises:
        Unavailable: the store was written by a newer release. WrongUse: it is not a store of Airside.
    """
    _refuse_foreign(database.tables())
    session = database.open(readonly=False)
    try:
        session.begin()
        _lock(session)
        found = _revision(session)
        if found == HEAD:
            session.rollback()
            return False
        if found == "":
            session.script(ddl_text(database.dialect))
            session.run("INSERT INTO schema_version (revision) VALUES (?)", (HEAD,))
            session.commit()
            return True
        session.rollback()
    finally:
        session.close()
    if found > HEAD:
        raise Unavailable(
            f"{database.label} has the schema {found}; this release knows up to {HEAD}. "
            "Start it with the newer release that wrote it, or restore a backup made before."
        )
    load("airside.store.sql.upgrade:upgrade")(database, found)
    return False


def _lock(session: Session) -> None:
    """SQLite's BEGIN IMMEDIATE is the lock; PostgreSQL needs one of its own."""
    if session.dialect == "postgresql":
        session.run("SELECT pg_advisory_xact_lock(4918273)")


def _revision(session: Session) -> str:
    """The schema's revision; empty for an empty store."""
    tables = tables_of(session)
    if "schema_version" in tables:
        row = session.one("SELECT revision FROM schema_version")
        return str(row[0]) if row else ""
    _refuse_foreign(tables)
    return ""


def _refuse_foreign(tables: set[str]) -> None:
    if "schema_version" in tables or not tables - {"sqlite_sequence"}:
        return
    if "alembic_version" in tables and "experiments" in tables:
        raise WrongUse(
            "The database holds MLflow's tables; it is not opened or changed. Name an empty one (or none: then it is "
            "HOME/airside.db), and take this one over with: airside import mlflow URI"
        )
    raise WrongUse("The database holds tables of something else; it is not opened or changed. Name an empty one.")
