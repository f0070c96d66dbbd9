"""Runs of an MLflow database: their heads, parameters, tags, inputs and outputs."""

import typing
from collections.abc import Iterator, Sequence

from airside.client.imports.mlflow.schema import MlflowTables, marks
from airside.core.ids import ExperimentId, LoggedModelId, RunId
from airside.core.operation import Row
from airside.tracking.records import Dataset, DatasetInput, ModelOutput, Param, Run, RunInfo, RunStatus, Tag

AT_ONCE = 100
NAME_TAG = "mlflow.runName"
STATUSES = frozenset(typing.get_args(RunStatus))


def count(tables: MlflowTables) -> int:
    """How many there are, deleted ones included."""
    return tables.count("runs")


def read(tables: MlflowTables, after: str = "") -> Iterator[tuple[str, tuple[Run, ...]]]:
    """Runs by their ids, a hundred at a time, with the key behind which the next ones are."""
    name, user = tables.column("runs", "name"), tables.column("runs", "user_id")
    sql = (
        f"SELECT run_uuid, experiment_id, {name}, {user}, status, start_time, end_time, artifact_uri, lifecycle_stage "
        "FROM runs WHERE {after} ORDER BY run_uuid"
    )
    for rows in tables.pages(sql, 1, AT_ONCE, [after] if after else []):
        yield rows[-1][0], tuple(_filled(tables, rows))


def read_some(tables: MlflowTables, run_ids: Sequence[str]) -> tuple[Run, ...]:
    """Runs of some ids."""
    name, user = tables.column("runs", "name"), tables.column("runs", "user_id")
    rows = tables.source.all(
        f"SELECT run_uuid, experiment_id, {name}, {user}, status, start_time, end_time, artifact_uri, lifecycle_stage "
        f"FROM runs WHERE run_uuid IN ({marks(run_ids)})",
        run_ids,
    )
    return tuple(_filled(tables, rows)) if rows else ()


def _filled(tables: MlflowTables, rows: Sequence[Row]) -> Iterator[Run]:
    ids = [row[0] for row in rows]
    pair = ['"key"', "value"]
    params = tables.grouped(pair, "params", "run_uuid", ids, lambda r: Param(key=r[0], value=r[1] or ""))
    tags = tables.grouped(pair, "tags", "run_uuid", ids, lambda r: Tag(key=r[0], value=r[1] or ""))
    inputs = _dataset_inputs(tables, ids)
    step = tables.column("inputs", "step", "0")
    model_inputs = tables.grouped(
        ["destination_id"], "inputs", "source_id", ids, lambda r: LoggedModelId(r[0]), " AND source_type = 'RUN_INPUT'"
    )
    outputs = tables.grouped(
        ["destination_id", step],
        "inputs",
        "source_id",
        ids,
        lambda r: ModelOutput(model_id=LoggedModelId(r[0]), step=r[1] or 0),
        " AND source_type = 'RUN_OUTPUT'",
    )
    for row in rows:
        run_id = row[0]
        own_tags = tuple(tags.get(run_id, ()))
        yield Run(
            info=_info(row, own_tags),
            params=tuple(params.get(run_id, ())),
            tags=own_tags,
            dataset_inputs=tuple(inputs.get(run_id, ())),
            model_inputs=tuple(model_inputs.get(run_id, ())),
            model_outputs=tuple(outputs.get(run_id, ())),
        )


def _info(row: Row, tags: Sequence[Tag]) -> RunInfo:
    run_id, experiment_id, name, user_id, status, start_ms, end_ms, artifact_uri, stage = row
    named = next((tag.value for tag in tags if tag.key == NAME_TAG), "")
    return RunInfo(
        run_id=RunId(run_id),
        experiment_id=ExperimentId(str(experiment_id)),
        name=name or named,
        user_id=user_id or "",
        status=status if status in STATUSES else "RUNNING",
        start_time_ms=start_ms or 0,
        end_time_ms=end_ms or None,
        artifact_uri=artifact_uri or "",
        lifecycle_stage="deleted" if stage == "deleted" else "active",
    )


def _dataset_inputs(tables: MlflowTables, run_ids: Sequence[str]) -> dict[str, list[DatasetInput]]:
    found: dict[str, list[DatasetInput]] = {}
    if not tables.has("inputs") or not tables.has("datasets"):
        return found
    rows = tables.source.all(
        "SELECT i.destination_id, i.input_uuid, d.name, d.digest, d.dataset_source_type, d.dataset_source, "
        "d.dataset_schema, d.dataset_profile FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id "
        f"WHERE i.source_type = 'DATASET' AND i.destination_type = 'RUN' AND i.destination_id IN ({marks(run_ids)}) "
        "ORDER BY i.input_uuid",
        run_ids,
    )
    tags: dict[str, list[Tag]] = {}
    for start in range(0, len(rows), 500):
        ids = [row[1] for row in rows[start : start + 500]]
        tags |= tables.grouped(
            ["name", "value"], "input_tags", "input_uuid", ids, lambda r: Tag(key=r[0], value=r[1] or "")
        )
    for run_id, input_id, name, digest, source_type, source, schema, profile in rows:
        dataset = Dataset(
            name=name,
            digest=digest,
            source_type=source_type or "",
            source=source or "",
            schema=schema,
            profile=profile,
        )
        found.setdefault(run_id, []).append(DatasetInput(dataset=dataset, tags=tuple(tags.get(input_id, ()))))
    return found
