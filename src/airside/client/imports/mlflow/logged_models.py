"""Logged models of an MLflow database (since release 3)."""

from collections.abc import Iterator, Sequence

from airside.client.imports.mlflow.schema import MlflowTables, marks
from airside.client.imports.mlflow.series import finite
from airside.core.ids import ExperimentId, LoggedModelId, RunId
from airside.core.operation import Row
from airside.tracking.logged_models.records import LoggedModel, LoggedModelStatus, ModelMetric
from airside.tracking.records import Param, Tag

AT_ONCE = 100
POINTS_AT_ONCE = 2000
_COLUMNS = (
    "model_id, experiment_id, name, artifact_location, status, status_message, model_type, source_run_id, "
    "lifecycle_stage, creation_timestamp_ms, last_updated_timestamp_ms"
)
STATUSES: dict[int, LoggedModelStatus] = {1: "PENDING", 2: "READY", 3: "FAILED"}


def count(tables: MlflowTables) -> int:
    """How many there are, deleted ones included."""
    return tables.count("logged_models")


def read(tables: MlflowTables, after: str = "") -> Iterator[tuple[str, tuple[LoggedModel, ...]]]:
    """Logged models by their ids, a hundred at a time, without their metrics."""
    if not tables.has("logged_models"):
        return
    sql = f"SELECT {_COLUMNS} FROM logged_models WHERE {{after}} ORDER BY model_id"
    for rows in tables.pages(sql, 1, AT_ONCE, [after] if after else []):
        yield rows[-1][0], tuple(_filled(tables, rows))


def read_some(tables: MlflowTables, model_ids: Sequence[str]) -> tuple[LoggedModel, ...]:
    """Logged models of some ids."""
    if not tables.has("logged_models") or not model_ids:
        return ()
    sql = f"SELECT {_COLUMNS} FROM logged_models WHERE model_id IN ({marks(model_ids)})"
    return tuple(_filled(tables, tables.source.all(sql, model_ids)))


def _filled(tables: MlflowTables, rows: Sequence[Row]) -> Iterator[LoggedModel]:
    ids = [row[0] for row in rows]
    params = tables.grouped(
        ["param_key", "param_value"],
        "logged_model_params",
        "model_id",
        ids,
        lambda r: Param(key=r[0], value=r[1] or ""),
    )
    tags = tables.grouped(
        ["tag_key", "tag_value"], "logged_model_tags", "model_id", ids, lambda r: Tag(key=r[0], value=r[1] or "")
    )
    for row in rows:
        yield LoggedModel(
            model_id=LoggedModelId(row[0]),
            experiment_id=ExperimentId(str(row[1])),
            name=row[2],
            artifact_uri=row[3],
            status=STATUSES.get(row[4], "PENDING"),
            status_message=row[5] or "",
            model_type=row[6] or "",
            source_run_id=RunId(row[7] or ""),
            lifecycle_stage="deleted" if row[8] == "deleted" else "active",
            created_ms=row[9] or 0,
            updated_ms=row[10] or 0,
            params=tuple(params.get(row[0], ())),
            tags=tuple(tags.get(row[0], ())),
        )


def point_counts(tables: MlflowTables, model_ids: Sequence[str]) -> dict[str, int]:
    """How many points some models hold."""
    sql = (
        f"SELECT model_id, COUNT(*) FROM logged_model_metrics WHERE model_id IN ({marks(model_ids)}) GROUP BY model_id"
    )
    return {model_id: int(number) for model_id, number in tables.source.all(sql, model_ids)} if model_ids else {}


def read_points(tables: MlflowTables, model_ids: Sequence[str]) -> Iterator[tuple[ModelMetric, ...]]:
    """The points of some models, some thousands at a time."""
    if not model_ids:
        return
    sql = (
        "SELECT model_id, metric_name, metric_value, metric_timestamp_ms, metric_step, run_id, dataset_name, "
        f"dataset_digest FROM logged_model_metrics WHERE model_id IN ({marks(model_ids)})"
    )
    held: list[ModelMetric] = []
    for model_id, key, value, timestamp_ms, step, run_id, dataset_name, digest in tables.source.stream(sql, model_ids):
        held.append(
            ModelMetric(
                model_id=LoggedModelId(model_id),
                key=key,
                value=finite(value),
                timestamp_ms=timestamp_ms or 0,
                step=step or 0,
                run_id=RunId(run_id),
                dataset_name=dataset_name or "",
                dataset_digest=digest or "",
            )
        )
        if len(held) == POINTS_AT_ONCE:
            yield tuple(held)
            held = []
    if held:
        yield tuple(held)
