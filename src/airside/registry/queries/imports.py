"""SQL of registered models that come from another store, with their own times."""

import msgspec

from airside.core.ids import ModelName
from airside.core.operation import Transaction
from airside.registry.records import RegisteredModel

_MODEL = (
    "INSERT INTO registered_model (name, description, requires, last_version, created_by, created_ms, updated_ms) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_LAST = "UPDATE registered_model SET last_version = ? WHERE name = ? AND last_version < ?"
_LAST_OF = "SELECT last_version FROM registered_model WHERE name = ?"
_BEHIND = "SELECT version, storage_location FROM model_version WHERE name = ? AND version > ? ORDER BY version LIMIT ?"
_ALIAS = "INSERT INTO model_alias (name, alias, version) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"


def add_model(tx: Transaction, model: RegisteredModel, last_version: int, created_by: str) -> None:
    """Write a model without tags and versions."""
    tx.run(
        _MODEL,
        (
            model.name,
            model.description,
            msgspec.json.encode(model.requires).decode(),
            last_version,
            model.created_by or created_by,
            model.created_ms,
            model.updated_ms,
        ),
    )


def raise_last_version(tx: Transaction, name: ModelName, number: int) -> None:
    """Never give a number again that was used."""
    tx.run(_LAST, (number, name, number))


def last_version(tx: Transaction, name: ModelName) -> int | None:
    """The highest number ever used; None when there is no such model."""
    row = tx.one(_LAST_OF, (name,))
    return None if row is None else row[0]


def versions_behind(tx: Transaction, name: ModelName, after: int, limit: int) -> dict[int, str]:
    """Number -> where the files lie, of the versions behind a number."""
    return dict(tx.all(_BEHIND, (name, after, limit)))


def add_alias(tx: Transaction, name: ModelName, alias: str, version: int) -> None:
    """Make a new alias name a version."""
    tx.run(_ALIAS, (name, alias, version))
