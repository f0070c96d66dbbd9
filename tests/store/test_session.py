"""A session keeps its promises on both databases: whole or absent, errors of ours, reads that only read."""

from collections.abc import Callable

import pytest

from airside.core.errors import AirsideError, AlreadyExists, Invalid
from airside.store.sql.session import Database, Session

PUT = "INSERT INTO reaction_cursor (reaction, seq) VALUES (?, ?)"
GET = "SELECT reaction, seq FROM reaction_cursor ORDER BY reaction"


def test_what_was_committed_is_seen_by_others_and_nothing_before(opened: Callable[..., Session]) -> None:
    writing, reading = opened(), opened(readonly=True)
    writing.begin()
    assert writing.run(PUT, ("a", 1)) == 1
    reading.begin()
    assert reading.all(GET) == []
    reading.commit()
    writing.commit()
    reading.begin()
    assert reading.all(GET) == [("a", 1)]


def test_a_read_transaction_sees_one_moment(opened: Callable[..., Session]) -> None:
    writing, reading = opened(), opened(readonly=True)
    reading.begin()
    assert reading.one(GET) is None
    writing.begin()
    writing.run(PUT, ("a", 1))
    writing.commit()
    assert reading.one(GET) is None


def test_a_rollback_undoes_all_of_it_and_never_raises(session: Session) -> None:
    session.run(PUT, ("a", 1))
    session.rollback()
    session.rollback()
    session.begin()
    assert session.all(GET) == []


def test_a_savepoint_undoes_what_came_after_it_with_its_hooks_and_notes(session: Session) -> None:
    said: list[str] = []
    session.run(PUT, ("a", 1))
    session.on_commit(lambda: said.append("a"))
    session.notes.append("a")
    session.savepoint()
    session.run(PUT, ("b", 2))
    session.on_commit(lambda: said.append("b"))
    session.notes.append("b")
    session.rollback_to()
    assert (session.all(GET), len(session.hooks), session.notes) == ([("a", 1)], 1, ["a"])


def test_a_released_savepoint_keeps_its_changes(session: Session) -> None:
    session.savepoint()
    session.run(PUT, ("a", 1))
    session.release()
    session.commit()
    session.begin()
    assert session.all(GET) == [("a", 1)]
    assert session.hooks == []


def test_a_transaction_goes_on_behind_an_error_in_a_savepoint(session: Session) -> None:
    session.run(PUT, ("a", 1))
    session.savepoint()
    with pytest.raises(AlreadyExists, match="same key"):
        session.run(PUT, ("a", 2))
    session.rollback_to()
    session.run(PUT, ("b", 2))
    session.commit()
    session.begin()
    assert session.all(GET) == [("a", 1), ("b", 2)]


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1])
def test_a_number_that_does_not_fit_is_refused_in_our_words(session: Session, value: int) -> None:
    with pytest.raises(Invalid, match="64 bits"):
        session.run(PUT, ("a", value))


def test_a_text_that_is_not_unicode_is_refused_in_our_words(session: Session) -> None:
    with pytest.raises(Invalid, match="not valid Unicode"):
        session.run(PUT, ("\ud800", 1))


def test_many_rows_go_in_at_once_and_numbers_of_64_bits_come_back(session: Session) -> None:
    rows = [("a", -(2**63)), ("b", 0), ("c", 2**63 - 1)]
    session.many(PUT, rows)
    assert session.all(GET) == rows


def test_a_percent_sign_in_a_value_is_just_a_character(session: Session) -> None:
    session.run(PUT, ("100%s ?", 1))
    assert session.one("SELECT seq FROM reaction_cursor WHERE reaction = ?", ("100%s ?",)) == (1,)


def test_a_reader_cannot_write(opened: Callable[..., Session]) -> None:
    reading = opened(readonly=True)
    reading.begin()
    with pytest.raises(Exception, match=r"(?i)read-?only|cannot be written"):
        reading.run(PUT, ("a", 1))


def test_a_query_without_end_is_ended(opened: Callable[..., Session], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airside.store.sql.sqlite.QUERY_LIMIT_S", 0.05)
    monkeypatch.setattr("airside.store.sql.postgresql.QUERY_LIMIT_S", 0.05)
    reading = opened(readonly=True)
    reading.begin()
    with pytest.raises(Invalid, match="Narrow its filter"):
        reading.all("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n")
    reading.rollback()
    reading.begin()
    assert reading.all(GET) == []


def test_a_script_is_part_of_the_transaction(session: Session) -> None:
    session.script("CREATE TABLE a (i INTEGER);\nCREATE TABLE b (i INTEGER);\n")
    session.rollback()
    session.begin()
    with pytest.raises(Exception, match=r"no such table|does not exist"):
        session.all("SELECT i FROM a")


def test_the_label_names_the_database_without_a_secret(database: Database) -> None:
    assert database.label.startswith(("SQLite (airside.db)", "PostgreSQL (127.0.0.1/postgres)"))


def test_errors_of_ours_are_errors_of_ours(session: Session) -> None:
    with pytest.raises(AirsideError):
        session.run("INSERT INTO lease (name) VALUES (?)", ("a",))
