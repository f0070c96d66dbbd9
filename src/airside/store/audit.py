"""The audit log: one record for each change and each denied attempt, chained by hashes.

Each process that writes has a chain of its own; a record's hash covers the hash before it, so a change, a removal or
a reorder of any record shows. Written in the transaction of what it tells.
"""

import hashlib
from collections.abc import Iterator

import msgspec

from airside.core.operation import Transaction
from airside.core.record import Record

GENESIS = "0" * 64


class AuditRecord(Record):
    """Who did what, on what, with which outcome."""

    at_ms: int
    actor: str
    token_id: str
    operation: str
    resource: str
    outcome: str
    digest: str


class Chain:
    """The end of one chain. Owned by the writer's thread."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._seq = -1
        self._head = GENESIS

    def append(self, tx: Transaction, records: list[AuditRecord]) -> None:
        """Write records behind the head, in the open transaction; the head moves when it is durable."""
        if self._seq < 0:
            row = tx.one("SELECT seq, hash FROM audit WHERE chain = ? ORDER BY seq DESC LIMIT 1", (self.name,))
            self._seq, self._head = (row[0], row[1]) if row else (0, GENESIS)
        seq, head = self._seq, self._head
        rows = []
        for record in records:
            seq += 1
            previous, head = head, linked(head, record)
            rows.append((self.name, seq, *msgspec.structs.astuple(record), previous, head))
        tx.many(
            "INSERT INTO audit (chain, seq, at_ms, actor, token_id, operation, resource, outcome, digest, previous, "
            "hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )

        def moved() -> None:
            self._seq, self._head = seq, head

        tx.on_commit(moved)


def linked(previous: str, record: AuditRecord) -> str:
    """SHA-256 over the hash before and the canonical JSON of the record."""
    return hashlib.sha256(previous.encode() + msgspec.json.encode(record, order="sorted")).hexdigest()


def broken(tx: Transaction) -> Iterator[str]:
    """The first bad record of each chain, in words; nothing when all chains hold."""
    for (chain,) in tx.all("SELECT DISTINCT chain FROM audit ORDER BY chain"):
        previous = GENESIS
        rows = tx.all(
            "SELECT seq, at_ms, actor, token_id, operation, resource, outcome, digest, previous, hash "
            "FROM audit WHERE chain = ? ORDER BY seq",
            (chain,),
        )
        for expected, row in enumerate(rows, start=1):
            record = AuditRecord(
                at_ms=row[1],
                actor=row[2],
                token_id=row[3],
                operation=row[4],
                resource=row[5],
                outcome=row[6],
                digest=row[7],
            )
            if row[0] != expected:
                yield f"Chain {chain}: record {expected} is missing."
                break
            if row[8] != previous or row[9] != linked(previous, record):
                yield f"Chain {chain}: record {row[0]} was changed."
                break
            previous = row[9]
