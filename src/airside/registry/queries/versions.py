"""SQL of model versions and of the verdicts on them."""

from collections.abc import Mapping, Sequence

import msgspec

from airside.core.clock import from_ms, to_ms
from airside.core.ids import BlobId, ModelName
from airside.core.operation import Row, Transaction
from airside.registry.records import ModelVersion, Stage, Verdict
from airside.store.sql.conditions import placeholders

_COLUMNS = (
    "name, version, source, run_id, model_id, status, status_message, stage, description, run_link, "
    "files, reference, golden, signature, approvers, created_by, created_ms, updated_ms"
)
_NAMES = msgspec.json.Decoder(tuple[str, ...])
_FILES = msgspec.json.Decoder(dict[str, BlobId])
_CHUNK = 400
"""Pairs in one IN list: below the variables of a statement in any SQLite."""

Key = tuple[ModelName, int]


def next_version(tx: Transaction, name: ModelName, now_ms: int) -> int | None:
    """Take the next number of a model; None when there is no such model. The row's lock makes it free of races."""
    rows = tx.all(
        "UPDATE registered_model SET last_version = last_version + 1, updated_ms = ? WHERE name = ? "
        "RETURNING last_version",
        (now_ms, name),
    )
    return rows[0][0] if rows else None


def insert_version(tx: Transaction, version: ModelVersion, storage_location: str) -> None:
    """Write a version without its tags."""
    tx.run(
        f"INSERT INTO model_version ({_COLUMNS}, storage_location) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            version.name,
            version.version,
            version.source,
            version.run_id,
            version.model_id,
            version.status,
            version.status_message,
            version.stage,
            version.description,
            version.run_link,
            msgspec.json.encode(version.files).decode(),
            version.reference,
            version.golden,
            version.signature,
            msgspec.json.encode(version.approvers).decode(),
            version.created_by,
            version.created_ms,
            version.updated_ms,
            storage_location,
        ),
    )


def version(tx: Transaction, name: ModelName, number: int) -> ModelVersion | None:
    """One version with its tags, aliases and verdicts."""
    return next(iter(versions_of(tx, ((name, number),))), None)


def versions_of(tx: Transaction, keys: Sequence[Key]) -> tuple[ModelVersion, ...]:
    """The versions of some keys, in the keys' order, those missing left out."""
    found: dict[Key, ModelVersion] = {}
    for start in range(0, len(keys), _CHUNK):
        chunk = keys[start : start + _CHUNK]
        within = f"(name, version) IN (VALUES {', '.join(['(?, ?)'] * len(chunk))})"
        args = [part for key in chunk for part in key]
        rows = tx.all(f"SELECT {_COLUMNS} FROM model_version WHERE {within}", args)
        found.update(_filled(tx, rows, within, args))
    return tuple(found[key] for key in keys if key in found)


def latest_of(tx: Transaction, names: Sequence[ModelName], *, is_one: bool) -> dict[str, tuple[ModelVersion, ...]]:
    """Name -> the highest version of each stage.

    MLflow lists them by the stage's name where it searches, and, where it is asked for one model, in the order in
    which its versions lead to the stages.
    """
    order = "MIN(version)" if is_one else "stage"
    rows = tx.all(
        f"SELECT name, MAX(version) FROM model_version WHERE name IN ({', '.join('?' * len(names))}) "
        f"GROUP BY name, stage ORDER BY name, {order}",
        names,
    )
    by_name: dict[str, tuple[ModelVersion, ...]] = {}
    for each in versions_of(tx, [(name, number) for name, number in rows]):
        by_name[each.name] = (*by_name.get(each.name, ()), each)
    return by_name


def _filled(tx: Transaction, rows: Sequence[Row], within: str, args: Sequence[object]) -> dict[Key, ModelVersion]:
    tags: dict[Key, dict[str, str]] = {}
    for name, number, key, value in tx.all(
        f"SELECT name, version, key, value FROM model_version_tag WHERE {within} ORDER BY key", args
    ):
        tags.setdefault((name, number), {})[key] = value
    aliases: dict[Key, tuple[str, ...]] = {}
    for name, number, alias in tx.all(
        f"SELECT name, version, alias FROM model_alias WHERE {within} ORDER BY alias", args
    ):
        aliases[name, number] = (*aliases.get((name, number), ()), alias)
    verdicts: dict[Key, tuple[Verdict, ...]] = {}
    for row in tx.all(
        "SELECT name, version, gate, passed, decision_id, summary, left_by, left_ms FROM verdict "
        f"WHERE {within} ORDER BY gate",
        args,
    ):
        verdict = _verdict(row)
        key_of = (verdict.name, verdict.version)
        verdicts[key_of] = (*verdicts.get(key_of, ()), verdict)
    return {
        (row[0], row[1]): _version(
            row,
            tags=tags.get((row[0], row[1]), {}),
            aliases=aliases.get((row[0], row[1]), ()),
            verdicts=verdicts.get((row[0], row[1]), ()),
        )
        for row in rows
    }


def _version(
    row: Row, *, tags: dict[str, str], aliases: tuple[str, ...], verdicts: tuple[Verdict, ...]
) -> ModelVersion:
    name, number, source, run_id, model_id, status, status_message, stage, description, run_link, *rest = row
    files, reference, golden, signature, approvers, created_by, created_ms, updated_ms = rest
    return ModelVersion(
        name=name,
        version=number,
        source=source,
        run_id=run_id,
        model_id=model_id,
        status=status,
        status_message=status_message,
        stage=stage,
        description=description,
        run_link=run_link,
        tags=tags,
        aliases=aliases,
        files=_FILES.decode(files),
        reference=reference,
        golden=golden,
        signature=signature,
        approvers=_NAMES.decode(approvers),
        verdicts=verdicts,
        created_by=created_by,
        created_ms=created_ms,
        updated_ms=updated_ms,
    )


def _verdict(row: Row) -> Verdict:
    name, version, gate, passed, decision_id, summary, left_by, left_ms = row
    return Verdict(
        name=name,
        version=version,
        gate=gate,
        passed=bool(passed),
        decision_id=decision_id,
        summary=summary,
        left_by=left_by,
        left_at=from_ms(left_ms),
    )


def version_numbers(tx: Transaction, name: ModelName) -> frozenset[int]:
    """The numbers of the versions that exist."""
    return frozenset(number for (number,) in tx.all("SELECT version FROM model_version WHERE name = ?", (name,)))


def versions_in_stage(tx: Transaction, name: ModelName, stage: Stage) -> tuple[int, ...]:
    """The numbers of the versions in a stage."""
    rows = tx.all("SELECT version FROM model_version WHERE name = ? AND stage = ? ORDER BY version", (name, stage))
    return tuple(number for (number,) in rows)


def storage_location(tx: Transaction, name: ModelName, number: int) -> str | None:
    """Where the files of a version lie; None when there is no such version."""
    row = tx.one("SELECT storage_location FROM model_version WHERE name = ? AND version = ?", (name, number))
    return None if row is None else row[0]


def set_version_description(
    tx: Transaction, name: ModelName, number: int, description: str | None, now_ms: int
) -> None:
    """Write or take away the description."""
    tx.run(
        "UPDATE model_version SET description = ?, updated_ms = ? WHERE name = ? AND version = ?",
        (description, now_ms, name, number),
    )


def set_stage(tx: Transaction, name: ModelName, number: int, stage: Stage, now_ms: int) -> None:
    """Write the stage; the model counts as updated."""
    tx.run(
        "UPDATE model_version SET stage = ?, updated_ms = ? WHERE name = ? AND version = ?",
        (stage, now_ms, name, number),
    )
    tx.run("UPDATE registered_model SET updated_ms = ? WHERE name = ?", (now_ms, name))


def set_approvers(tx: Transaction, name: ModelName, number: int, approvers: Sequence[str]) -> None:
    """Write who must approve the version."""
    tx.run(
        "UPDATE model_version SET approvers = ? WHERE name = ? AND version = ?",
        (msgspec.json.encode(approvers).decode(), name, number),
    )


def set_contents(
    tx: Transaction, of: ModelVersion, files: Mapping[str, BlobId], reference: BlobId, golden: str, signature: str
) -> None:
    """Write what is known of the contents."""
    tx.run(
        "UPDATE model_version SET files = ?, reference = ?, golden = ?, signature = ? WHERE name = ? AND version = ?",
        (msgspec.json.encode(files).decode(), reference, golden, signature, of.name, of.version),
    )


def delete_version(tx: Transaction, name: ModelName, number: int, now_ms: int) -> None:
    """Delete a version with its tags, verdicts and approvals."""
    for table in ("model_version", "model_version_tag", "verdict"):
        tx.run(f"DELETE FROM {table} WHERE name = ? AND version = ?", (name, number))
    tx.run("DELETE FROM approval WHERE subject_kind = 'version' AND subject = ?", (f"{name}@{number}",))
    tx.run("UPDATE registered_model SET updated_ms = ? WHERE name = ?", (now_ms, name))


def put_version_tags(tx: Transaction, name: ModelName, number: int, tags: Mapping[str, str]) -> None:
    """Set tags, or overwrite them."""
    tx.many(
        "INSERT INTO model_version_tag (name, version, key, value) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (name, version, key) DO UPDATE SET value = excluded.value",
        [(name, number, key, value) for key, value in tags.items()],
    )


def delete_version_tag(tx: Transaction, name: ModelName, number: int, key: str) -> None:
    """Take a tag away."""
    tx.run("DELETE FROM model_version_tag WHERE name = ? AND version = ? AND key = ?", (name, number, key))


def put_verdict(tx: Transaction, verdict: Verdict) -> None:
    """Write a verdict over the same gate's earlier one."""
    tx.run(
        "INSERT INTO verdict (name, version, gate, passed, decision_id, summary, left_by, left_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name, version, gate) DO UPDATE SET passed = excluded.passed, "
        "decision_id = excluded.decision_id, summary = excluded.summary, left_by = excluded.left_by, "
        "left_ms = excluded.left_ms",
        (
            verdict.name,
            verdict.version,
            verdict.gate,
            verdict.passed,
            verdict.decision_id,
            verdict.summary,
            verdict.left_by,
            to_ms(verdict.left_at),
        ),
    )


def of_models(tx: Transaction, model_ids: Sequence[str]) -> list[Row]:
    """Name, number and logged model of the versions that come from some logged models."""
    if not model_ids:
        return []
    marks = placeholders(len(model_ids))
    return tx.all(f"SELECT name, version, model_id FROM model_version WHERE model_id IN ({marks})", model_ids)


def of_runs(tx: Transaction, run_ids: Sequence[str]) -> list[Row]:
    """Name, number, run and place of the versions that come from some runs."""
    if not run_ids:
        return []
    marks = placeholders(len(run_ids))
    return tx.all(
        f"SELECT name, version, run_id, storage_location FROM model_version WHERE run_id IN ({marks})", run_ids
    )
