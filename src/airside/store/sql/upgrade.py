"""Bring an older store up to date with Alembic. Imported only when a store is older."""

import shutil
from importlib.resources import files

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, text

from airside.store.sql.ddl import HEAD
from airside.store.sql.session import Database
from airside.store.sql.sqlite import SqliteDatabase


def upgrade(database: Database, found: str) -> None:
    """Run the steps from `found` to `HEAD`, after a copy of a SQLite file, in one transaction."""
    if isinstance(database, SqliteDatabase):
        shutil.copy2(database.path, database.path.with_name(f"{database.path.name}.{found}.bak"))
    engine = _engine(database)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(4918273)"))
        config = Config()
        config.set_main_option("script_location", str(files("airside.store.sql") / "migrations"))
        config.attributes["connection"] = connection
        command.stamp(config, found)
        command.upgrade(config, HEAD)
        connection.execute(text("UPDATE schema_version SET revision = :head"), {"head": HEAD})
    engine.dispose()


def _engine(database: Database) -> Engine:
    if isinstance(database, SqliteDatabase):
        return create_engine(f"sqlite:///{database.path}")
    url: str = database.url  # type: ignore[attr-defined]  # the other kind has one
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
