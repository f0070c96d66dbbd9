"""Events: stored in the transaction that made them, read after the commit, in order."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from airside.core.event import Event
from airside.core.operation import Transaction
from airside.core.record import Record
from airside.store.sql.conditions import placeholders


class StoredEvent(Record):
    """An event as the outbox keeps it. `seq` rises without end and orders all events."""

    seq: int
    name: str
    body: bytes
    actor: str
    at_ms: int


class NewEvent(NamedTuple):
    """The row of an event that has no number yet."""

    name: str
    body: str
    actor: str
    at_ms: int


def new_event(event: Event, *, actor: str, at_ms: int) -> NewEvent:
    """The row of an event."""
    return NewEvent(event.NAME, msgspec.json.encode(event).decode(), actor, at_ms)


def append(tx: Transaction, events: Sequence[NewEvent]) -> None:
    """Store events at the end of the open transaction.

    Numbers become visible in their order: on PostgreSQL a lock until the commit keeps another server from committing
    a greater number first, behind which a reaction's cursor would never see the smaller one.
    """
    if tx.dialect == "postgresql":
        tx.run("SELECT pg_advisory_xact_lock(4918274)")
    tx.many("INSERT INTO event (name, body, actor, at_ms) VALUES (?, ?, ?, ?)", events)


def cursor(tx: Transaction, reaction: str) -> int:
    """How far a reaction has come."""
    row = tx.one("SELECT seq FROM reaction_cursor WHERE reaction = ?", (reaction,))
    return int(row[0]) if row else 0


def move_cursor(tx: Transaction, reaction: str, seq: int) -> None:
    """Remember how far a reaction has come."""
    tx.run(
        "INSERT INTO reaction_cursor (reaction, seq) VALUES (?, ?) "
        "ON CONFLICT (reaction) DO UPDATE SET seq = excluded.seq",
        (reaction, seq),
    )


def after_named(tx: Transaction, name: str, seq: int, *, limit: int) -> list[StoredEvent]:
    """Events of one kind behind a sequence number, oldest first."""
    rows = tx.all(
        "SELECT seq, name, body, actor, at_ms FROM event WHERE name = ? AND seq > ? ORDER BY seq LIMIT ?",
        (name, seq, limit),
    )
    return [StoredEvent(seq=r[0], name=r[1], body=r[2].encode(), actor=r[3], at_ms=r[4]) for r in rows]


def after_any(tx: Transaction, names: Sequence[str], seq: int, *, limit: int) -> list[StoredEvent]:
    """Events of several kinds behind a sequence number, oldest first."""
    kinds = placeholders(len(names))
    rows = tx.all(
        f"SELECT seq, name, body, actor, at_ms FROM event WHERE name IN ({kinds}) AND seq > ? ORDER BY seq LIMIT ?",
        (*names, seq, limit),
    )
    return [StoredEvent(seq=r[0], name=r[1], body=r[2].encode(), actor=r[3], at_ms=r[4]) for r in rows]


def newest(tx: Transaction) -> int:
    """The number of the newest event; 0 when there is none."""
    row = tx.one("SELECT COALESCE(MAX(seq), 0) FROM event")
    return int(row[0]) if row else 0


def after(tx: Transaction, seq: int, *, limit: int) -> list[StoredEvent]:
    """Events of every kind behind a sequence number, oldest first."""
    rows = tx.all("SELECT seq, name, body, actor, at_ms FROM event WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit))
    return [StoredEvent(seq=r[0], name=r[1], body=r[2].encode(), actor=r[3], at_ms=r[4]) for r in rows]


def put_aside(tx: Transaction, reaction: str, seq: int, error: str, *, now_ms: int) -> None:
    """Remember that a reaction gave an event up, for people to see."""
    tx.run(
        "INSERT INTO reaction_failure (reaction, seq, error, at_ms) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (reaction, seq) DO UPDATE SET error = excluded.error, at_ms = excluded.at_ms",
        (reaction, seq, error, now_ms),
    )
