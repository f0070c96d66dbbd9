"""SQL of the history."""

from airside.core.clock import from_ms
from airside.core.ids import ModelName
from airside.core.operation import Row, Transaction
from airside.registry.records import Change

Line = tuple[ModelName, int | None, str, str, str, str, str, str, int]
"""name, version, what, key, before, after, reason, actor, at_ms."""


def insert_change(tx: Transaction, line: Line) -> None:
    """Write a line."""
    tx.run(
        "INSERT INTO registry_change (name, version, what, key, before_value, after_value, reason, actor, at_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        line,
    )


def changes(
    tx: Transaction, name: ModelName, version: int | None, what: str, below: int, limit: int
) -> tuple[Change, ...]:
    """Lines of a model with a lower sequence, newest first; of one version or one kind if they are named."""
    conditions, args = ["name = ?", "id < ?"], [name, below]
    for condition, value in (("version = ?", version), ("what = ?", what)):
        if value:
            conditions.append(condition)
            args.append(value)
    rows = tx.all(
        "SELECT id, name, version, what, key, before_value, after_value, reason, actor, at_ms FROM registry_change "
        f"WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT ?",
        (*args, limit),
    )
    return tuple(_change(row) for row in rows)


def _change(row: Row) -> Change:
    sequence, name, version, what, key, before, after, reason, actor, at_ms = row
    return Change(
        sequence=sequence,
        name=name,
        version=version,
        what=what,
        key=key,
        before=before,
        after=after,
        reason=reason,
        actor=actor,
        at=from_ms(at_ms),
    )
