"""Leases: what must happen in one place only is done by whoever holds the row, until it expires.

A lease carries a fencing token that rises with each new holder: who writes with an older token writes nothing.
"""

from airside.core.operation import Transaction
from airside.core.record import Record


class Lease(Record):
    """A claim on a name until an instant."""

    name: str
    owner: str
    token: int
    expires_at_ms: int


def acquire(tx: Transaction, name: str, owner: str, *, now_ms: int, ttl_ms: int) -> Lease | None:
    """Take the lease, or renew one's own; None while another holds it.

    A renewal keeps the token; a new holder gets a greater one.
    """
    row = tx.one(
        "INSERT INTO lease (name, owner, token, expires_at_ms) VALUES (?, ?, 1, ?) "
        "ON CONFLICT (name) DO UPDATE SET "
        "token = lease.token + CASE WHEN lease.owner = excluded.owner THEN 0 ELSE 1 END, "
        "owner = excluded.owner, expires_at_ms = excluded.expires_at_ms "
        "WHERE lease.owner = excluded.owner OR lease.expires_at_ms <= ? "
        "RETURNING token",
        (name, owner, now_ms + ttl_ms, now_ms),
    )
    if row is None:
        return None
    return Lease(name=name, owner=owner, token=row[0], expires_at_ms=now_ms + ttl_ms)


def is_current(tx: Transaction, name: str, token: int, *, now_ms: int) -> bool:
    """Whether the token is the newest one and has not expired: to be asked in the transaction that it guards."""
    row = tx.one("SELECT token, expires_at_ms FROM lease WHERE name = ?", (name,))
    return row is not None and row[0] == token and row[1] > now_ms


def release(tx: Transaction, name: str, owner: str) -> None:
    """Give it up at once; the token is kept, so that it goes on rising."""
    tx.run("UPDATE lease SET expires_at_ms = 0 WHERE name = ? AND owner = ?", (name, owner))
