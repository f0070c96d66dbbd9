"""A prepared store on each database, and its sessions."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from airside.store.sql.bootstrap import prepare
from airside.store.sql.database import database_of
from airside.store.sql.readers import Readers
from airside.store.sql.session import Database, Session
from airside.store.sql.writer import Writer


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Database:
    """An empty store with the newest schema."""
    made = database_of(database_url, tmp_path)
    prepare(made)
    return made


@pytest.fixture
def opened(database: Database) -> Iterator[Callable[..., Session]]:
    """Opens sessions, and closes them after the test."""
    sessions: list[Session] = []

    def open_one(*, readonly: bool = False) -> Session:
        sessions.append(database.open(readonly=readonly))
        return sessions[-1]

    yield open_one
    for session in sessions:
        session.rollback()
        session.close()


@pytest.fixture
def session(opened: Callable[..., Session]) -> Session:
    """A session that writes, in an open transaction."""
    made = opened()
    made.begin()
    return made


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    """The one writer."""
    made = Writer(database)
    yield made
    made.close()


@pytest.fixture
def readers(database: Database) -> Iterator[Readers]:
    """Two readers."""
    made = Readers(database, threads=2)
    yield made
    made.close()
