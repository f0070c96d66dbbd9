"""Webhooks of an MLflow database (since release 3.3). Their secrets are encrypted with a key of the old server's."""

import os
from collections.abc import Iterator

from cryptography.fernet import Fernet, InvalidToken

from airside.client.imports.mlflow.schema import MlflowTables
from airside.core.operation import Row
from airside.platform.notify.records import ImportedWebhook, Webhook
from airside.platform.notify.rules import ACTIONS

AT_ONCE = 100
KEY = "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"
ALIVE = "deleted_timestamp IS NULL"


def count(tables: MlflowTables) -> int:
    """How many there are, without the deleted."""
    return tables.count("webhooks", ALIVE)


def read(tables: MlflowTables, after: str = "") -> Iterator[tuple[str, tuple[ImportedWebhook, ...]]]:
    """Webhooks by their ids. One whose secret cannot be read comes without it, and disabled."""
    if not tables.has("webhooks"):
        return
    sql = (
        "SELECT webhook_id, name, description, url, status, secret, creation_timestamp, last_updated_timestamp "
        f"FROM webhooks WHERE {{after}} AND {ALIVE} ORDER BY webhook_id"
    )
    for rows in tables.pages(sql, 1, AT_ONCE, [after] if after else []):
        ids = [row[0] for row in rows]
        events = tables.grouped(
            ["entity", "action"], "webhook_events", "webhook_id", ids, lambda r: (str(r[0]), str(r[1]))
        )
        yield ids[-1], tuple(_webhook(row, events.get(row[0], [])) for row in rows)


def notes(tables: MlflowTables) -> Iterator[str]:
    """Which came otherwise than they were, and why."""
    if not tables.has("webhooks"):
        return
    rows = tables.source.all(f"SELECT name, secret FROM webhooks WHERE {ALIVE} AND secret IS NOT NULL ORDER BY name")
    for why, names in _reasons(rows).items():
        yield (
            f"Webhooks that came without their secrets, and disabled: {', '.join(names)}. {why} Import "
            "again with that key, and they are completed; or give each a new secret and enable it: airside webhooks "
            "update ID"
        )


def _reasons(rows: list[Row]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, secret in rows:
        if why := _opened(secret)[1]:
            found.setdefault(why, []).append(name)
    return found


def _webhook(row: Row, events: list[tuple[str, str]]) -> ImportedWebhook:
    webhook_id, name, description, url, status, encrypted, created_ms, updated_ms = row
    secret, why = _opened(encrypted)
    known = sorted((entity, action) for entity, action in events if action in ACTIONS.get(entity, ()))
    return ImportedWebhook(
        webhook=Webhook(
            id=webhook_id,
            name=name,
            url=url,
            events=tuple(f"{entity}.{action}" for entity, action in known),
            status="ACTIVE" if status == "ACTIVE" and not why else "DISABLED",
            description=description,
            has_secret=bool(secret),
            created_by="",
            created_ms=created_ms or 0,
            updated_ms=updated_ms or created_ms or 0,
        ),
        secret=secret,
    )


def _opened(encrypted: str | None) -> tuple[str, str]:
    """The secret, or why it cannot be read."""
    key = os.environ.get(KEY, "")
    if not encrypted:
        return "", ""
    if not key:
        return "", f"Their secrets are encrypted; the old server's key is not given in ${KEY}."
    try:
        return Fernet(key).decrypt(encrypted.encode()).decode(), ""
    except (ValueError, InvalidToken):
        return "", f"${KEY} is not the key that they were encrypted with."
