"""SQL of aliases."""

from airside.core.ids import ModelName
from airside.core.operation import Transaction

_TOUCH = "UPDATE registered_model SET updated_ms = ? WHERE name = ?"


def alias(tx: Transaction, name: ModelName, alias: str) -> int | None:
    """The version that an alias names."""
    row = tx.one("SELECT version FROM model_alias WHERE name = ? AND alias = ?", (name, alias))
    return None if row is None else row[0]


def put_alias(tx: Transaction, name: ModelName, alias: str, version: int, now_ms: int) -> None:
    """Make an alias name a version."""
    tx.run(
        "INSERT INTO model_alias (name, alias, version) VALUES (?, ?, ?) "
        "ON CONFLICT (name, alias) DO UPDATE SET version = excluded.version",
        (name, alias, version),
    )
    tx.run(_TOUCH, (now_ms, name))


def delete_alias(tx: Transaction, name: ModelName, alias: str, now_ms: int) -> None:
    """Take an alias away."""
    tx.run("DELETE FROM model_alias WHERE name = ? AND alias = ?", (name, alias))
    tx.run(_TOUCH, (now_ms, name))


def alias_moves(tx: Transaction, name: ModelName, alias: str) -> tuple[tuple[str, str], ...]:
    """What happened to an alias since its model was created, oldest first: (`alias` or `rollback`, version or "")."""
    rows = tx.all(
        "SELECT what, after_value FROM registry_change WHERE name = ? AND key = ? AND what IN ('alias', 'rollback') "
        "AND id > (SELECT COALESCE(MAX(id), 0) FROM registry_change WHERE name = ? AND what = 'created' "
        "AND version IS NULL) ORDER BY id",
        (name, alias, name),
    )
    return tuple((what, after) for what, after in rows)
