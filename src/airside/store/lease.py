"""Leases: what must happen in one place only is done by whoever holds the row, until it expires.

A holder that sleeps through its end does not notice. What is done under a lease must therefore be idempotent.
"""

from airside.core.operation import Transaction


def acquire(tx: Transaction, name: str, owner: str, *, now_ms: int, ttl_ms: int) -> bool:
    """Take the lease, or lengthen one's own; False while another holds it."""
    row = tx.one(
        "INSERT INTO lease (name, owner, expires_at_ms) VALUES (?, ?, ?) "
        "ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, expires_at_ms = excluded.expires_at_ms "
        "WHERE lease.owner = excluded.owner OR lease.expires_at_ms <= ? "
        "RETURNING name",
        (name, owner, now_ms + ttl_ms, now_ms),
    )
    return row is not None


def release(tx: Transaction, name: str, owner: str) -> None:
    """Give it up at once."""
    tx.run("DELETE FROM lease WHERE name = ? AND owner = ?", (name, owner))
