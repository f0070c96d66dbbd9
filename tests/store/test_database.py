"""From a URL to a database, and the words for what is none."""

from pathlib import Path

import pytest

from airside.core.errors import Invalid, Unavailable, WrongUse
from airside.store.sql.database import database_of
from airside.store.sql.session import ConnectionLost
from airside.store.sql.sqlite import SqliteDatabase


def test_without_a_url_it_is_the_homes_file(tmp_path: Path) -> None:
    database = database_of("", tmp_path)
    assert isinstance(database, SqliteDatabase)
    assert database.path == tmp_path / "airside.db"


def test_a_sqlite_url_names_a_file(tmp_path: Path) -> None:
    absolute = database_of(f"sqlite:///{tmp_path}/x.db", tmp_path)
    relative = database_of("sqlite:///x.db", tmp_path)
    assert isinstance(absolute, SqliteDatabase)
    assert isinstance(relative, SqliteDatabase)
    assert (absolute.path, relative.path) == (tmp_path / "x.db", Path("x.db"))


def test_the_folder_of_a_sqlite_file_is_made(tmp_path: Path) -> None:
    database_of(f"sqlite:///{tmp_path}/a/b/x.db", tmp_path).open(readonly=False).close()
    assert (tmp_path / "a" / "b" / "x.db").exists()


def test_a_password_is_not_told() -> None:
    database = database_of("postgresql+psycopg://me:secret@db.example:5433/airside", Path())
    assert (database.dialect, database.label) == ("postgresql", "PostgreSQL (db.example/airside)")


@pytest.mark.parametrize("url", ["mysql://me@host/x", "mssql+pyodbc://host/x", "file:///mlruns"])
def test_a_store_of_mlflow_is_told_the_way_over(url: str) -> None:
    with pytest.raises(WrongUse, match="airside import mlflow"):
        database_of(url, Path())


def test_another_kind_is_told_which_there_are() -> None:
    with pytest.raises(Invalid, match=r"No database of the kind 'oracle'. There are: sqlite:///FILE"):
        database_of("oracle://host/x", Path())


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    database = database_of("postgresql://me:secret@127.0.0.1:1/airside", Path())
    with pytest.raises(Unavailable, match=r"PostgreSQL \(127.0.0.1/airside\) does not answer") as refused:
        database.open(readonly=False)
    assert "secret" not in refused.value.message


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "airside.db").write_bytes(b"no database" * 1000)
    with pytest.raises(Unavailable, match="Is it a database of Airside"):
        database_of("", tmp_path).open(readonly=False)


def test_a_missing_driver_is_told_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_path: str) -> object:
        raise ModuleNotFoundError(name="psycopg")

    monkeypatch.setattr("airside.store.sql.database.load", missing)
    with pytest.raises(Invalid, match=r"pip install 'airside\[postgres\]'"):
        database_of("postgresql://host/x", Path())


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_file_that_is_moved_away_takes_no_more_writes_until_it_is_back(tmp_path: Path, is_replaced: bool) -> None:
    database = database_of("", tmp_path)
    file, away = tmp_path / "airside.db", tmp_path / "away.db"
    session = database.open(readonly=False)
    file.rename(away)
    if is_replaced:
        file.touch()
    with pytest.raises(Unavailable, match="Put it back"):
        session.begin()
    with pytest.raises(Unavailable, match="Put it back"):
        database.open(readonly=False)
    away.rename(file)
    session.begin()
    session.rollback()
    session.close()


def test_a_database_that_takes_no_writes_is_asked_again_by_another_connection() -> None:
    psycopg = pytest.importorskip("psycopg")
    from airside.store.sql.postgresql import _named

    assert isinstance(_named(psycopg.errors.ReadOnlySqlTransaction("standby")), ConnectionLost)


def test_nothing_is_written_when_a_file_lies_where_the_folder_was(tmp_path: Path) -> None:
    home = tmp_path / "home"
    database = SqliteDatabase(home / "a.db")
    session = database.open(readonly=False)
    home.rename(tmp_path / "elsewhere")
    home.write_text("x")
    with pytest.raises(Unavailable, match="was moved"):
        session.begin()
    home.unlink()
    (tmp_path / "elsewhere").rename(home)
    session.begin()
    session.rollback()
    session.close()
