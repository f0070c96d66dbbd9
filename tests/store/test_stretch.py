"""Neighbours share a savepoint, and still nobody pays for a neighbour's mistake."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airside.core.errors import AlreadyExists, Invalid
from airside.core.operation import Transaction
from airside.store.sql.session import ConnectionLost, Session
from airside.store.sql.stretch import Outcome, Stretch, Work

PUT = "INSERT INTO reaction_cursor (reaction, seq) VALUES (?, ?)"
GET = "SELECT reaction, seq FROM reaction_cursor ORDER BY seq, reaction"


def put(name: str, seq: int = 0) -> Callable[[Transaction], int]:
    return lambda tx: tx.run(PUT, (name, seq))


def failing(*, writes: bool) -> Callable[[Transaction], None]:
    def work(tx: Transaction) -> None:
        tx.on_commit(lambda: None)
        tx.seen.add(("never", 1))
        if writes:
            tx.run(PUT, ("never", 0))
        tx.one(GET)
        raise Invalid("mine")

    return work


class Counting:
    """A session that counts its savepoints."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.savepoints = 0

    def savepoint(self) -> None:
        self.savepoints += 1
        self._session.savepoint()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


def ran(session: Any, works: list[tuple[Work, bool]]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    stretch = Stretch(session, outcomes)
    for work, is_repeatable in works:
        stretch.run(work, is_repeatable=is_repeatable)
    stretch.end()
    return outcomes


def test_works_that_may_be_run_again_need_no_savepoint_of_their_own(session: Session) -> None:
    counting = Counting(session)
    ran(counting, [(put(f"r{number}", number), True) for number in range(5)])
    assert counting.savepoints == 0
    ran(counting, [(put("a"), False), *((put(f"s{number}"), True) for number in range(5)), (put("b"), False)])
    assert counting.savepoints == 3


def test_a_mistake_before_anything_was_written_undoes_nothing(session: Session) -> None:
    counting = Counting(session)
    outcomes = ran(counting, [(put("a", 1), True), (failing(writes=False), True), (put("b", 2), True)])
    assert [type(mistake) for _, mistake in outcomes] == [type(None), Invalid, type(None)]
    assert (session.all(GET), counting.savepoints, session.hooks) == ([("a", 1), ("b", 2)], 0, [])


@pytest.mark.parametrize("before", [[], [(put("before"), False)]], ids=["first in its transaction", "behind another"])
def test_a_mistake_after_a_write_is_undone_alone(session: Session, before: list[tuple[Work, bool]]) -> None:
    works = [(put("a", 1), True), (failing(writes=True), True), (put("a", 1), True), (put("b", 2), True)]
    outcomes = ran(session, [*before, *works])[len(before) :]
    assert [type(mistake) for _, mistake in outcomes] == [type(None), Invalid, AlreadyExists, type(None)]
    assert [row for row in session.all(GET) if row[0] != "before"] == [("a", 1), ("b", 2)]
    assert (len(session.all(GET)), session.hooks, session.seen) == (2 + len(before), [], set())


def test_what_was_seen_is_forgotten_where_it_may_have_been_undone(session: Session) -> None:
    session.seen.add(("run", 1))
    session.savepoint()
    assert session.seen == set()
    session.seen.add(("run", 2))
    session.rollback_to()
    assert session.seen == set()


def test_a_lost_connection_is_everybodys(session: Session) -> None:
    def lost(_tx: Transaction) -> None:
        raise ConnectionLost("gone")

    for is_repeatable in (False, True):
        with pytest.raises(ConnectionLost):
            ran(session, [(lost, is_repeatable)])


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=st.lists(st.tuples(st.sampled_from(["put", "same", "fails", "fails late"]), st.booleans()), max_size=12))
def test_any_works_end_as_if_each_had_a_savepoint(session: Session, plan: list[tuple[str, bool]]) -> None:
    def work_of(kind: str, number: int) -> Work:
        kinds = {"put": put(f"r{number}", number), "same": put("same", 99)}
        return kinds.get(kind) or failing(writes=kind == "fails late")

    seen = []
    for shares in (False, True):
        session.rollback()
        session.begin()
        works = [(work_of(kind, number), shares and may) for number, (kind, may) in enumerate(plan)]
        outcomes = ran(session, works)
        seen.append(([(value, type(mistake)) for value, mistake in outcomes], session.all(GET), len(session.hooks)))
    assert seen[0] == seen[1]


def test_an_inserted_row_tells_its_number(session: Session) -> None:
    first = session.insert("INSERT INTO key_name (name) VALUES (?)", ("a",))
    second = session.insert("INSERT INTO key_name (name) VALUES (?)", ("b",))
    assert session.all("SELECT id, name FROM key_name WHERE name IN ('a', 'b') ORDER BY id") == [
        (first, "a"),
        (second, "b"),
    ]
