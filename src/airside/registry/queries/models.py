"""SQL of registered models."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from airside.core.ids import ModelName
from airside.core.operation import Transaction
from airside.registry.queries.versions import latest_of
from airside.registry.records import RegisteredModel, Requirement

_CHUNK = 500
"""Names in one IN list: below the variables of a statement in any SQLite."""

_TABLES_BY_NAME = (
    "registered_model",
    "registered_model_tag",
    "model_alias",
    "model_version",
    "model_version_tag",
    "verdict",
)


def insert_model(tx: Transaction, name: ModelName, description: str | None, created_by: str, now_ms: int) -> None:
    """Write a model without versions."""
    tx.run(
        "INSERT INTO registered_model (name, description, requires, last_version, created_by, created_ms, updated_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (name, description, "{}", 0, created_by, now_ms, now_ms),
    )


def model(tx: Transaction, name: ModelName) -> RegisteredModel | None:
    """One model with its tags, aliases and latest versions."""
    return next((found for _, found in _models(tx, (name,), is_one=True)), None)


def models_of(tx: Transaction, names: Sequence[ModelName]) -> tuple[RegisteredModel, ...]:
    """The models of some names, in the names' order, those missing left out."""
    found: dict[str, RegisteredModel] = {}
    for start in range(0, len(names), _CHUNK):
        found.update(_models(tx, names[start : start + _CHUNK], is_one=False))
    return tuple(found[name] for name in names if name in found)


def _models(tx: Transaction, names: Sequence[ModelName], *, is_one: bool) -> Iterable[tuple[str, RegisteredModel]]:
    within = f"name IN ({', '.join('?' * len(names))})"
    tags: dict[str, dict[str, str]] = {}
    for name, key, value in tx.all(
        f"SELECT name, key, value FROM registered_model_tag WHERE {within} ORDER BY key", names
    ):
        tags.setdefault(name, {})[key] = value
    aliases: dict[str, dict[str, int]] = {}
    for name, alias, version in tx.all(
        f"SELECT name, alias, version FROM model_alias WHERE {within} ORDER BY alias", names
    ):
        aliases.setdefault(name, {})[alias] = version
    latest = latest_of(tx, names, is_one=is_one)
    for name, description, requires, created_by, created_ms, updated_ms in tx.all(
        f"SELECT name, description, requires, created_by, created_ms, updated_ms FROM registered_model WHERE {within}",
        names,
    ):
        yield (
            name,
            RegisteredModel(
                name=name,
                description=description,
                tags=tags.get(name, {}),
                aliases=aliases.get(name, {}),
                latest_versions=latest.get(name, ()),
                requires=msgspec.json.decode(requires, type=Requirement),
                created_by=created_by,
                created_ms=created_ms,
                updated_ms=updated_ms,
            ),
        )


def model_tags(tx: Transaction, name: ModelName) -> dict[str, str] | None:
    """The tags of a model; None when there is no such model."""
    rows = tx.all(
        "SELECT t.key, t.value FROM registered_model m LEFT JOIN registered_model_tag t ON t.name = m.name "
        "WHERE m.name = ?",
        (name,),
    )
    return {key: value for key, value in rows if key is not None} if rows else None


def put_model_tags(tx: Transaction, name: ModelName, tags: Mapping[str, str]) -> None:
    """Set tags, or overwrite them."""
    tx.many(
        "INSERT INTO registered_model_tag (name, key, value) VALUES (?, ?, ?) "
        "ON CONFLICT (name, key) DO UPDATE SET value = excluded.value",
        [(name, key, value) for key, value in tags.items()],
    )


def delete_model_tag(tx: Transaction, name: ModelName, key: str) -> None:
    """Take a tag away."""
    tx.run("DELETE FROM registered_model_tag WHERE name = ? AND key = ?", (name, key))


def rename_model(tx: Transaction, name: ModelName, new_name: ModelName, now_ms: int) -> None:
    """Rename a model in every table; its versions count as updated."""
    for table in (*_TABLES_BY_NAME, "registry_change"):
        tx.run(f"UPDATE {table} SET name = ? WHERE name = ?", (new_name, name))
    for table in ("registered_model", "model_version"):
        tx.run(f"UPDATE {table} SET updated_ms = ? WHERE name = ?", (now_ms, new_name))
    rows = tx.all("SELECT version FROM model_version WHERE name = ?", (new_name,))
    tx.many(
        "UPDATE approval SET subject = ? WHERE subject_kind = 'version' AND subject = ?",
        [(f"{new_name}@{version}", f"{name}@{version}") for (version,) in rows],
    )


def delete_model(tx: Transaction, name: ModelName) -> None:
    """Delete a model with its versions, tags, aliases, verdicts and the approvals of its versions."""
    rows = tx.all("SELECT version FROM model_version WHERE name = ?", (name,))
    tx.many(
        "DELETE FROM approval WHERE subject_kind = 'version' AND subject = ?",
        [(f"{name}@{version}",) for (version,) in rows],
    )
    for table in _TABLES_BY_NAME:
        tx.run(f"DELETE FROM {table} WHERE name = ?", (name,))


def set_model_description(tx: Transaction, name: ModelName, description: str, now_ms: int) -> None:
    """Write the description."""
    tx.run("UPDATE registered_model SET description = ?, updated_ms = ? WHERE name = ?", (description, now_ms, name))


def requirement(tx: Transaction, name: ModelName) -> Requirement:
    """What a version of the model needs before it may become champion."""
    row = tx.one("SELECT requires FROM registered_model WHERE name = ?", (name,))
    return Requirement() if row is None else msgspec.json.decode(row[0], type=Requirement)


def set_requirement(tx: Transaction, name: ModelName, requires: Requirement, now_ms: int) -> None:
    """Write what a version needs."""
    text = msgspec.json.encode(requires).decode()
    tx.run("UPDATE registered_model SET requires = ?, updated_ms = ? WHERE name = ?", (text, now_ms, name))
