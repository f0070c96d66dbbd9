"""Leases, outbox and audit: what must happen once, in order, and cannot be changed unseen."""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.core.errors import AirsideError
from airside.core.event import Event
from airside.store import audit, lease, outbox
from airside.store.audit import AuditRecord, Chain
from airside.store.sql.bootstrap import prepare
from airside.store.sql.database import database_of
from airside.store.sql.session import ConnectionLost, Database, Session


class Moved(Event):
    NAME: ClassVar[str] = "Moved"
    by: int


def moved(by: int, name: str = "Moved") -> outbox.NewEvent:
    return outbox.new_event(Moved(by=by), actor="me", at_ms=by)._replace(name=name)


# --- leases ---------------------------------------------------------------------------------------------------------


def test_a_lease_has_one_holder_until_it_expires(session: Session) -> None:
    assert lease.acquire(session, "x", "a", now_ms=0, ttl_ms=10)
    assert not lease.acquire(session, "x", "b", now_ms=9, ttl_ms=10)
    assert lease.acquire(session, "x", "b", now_ms=10, ttl_ms=10)
    assert not lease.acquire(session, "x", "a", now_ms=19, ttl_ms=10)


def test_a_holder_lengthens_its_lease_and_giving_up_lets_the_next_in_at_once(session: Session) -> None:
    lease.acquire(session, "x", "a", now_ms=0, ttl_ms=10)
    assert lease.acquire(session, "x", "a", now_ms=5, ttl_ms=10)
    lease.release(session, "x", "b")
    assert not lease.acquire(session, "x", "b", now_ms=14, ttl_ms=10)
    lease.release(session, "x", "a")
    assert lease.acquire(session, "x", "b", now_ms=14, ttl_ms=10)


STEPS = st.lists(
    st.tuples(st.sampled_from(["acquire", "release"]), st.sampled_from("abc"), st.integers(0, 15)), max_size=30
)


@given(steps=STEPS)
@settings(max_examples=50, deadline=None)
def test_whatever_happens_nobody_gets_what_another_holds(
    steps: list[tuple[str, str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    database = database_of("", tmp_path_factory.mktemp("lease"))
    prepare(database)
    session = database.open(readonly=False)
    session.begin()
    holder, until, now = "", 0, 0
    for verb, owner, wait in steps:
        now += wait
        if verb == "release":
            lease.release(session, "x", owner)
            until = 0 if owner == holder else until
            continue
        is_free = now >= until or owner == holder
        assert lease.acquire(session, "x", owner, now_ms=now, ttl_ms=10) == is_free
        if is_free:
            holder, until = owner, now + 10
    session.close()


# --- outbox ---------------------------------------------------------------------------------------------------------


def test_events_come_back_in_their_order_behind_a_cursor(session: Session) -> None:
    outbox.append(session, [moved(1), moved(2, "Other"), moved(3)])
    every = outbox.after(session, 0, limit=10)
    assert [(event.name, event.body) for event in every] == [
        ("Moved", b'{"by":1}'),
        ("Other", b'{"by":2}'),
        ("Moved", b'{"by":3}'),
    ]
    assert sorted({event.seq for event in every}) == [event.seq for event in every]
    assert [event.at_ms for event in outbox.after_named(session, "Moved", every[0].seq, limit=10)] == [3]
    assert [event.at_ms for event in outbox.after(session, 0, limit=2)] == [1, 2]


def test_a_number_is_never_used_again(session: Session) -> None:
    outbox.append(session, [moved(1)])
    (first,) = outbox.after(session, 0, limit=10)
    session.run("DELETE FROM event")
    outbox.append(session, [moved(2)])
    (second,) = outbox.after(session, 0, limit=10)
    assert second.seq > first.seq


def test_a_cursor_begins_at_nothing_and_moves(session: Session) -> None:
    assert outbox.cursor(session, "r") == 0
    outbox.move_cursor(session, "r", 5)
    outbox.move_cursor(session, "r", 7)
    assert (outbox.cursor(session, "r"), outbox.cursor(session, "other")) == (7, 0)


def test_what_was_put_aside_is_remembered_with_its_last_error(session: Session) -> None:
    outbox.put_aside(session, "r", 1, "first", now_ms=1)
    outbox.put_aside(session, "r", 1, "last", now_ms=2)
    assert session.all("SELECT reaction, seq, error, at_ms FROM reaction_failure") == [("r", 1, "last", 2)]


def test_no_number_is_seen_before_a_smaller_one(database: Database, opened: Callable[..., Session]) -> None:
    """Else a cursor would pass over the smaller one: the second of two servers waits for the first one's commit."""
    first, second = opened(), opened()
    first.begin()
    outbox.append(first, [moved(1)])
    impatient = "SET lock_timeout = '50ms'" if database.dialect == "postgresql" else "PRAGMA busy_timeout = 50"
    second.script(impatient)

    def overtake() -> None:
        second.begin()
        outbox.append(second, [moved(2)])

    with pytest.raises((AirsideError, ConnectionLost)):
        overtake()
    first.commit()


# --- audit ----------------------------------------------------------------------------------------------------------


def record(number: int) -> AuditRecord:
    return AuditRecord(
        at_ms=number, actor="me", token_id="", operation="x.y", resource=f"r{number}", outcome="done", digest="d"
    )


def appended(session: Session, chain: Chain, numbers: range) -> None:
    chain.append(session, [record(number) for number in numbers])
    session.commit()
    for hook in session.hooks.copy():
        hook()
    session.begin()


@pytest.fixture
def audited(session: Session) -> Session:
    appended(session, Chain("main"), range(1, 4))
    appended(session, Chain("main"), range(4, 6))
    return session


def test_a_chain_goes_on_behind_a_restart_and_holds(audited: Session) -> None:
    assert [seq for (seq,) in audited.all("SELECT seq FROM audit ORDER BY seq")] == [1, 2, 3, 4, 5]
    assert list(audit.broken(audited)) == []


SWAP = (
    "UPDATE audit SET seq = -2 WHERE seq = 2",
    "UPDATE audit SET seq = 2 WHERE seq = 3",
    "UPDATE audit SET seq = 3 WHERE seq = -2",
)


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        (("UPDATE audit SET actor = 'you' WHERE seq = 2",), "Chain main: record 2 was changed."),
        (("UPDATE audit SET at_ms = 99 WHERE seq = 5",), "Chain main: record 5 was changed."),
        (("UPDATE audit SET previous = 'x' WHERE seq = 3",), "Chain main: record 3 was changed."),
        (("UPDATE audit SET outcome = 'denied' WHERE seq = 1",), "Chain main: record 1 was changed."),
        (("DELETE FROM audit WHERE seq = 3",), "Chain main: record 3 is missing."),
        (("DELETE FROM audit WHERE seq = 1",), "Chain main: record 1 is missing."),
        (SWAP, "Chain main: record 2 was changed."),
        (("DELETE FROM audit WHERE seq = 2", "UPDATE audit SET seq = seq - 1 WHERE seq > 2"), "was changed"),
    ],
)
def test_a_change_a_removal_and_a_reorder_show(audited: Session, statements: tuple[str, ...], found: str) -> None:
    for statement in statements:
        audited.run(statement)
    findings = list(audit.broken(audited))
    assert len(findings) == 1
    assert found in findings[0]


def test_each_chain_is_looked_at_by_itself(audited: Session) -> None:
    appended(audited, Chain("other"), range(1, 3))
    audited.run("UPDATE audit SET actor = 'you' WHERE chain = 'main' AND seq = 2")
    assert list(audit.broken(audited)) == ["Chain main: record 2 was changed."]


def test_the_head_stays_when_the_commit_failed(session: Session) -> None:
    chain = Chain("main")
    appended(session, chain, range(1, 3))
    chain.append(session, [record(3)])
    session.rollback()
    session.begin()
    appended(session, chain, range(4, 5))
    assert list(audit.broken(session)) == []
    assert [resource for (resource,) in session.all("SELECT resource FROM audit ORDER BY seq")] == ["r1", "r2", "r4"]


def test_an_empty_log_holds(tmp_path: Path) -> None:
    database = database_of("", tmp_path)
    prepare(database)
    session = database.open(readonly=True)
    session.begin()
    assert list(audit.broken(session)) == []
    session.close()
