"""From whatever is in the database to the newest schema, before anything else touches it."""

from airside.core.errors import AirsideError, Unavailable
from airside.core.plugin import load
from airside.store.sql.ddl import HEAD, ddl_text
from airside.store.sql.session import Database, Session


def prepare(database: Database) -> bool:
    """Make the tables in an empty store, bring an older store up to date; True if it was empty.

    Idempotent. Under the database's own lock, so that of two servers that start at once one waits for the other.

    Raises:
        Unavailable: the store was written by a newer release, or is not a store of Airside.
    """
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
    if session.dialect == "sqlite":
        tables = {name for (name,) in session.all("SELECT name FROM sqlite_master WHERE type = ?", ("table",))}
    else:
        rows = session.all("SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()")
        tables = {name for (name,) in rows}
    if "schema_version" in tables:
        row = session.one("SELECT revision FROM schema_version")
        return str(row[0]) if row else ""
    if "alembic_version" in tables and "experiments" in tables:
        raise _not_ours(
            "holds MLflow's tables",
            "Name an empty database, and copy the runs with MLflow's client (docs/how-to/move-from-mlflow.md)",
        )
    if tables - {"sqlite_sequence"}:
        raise _not_ours("holds tables of something else", "Name an empty database")
    return ""


def _not_ours(found: str, way_out: str) -> AirsideError:
    return Unavailable(f"The database {found}; it is not opened or changed. {way_out}.")
