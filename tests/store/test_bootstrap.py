"""A store is made, found, brought up to date or refused, before anything else touches it."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from airside.core.errors import Unavailable, WrongUse
from airside.store.sql.bootstrap import prepare
from airside.store.sql.database import database_of
from airside.store.sql.ddl import HEAD, ddl_text
from airside.store.sql.ddl.__main__ import generated
from airside.store.sql.schema import METADATA
from airside.store.sql.session import Database
from airside.store.sql.upgrade import upgrade


@pytest.fixture
def empty(database_url: str, tmp_path: Path) -> Database:
    return database_of(database_url, tmp_path)


def done(database: Database, *statements: str) -> None:
    session = database.open(readonly=False)
    session.begin()
    for statement in statements:
        session.run(statement)
    session.commit()
    session.close()


def asked(database: Database, sql: str) -> list[tuple[object, ...]]:
    session = database.open(readonly=True)
    try:
        session.begin()
        return session.all(sql)
    finally:
        session.close()


def test_an_empty_store_is_made_once_and_found_again(empty: Database) -> None:
    assert (prepare(empty), prepare(empty)) == (True, False)
    assert asked(empty, "SELECT revision FROM schema_version") == [(HEAD,)]


def test_of_two_that_start_at_once_one_makes_it(empty: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: prepare(empty), range(4)))
    assert sorted(made) == [False, False, False, True]
    assert asked(empty, "SELECT revision FROM schema_version") == [(HEAD,)]


def test_a_newer_store_is_left_alone_and_the_way_out_told(empty: Database) -> None:
    prepare(empty)
    done(empty, "UPDATE schema_version SET revision = '9999'")
    with pytest.raises(Unavailable, match=r"has the schema 9999; this release knows up to .* newer release"):
        prepare(empty)
    assert asked(empty, "SELECT revision FROM schema_version") == [("9999",)]


def test_mlflows_store_is_left_alone_and_the_way_over_told(empty: Database) -> None:
    done(empty, "CREATE TABLE alembic_version (v TEXT)", "CREATE TABLE experiments (id INTEGER)")
    with pytest.raises(WrongUse, match=r"holds MLflow's tables; .*airside import mlflow"):
        prepare(empty)


def test_somebody_elses_store_is_left_alone(empty: Database) -> None:
    done(empty, "CREATE TABLE customers (id INTEGER)")
    with pytest.raises(WrongUse, match=r"holds tables of something else; .* Name an empty one"):
        prepare(empty)
    with pytest.raises(Exception, match=r"schema_version"):
        asked(empty, "SELECT revision FROM schema_version")


def test_a_store_half_made_is_not_there(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = ddl_text(empty.dialect) + "CREATE NONSENSE;\n"
    with monkeypatch.context() as during:
        during.setattr("airside.store.sql.bootstrap.ddl_text", lambda _dialect: broken)
        with pytest.raises(Exception, match=r"(?i)syntax|nonsense"):
            prepare(empty)
    assert prepare(empty) is True


def test_an_older_store_is_copied_and_brought_up_to_date(empty: Database, tmp_path: Path) -> None:
    prepare(empty)
    done(empty, "UPDATE schema_version SET revision = '0001'")
    upgrade(empty, "0001")
    assert asked(empty, "SELECT revision FROM schema_version") == [(HEAD,)]
    assert (tmp_path / "airside.db.0001.bak").exists() == (empty.dialect == "sqlite")


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_the_committed_ddl_is_the_generated_one(dialect: str) -> None:
    assert ddl_text(dialect) == generated(dialect), "run: make schema"  # type: ignore[arg-type]


def described(path: Path) -> dict[str, str]:
    """The text of every table, index and view of a SQLite file, without its white space."""
    with closing(sqlite3.connect(path)) as db:
        rows = db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name <> 'alembic_version'")
        return {name: "".join(sql.replace("IF NOT EXISTS", "").split()) for name, sql in rows}


def test_the_chain_of_migrations_makes_the_same_tables(tmp_path: Path) -> None:
    from alembic import command
    from alembic.config import Config

    made, migrated = database_of("", tmp_path), f"sqlite:///{tmp_path}/migrated.db"
    prepare(made)
    engine = create_engine(migrated)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "airside.store.sql:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD
    engine.dispose()
    assert described(tmp_path / "migrated.db") == described(tmp_path / "airside.db")


def test_every_table_of_the_schema_is_in_the_store(empty: Database, database_url: str) -> None:
    prepare(empty)
    which: Callable[[str], str] = lambda name: f"SELECT COUNT(*) FROM {name}"  # noqa: E731
    counts = {table.name: asked(empty, which(table.name)) for table in METADATA.sorted_tables}
    assert {rows[0][0] for name, rows in counts.items() if name != "schema_version"} == {0}
