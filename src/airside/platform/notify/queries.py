"""All SQL of webhooks and their deliveries."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from airside.core.clock import from_ms
from airside.core.operation import Row, Transaction
from airside.core.record import Record
from airside.platform.notify.records import DeliveryState, Sealed, Webhook, WebhookDelivery

_COLUMNS = (
    "id, name, description, url, events, status, CASE WHEN secret = '' THEN 0 ELSE 1 END, created_by, created_ms, "
    "updated_ms"
)
_DELIVERY = (
    "id, webhook_id, seq, event, state, attempts, due_ms, status, error, answer, created_ms, finished_ms, {body}"
)
_EVENTS = msgspec.json.Decoder(tuple[str, ...])


def insert_webhook(tx: Transaction, webhook: Webhook, secret: Sealed, since_seq: int) -> None:
    """Write a webhook with its secret."""
    tx.run(
        "INSERT INTO webhook (id, name, description, url, events, status, secret, since_seq, created_by, created_ms, "
        "updated_ms, deleted_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
        (
            webhook.id,
            webhook.name,
            webhook.description,
            webhook.url,
            msgspec.json.encode(webhook.events).decode(),
            webhook.status,
            secret,
            since_seq,
            webhook.created_by,
            webhook.created_ms,
            webhook.updated_ms,
        ),
    )


def update_webhook(tx: Transaction, webhook: Webhook, secret: Sealed | None) -> None:
    """Write what may change of a webhook; the secret only when there is a new one."""
    tx.run(
        "UPDATE webhook SET name = ?, description = ?, url = ?, events = ?, status = ?, updated_ms = ?, "
        "secret = COALESCE(?, secret) WHERE id = ?",
        (
            webhook.name,
            webhook.description,
            webhook.url,
            msgspec.json.encode(webhook.events).decode(),
            webhook.status,
            webhook.updated_ms,
            secret,
            webhook.id,
        ),
    )


def listen_from(tx: Transaction, webhook_id: str, since_seq: int) -> None:
    """Tell a webhook nothing of what happened up to an event: while it was disabled, it was not to be told."""
    tx.run("UPDATE webhook SET since_seq = ? WHERE id = ?", (since_seq, webhook_id))


def delete_webhook(tx: Transaction, webhook_id: str, now_ms: int) -> None:
    """Mark a webhook as deleted, forget its secret, and give up what waits."""
    tx.run("UPDATE webhook SET deleted_ms = ?, updated_ms = ?, secret = '' WHERE id = ?", (now_ms, now_ms, webhook_id))
    tx.run(
        "UPDATE webhook_delivery SET state = 'dead', error = 'The webhook was deleted.', finished_ms = ? "
        "WHERE webhook_id = ? AND state = 'waiting'",
        (now_ms, webhook_id),
    )


def forget_webhook(tx: Transaction, webhook_id: str) -> None:
    """Let the id of a webhook be taken again; what it was told stays."""
    tx.run("DELETE FROM webhook WHERE id = ?", (webhook_id,))


def webhook(tx: Transaction, webhook_id: str) -> Webhook | None:
    """One webhook that is not deleted."""
    row = tx.one(f"SELECT {_COLUMNS} FROM webhook WHERE id = ? AND deleted_ms IS NULL", (webhook_id,))
    return None if row is None else _webhook(row)


def webhooks(tx: Transaction, offset: int, limit: int) -> tuple[Webhook, ...]:
    """Webhooks that are not deleted, newest first."""
    rows = tx.all(
        f"SELECT {_COLUMNS} FROM webhook WHERE deleted_ms IS NULL ORDER BY created_ms DESC, id LIMIT ? OFFSET ?",
        (limit, offset),
    )
    return tuple(_webhook(row) for row in rows)


def count(tx: Transaction) -> int:
    """How many webhooks there are."""
    row = tx.one("SELECT COUNT(*) FROM webhook WHERE deleted_ms IS NULL")
    return int(row[0]) if row else 0


def secret_of(tx: Transaction, webhook_id: str) -> Sealed:
    """The secret as it is stored: for who signs."""
    row = tx.one("SELECT secret FROM webhook WHERE id = ?", (webhook_id,))
    return Sealed(row[0] if row else "")


class Kept(NamedTuple):
    """A stored secret, and the address that it is for."""

    id: str
    url: str
    secret: Sealed


def secrets(tx: Transaction) -> tuple[Kept, ...]:
    """Every stored secret."""
    rows = tx.all("SELECT id, url, secret FROM webhook WHERE secret <> '' ORDER BY id")
    return tuple(Kept(id_, url, Sealed(secret)) for id_, url, secret in rows)


def reseal(tx: Transaction, webhook_id: str, before: Sealed, after: Sealed) -> bool:
    """Store a secret anew, unless it has changed meanwhile."""
    return tx.run("UPDATE webhook SET secret = ? WHERE id = ? AND secret = ?", (after, webhook_id, before)) == 1


class Listener(Record):
    """A webhook that is told something: which events, and from which on."""

    id: str
    events: tuple[str, ...]
    since_seq: int


def listeners(tx: Transaction) -> tuple[Listener, ...]:
    """The webhooks that are told what happens."""
    rows = tx.all("SELECT id, events, since_seq FROM webhook WHERE status = 'ACTIVE' AND deleted_ms IS NULL")
    return tuple(Listener(id=id_, events=_EVENTS.decode(events), since_seq=since) for id_, events, since in rows)


def _webhook(row: Row) -> Webhook:
    id_, name, description, url, events, status, has_secret, created_by, created_ms, updated_ms = row
    return Webhook(
        id=id_,
        name=name,
        description=description,
        url=url,
        events=_EVENTS.decode(events),
        status=status,
        has_secret=bool(has_secret),
        created_by=created_by,
        created_ms=created_ms,
        updated_ms=updated_ms,
    )


# --- deliveries ----------------------------------------------------------------------------------------------------


class NewDelivery(NamedTuple):
    """The row of something to be told; `seq` is None for a trial, which waits for nothing."""

    id: str
    webhook_id: str
    seq: int | None
    event: str
    body: str
    created_ms: int


def insert_deliveries(tx: Transaction, rows: Sequence[NewDelivery]) -> None:
    """Write what is to be told; an event that a webhook is told of already is left alone."""
    tx.many(
        "INSERT INTO webhook_delivery (id, webhook_id, seq, event, body, state, attempts, due_ms, leased_by, "
        "leased_until_ms, status, error, answer, created_ms) VALUES (?, ?, ?, ?, ?, 'waiting', 0, ?, '', 0, 0, '', "
        "'', ?) ON CONFLICT (webhook_id, seq) DO NOTHING",
        [(*row, row.created_ms) for row in rows],
    )


class Claimed(NamedTuple):
    """A delivery that this process may attempt until its lease ends."""

    id: str
    url: str
    secret: Sealed
    body: str
    attempts: int
    created_ms: int


def claim(tx: Transaction, owner: str, *, now_ms: int, until_ms: int, limit: int) -> tuple[Claimed, ...]:
    """Take deliveries that are due, of webhooks that are active, and that nobody else attempts."""
    free = "state = 'waiting' AND due_ms <= ? AND leased_until_ms <= ?"
    taken = tx.all(
        f"UPDATE webhook_delivery SET leased_by = ?, leased_until_ms = ?, attempts = attempts + 1 WHERE {free} "
        f"AND id IN (SELECT d.id FROM webhook_delivery d JOIN webhook w ON w.id = d.webhook_id "
        f"WHERE d.state = 'waiting' AND d.due_ms <= ? AND d.leased_until_ms <= ? AND w.status = 'ACTIVE' "
        "AND w.deleted_ms IS NULL ORDER BY d.due_ms, d.id LIMIT ?) "
        "RETURNING id, webhook_id, body, attempts, created_ms",
        (owner, until_ms, now_ms, now_ms, now_ms, now_ms, limit),
    )
    claimed = []
    for id_, webhook_id, body, attempts, created_ms in sorted(taken):
        row = tx.one("SELECT url, secret FROM webhook WHERE id = ?", (webhook_id,))
        url, secret = row or ("", "")
        claimed.append(Claimed(id_, url, Sealed(secret), body, attempts, created_ms))
    return tuple(claimed)


def free_leases(tx: Transaction) -> None:
    """Let deliveries go that a process of before attempted when it ended: for a home that one process owns."""
    tx.run("UPDATE webhook_delivery SET leased_until_ms = 0 WHERE state = 'waiting' AND leased_until_ms > 0")


class Result(Record):
    """What an attempt led to, as it is written."""

    state: DeliveryState
    due_ms: int
    status: int
    error: str
    answer: str


def settle(tx: Transaction, delivery_id: str, owner: str, result: Result, now_ms: int) -> None:
    """Write what an attempt led to, if it is still this process's."""
    tx.run(
        "UPDATE webhook_delivery SET state = ?, due_ms = ?, status = ?, error = ?, answer = ?, leased_until_ms = 0, "
        "finished_ms = ? WHERE id = ? AND leased_by = ? AND state = 'waiting'",
        (
            result.state,
            result.due_ms,
            result.status,
            result.error,
            result.answer,
            None if result.state == "waiting" else now_ms,
            delivery_id,
            owner,
        ),
    )


def next_due(tx: Transaction) -> int | None:
    """When the next attempt is due; None when nothing waits."""
    row = tx.one(
        "SELECT MIN(CASE WHEN d.leased_until_ms > d.due_ms THEN d.leased_until_ms ELSE d.due_ms END) "
        "FROM webhook_delivery d JOIN webhook w ON w.id = d.webhook_id WHERE d.state = 'waiting' "
        "AND w.status = 'ACTIVE' AND w.deleted_ms IS NULL"
    )
    return None if row is None or row[0] is None else int(row[0])


def again(tx: Transaction, delivery_id: str, now_ms: int) -> None:
    """Let a delivery that is over be made once more, with a life of its own."""
    tx.run(
        "UPDATE webhook_delivery SET state = 'waiting', attempts = 0, due_ms = ?, created_ms = ?, finished_ms = NULL, "
        "error = '', leased_until_ms = 0 WHERE id = ?",
        (now_ms, now_ms, delivery_id),
    )


def insert_trial(tx: Transaction, row: NewDelivery, result: Result, now_ms: int) -> None:
    """Write a trial that was made."""
    tx.run(
        "INSERT INTO webhook_delivery (id, webhook_id, seq, event, body, state, attempts, due_ms, leased_by, "
        "leased_until_ms, status, error, answer, created_ms, finished_ms) "
        "VALUES (?, ?, NULL, ?, ?, ?, 1, 0, '', 0, ?, ?, ?, ?, ?)",
        (
            row.id,
            row.webhook_id,
            row.event,
            row.body,
            result.state,
            result.status,
            result.error,
            result.answer,
            row.created_ms,
            now_ms,
        ),
    )


def delivery(tx: Transaction, delivery_id: str) -> WebhookDelivery | None:
    """One delivery with its body."""
    row = tx.one(f"SELECT {_DELIVERY.format(body='body')} FROM webhook_delivery WHERE id = ?", (delivery_id,))
    return None if row is None else _delivery(row)


def deliveries(
    tx: Transaction, webhook_id: str, state: DeliveryState | None, below: str, limit: int
) -> tuple[WebhookDelivery, ...]:
    """Deliveries that match, newest first, below an id; without their bodies."""
    conditions, args = ["1 = 1"], []
    for column, value in (("webhook_id = ?", webhook_id), ("state = ?", state), ("id < ?", below)):
        if value:
            conditions.append(column)
            args.append(value)
    rows = tx.all(
        f"SELECT {_DELIVERY.format(body=repr(''))} FROM webhook_delivery WHERE {' AND '.join(conditions)} "
        "ORDER BY id DESC LIMIT ?",
        (*args, limit),
    )
    return tuple(_delivery(row) for row in rows)


def forget(tx: Transaction, before_ms: int, limit: int) -> int:
    """Remove deliveries that were over before an instant."""
    return tx.run(
        "DELETE FROM webhook_delivery WHERE id IN (SELECT id FROM webhook_delivery WHERE state <> 'waiting' "
        "AND finished_ms < ? LIMIT ?)",
        (before_ms, limit),
    )


def _delivery(row: Row) -> WebhookDelivery:
    id_, webhook_id, seq, event, state, attempts, due_ms, status, error, answer, created_ms, finished_ms, body = row
    return WebhookDelivery(
        id=id_,
        webhook_id=webhook_id,
        event=event,
        state=state,
        attempts=attempts,
        status=status,
        error=error,
        answer=answer,
        body=body,
        is_test=seq is None,
        due_at=from_ms(due_ms) if state == "waiting" else None,
        created_at=from_ms(created_ms),
        finished_at=None if finished_ms is None else from_ms(finished_ms),
    )
