"""Repeated requests: a key, the request's digest and its answer are stored in the transaction of the effect."""

from typing import Any

import msgspec

from airside.core.errors import Conflict, Unprocessable
from airside.core.operation import Actor, AnyOperation, Transaction

KEPT_MS = 24 * 3600 * 1000


def saved_answer(tx: Transaction, operation: AnyOperation, actor: Actor, key: str, digest: str) -> Any | None:
    """The answer that the key got before.

    Raises:
        Unprocessable: the key was used with another request.
        Conflict: the answer held a secret, which is shown once and stored nowhere.
    """
    row = tx.one("SELECT digest, answer FROM idempotency WHERE actor = ? AND key = ?", (_whose(actor), key))
    if row is None:
        return None
    if row[0] != digest:
        raise Unprocessable(f"The idempotency key '{key[:80]}' was used before, with another request. Send a new one.")
    if not row[1]:
        raise Conflict(
            "This was done already, and its answer held a secret that is shown once. If that was lost, end what was "
            "made (airside tokens revoke ID) and make another."
        )
    return msgspec.json.decode(row[1], type=operation.answer_type)


def save_answer(tx: Transaction, actor: Actor, key: str, digest: str, answer: Any, *, now_ms: int) -> None:
    """Keep the answer for a day; of one that holds a secret, only that it was given."""
    kept = "" if getattr(answer, "HOLDS_SECRET", False) else msgspec.json.encode(answer).decode()
    tx.run(
        "INSERT INTO idempotency (actor, key, digest, answer, at_ms) VALUES (?, ?, ?, ?, ?)",
        (_whose(actor), key, digest, kept, now_ms),
    )


def forget_old(tx: Transaction, *, now_ms: int) -> int:
    """Remove what is older than a day."""
    return tx.run("DELETE FROM idempotency WHERE at_ms < ?", (now_ms - KEPT_MS,))


def _whose(actor: Actor) -> str:
    """Names of tokens are not unique: what one of them asked is no other's."""
    return actor.token_id or f"name {actor.name}"
