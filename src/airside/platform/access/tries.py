"""Wrong passwords by the addresses that they came from: in the store, so that no restart forgets them."""

from airside.core.operation import Transaction
from airside.core.record import Record

KEPT_MS = 86_400_000
"""How long after the last of them."""
MAX_KEPT = 10_000
"""Of how many addresses, the newest: who has many addresses must not fill the store."""


class Tries(Record):
    """What an address tried.

    Attributes:
        count: how many passwords were wrong.
        until_ms: when it may try again.
    """

    count: int
    until_ms: int


def remembered(tx: Transaction, *, now_ms: int) -> dict[str, Tries]:
    """Those of the last day, by address, the oldest first."""
    newest = tx.all(
        "SELECT source, count, until_ms FROM wrong_password WHERE until_ms > ? ORDER BY until_ms DESC, source LIMIT ?",
        (now_ms - KEPT_MS, MAX_KEPT),
    )
    rows = reversed(newest)
    return {source: Tries(count=count, until_ms=until_ms) for source, count, until_ms in rows}


def remember(tx: Transaction, source: str, tries: Tries | None, *, now_ms: int) -> None:
    """Write what an address tried, None for nothing; what is older than a day, or too much, is forgotten."""
    tx.run("DELETE FROM wrong_password WHERE until_ms <= ?", (now_ms - KEPT_MS,))
    if tries is None:
        tx.run("DELETE FROM wrong_password WHERE source = ?", (source,))
        return
    tx.run(
        "INSERT INTO wrong_password (source, count, until_ms) VALUES (?, ?, ?) ON CONFLICT (source) DO UPDATE SET "
        "count = excluded.count, until_ms = excluded.until_ms",
        (source, tries.count, tries.until_ms),
    )
    tx.run(
        "DELETE FROM wrong_password WHERE source IN "
        "(SELECT source FROM wrong_password ORDER BY until_ms DESC, source LIMIT 100 OFFSET ?)",
        (MAX_KEPT,),
    )
