"""SQL of logged models."""

from collections.abc import Iterable, Sequence

from airside.core.ids import LoggedModelId
from airside.core.operation import Row, Transaction
from airside.tracking.logged_models.records import LoggedModel, LoggedModelStatus, ModelMetric
from airside.tracking.records import Param, Tag

_COLUMNS = (
    "model_id, experiment_no, name, artifact_uri, status, status_message, model_type, source_run_id, is_deleted, "
    "created_ms, updated_ms"
)
_CHUNK = 500
"""Ids in one IN list: below the variables of a statement in any SQLite."""


def insert(tx: Transaction, model: LoggedModel) -> None:
    """Write a model with its parameters and tags."""
    tx.run(
        f"INSERT INTO logged_model ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            model.model_id,
            int(model.experiment_id),
            model.name,
            model.artifact_uri,
            model.status,
            model.status_message,
            model.model_type,
            model.source_run_id,
            model.lifecycle_stage == "deleted",
            model.created_ms,
            model.updated_ms,
        ),
    )
    insert_params(tx, model.model_id, model.params)
    put_tags(tx, model.model_id, model.tags)


def one(tx: Transaction, model_id: LoggedModelId, *, allow_deleted: bool = False) -> LoggedModel | None:
    """One model with all that belongs to it."""
    found = next(iter(some(tx, (model_id,))), None)
    return None if found is None or (found.lifecycle_stage == "deleted" and not allow_deleted) else found


def some(tx: Transaction, ids: Sequence[LoggedModelId]) -> tuple[LoggedModel, ...]:
    """The models of some ids, in the ids' order, those missing left out."""
    found: dict[str, LoggedModel] = {}
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        within = f"model_id IN ({', '.join('?' * len(chunk))})"
        params = _pairs(tx, "logged_model_param", within, chunk)
        tags = _pairs(tx, "logged_model_tag", within, chunk)
        metrics: dict[str, list[ModelMetric]] = {}
        for row in tx.all(
            "SELECT model_id, key, value, is_nan, time_ms, step, run_id, dataset_name, dataset_digest "
            f"FROM logged_model_metric WHERE {within} ORDER BY key, step, time_ms, value",
            chunk,
        ):
            metrics.setdefault(row[0], []).append(_metric(row))
        for row in tx.all(f"SELECT {_COLUMNS} FROM logged_model WHERE {within}", chunk):
            found[row[0]] = _model(
                row,
                params=tuple(Param(key=key, value=value) for key, value in params.get(row[0], ())),
                tags=tuple(Tag(key=key, value=value) for key, value in tags.get(row[0], ())),
                metrics=tuple(metrics.get(row[0], ())),
            )
    return tuple(found[model_id] for model_id in ids if model_id in found)


def _pairs(tx: Transaction, table: str, within: str, ids: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    pairs: dict[str, list[tuple[str, str]]] = {}
    for model_id, key, value in tx.all(f"SELECT model_id, key, value FROM {table} WHERE {within} ORDER BY key", ids):
        pairs.setdefault(model_id, []).append((key, value))
    return pairs


def _metric(row: Row) -> ModelMetric:
    model_id, key, value, is_nan, time_ms, step, run_id, dataset_name, dataset_digest = row
    return ModelMetric(
        key=key,
        value=None if is_nan else value,
        timestamp_ms=time_ms,
        step=step,
        model_id=model_id,
        run_id=run_id,
        dataset_name=dataset_name,
        dataset_digest=dataset_digest,
    )


def _model(
    row: Row, *, params: tuple[Param, ...], tags: tuple[Tag, ...], metrics: tuple[ModelMetric, ...]
) -> LoggedModel:
    model_id, experiment_no, name, artifact_uri, status, status_message, model_type, source_run_id, *rest = row
    is_deleted, created_ms, updated_ms = rest
    return LoggedModel(
        model_id=model_id,
        experiment_id=str(experiment_no),  # type: ignore[arg-type]  # a NewType of str, made here
        name=name,
        artifact_uri=artifact_uri,
        status=status,
        status_message=status_message,
        model_type=model_type,
        source_run_id=source_run_id,
        lifecycle_stage="deleted" if is_deleted else "active",
        params=params,
        tags=tags,
        metrics=metrics,
        created_ms=created_ms,
        updated_ms=updated_ms,
    )


def missing_ids(tx: Transaction, ids: Iterable[LoggedModelId]) -> tuple[LoggedModelId, ...]:
    """Those of some ids that no model has, not even a deleted one."""
    wanted = tuple(dict.fromkeys(ids))
    there: set[str] = set()
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        there.update(
            row[0]
            for row in tx.all(
                f"SELECT model_id FROM logged_model WHERE model_id IN ({', '.join('?' * len(chunk))})", chunk
            )
        )
    return tuple(model_id for model_id in wanted if model_id not in there)


def put_points(tx: Transaction, points: Iterable[ModelMetric]) -> None:
    """Keep points of metrics with their models; an identical one that is there already is kept once.

    What `runs.log_metric` and `runs.log_batch` call for the points that name a model.
    """
    tx.many(
        "INSERT INTO logged_model_metric "
        "(model_id, key, step, time_ms, value, is_nan, run_id, dataset_name, dataset_digest) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [
            (
                point.model_id,
                point.key,
                point.step,
                point.timestamp_ms,
                0.0 if point.value is None else point.value,
                point.value is None,
                point.run_id,
                point.dataset_name,
                point.dataset_digest,
            )
            for point in points
        ],
    )


def insert_params(tx: Transaction, model_id: LoggedModelId, params: Iterable[Param]) -> None:
    """Write parameters; a key that is there already is an error of the store's."""
    tx.many(
        "INSERT INTO logged_model_param (model_id, key, value) VALUES (?, ?, ?)",
        [(model_id, param.key, param.value) for param in params],
    )


def put_tags(tx: Transaction, model_id: LoggedModelId, tags: Iterable[Tag]) -> None:
    """Set tags, or overwrite them."""
    tx.many(
        "INSERT INTO logged_model_tag (model_id, key, value) VALUES (?, ?, ?) "
        "ON CONFLICT (model_id, key) DO UPDATE SET value = excluded.value",
        [(model_id, tag.key, tag.value) for tag in tags],
    )


def delete_tag(tx: Transaction, model_id: LoggedModelId, key: str) -> bool:
    """Take a tag away; whether it was there."""
    return tx.run("DELETE FROM logged_model_tag WHERE model_id = ? AND key = ?", (model_id, key)) > 0


def set_status(tx: Transaction, model_id: LoggedModelId, status: LoggedModelStatus, message: str, now_ms: int) -> None:
    """Write the status."""
    tx.run(
        "UPDATE logged_model SET status = ?, status_message = ?, updated_ms = ? WHERE model_id = ?",
        (status, message, now_ms, model_id),
    )


def delete(tx: Transaction, model_id: LoggedModelId, now_ms: int) -> None:
    """Mark as deleted."""
    tx.run(
        "UPDATE logged_model SET is_deleted = ?, updated_ms = ? WHERE model_id = ? AND is_deleted = ?",
        (True, now_ms, model_id, False),
    )


def touch(tx: Transaction, model_id: LoggedModelId, now_ms: int) -> None:
    """Count as updated."""
    tx.run("UPDATE logged_model SET updated_ms = ? WHERE model_id = ?", (now_ms, model_id))
