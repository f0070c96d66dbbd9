"""Evaluation datasets and scorers of an MLflow database (since release 3.4)."""

from collections.abc import Iterator, Sequence
from typing import Any

from airside.client.imports.mlflow.schema import BETWEEN, MlflowTables, decoded, marks
from airside.core.errors import Invalid
from airside.core.ids import ExperimentId
from airside.core.operation import Row
from airside.tracking.evaluation.records import EvaluationDataset, EvaluationRecord, RecordSource, ScorerVersion
from airside.tracking.evaluation.rules import check_scorer
from airside.tracking.records import Tag

AT_ONCE = 100
RECORDS_AT_ONCE = 200
WRAPPED = "mlflow_wrapped"
"""The key below which MLflow keeps outputs of any kind."""
SCORERS = "scorer_versions v JOIN scorers s ON s.scorer_id = v.scorer_id"


def count_datasets(tables: MlflowTables) -> int:
    """How many datasets there are."""
    return tables.count("evaluation_datasets")


def read_datasets(tables: MlflowTables, after: str = "") -> Iterator[tuple[str, tuple[EvaluationDataset, ...]]]:
    """Datasets by their ids, without their records."""
    if not tables.has("evaluation_datasets"):
        return
    sql = (
        'SELECT dataset_id, name, "schema", digest, created_time, last_update_time, created_by, last_updated_by '
        "FROM evaluation_datasets WHERE {after} ORDER BY dataset_id"
    )
    for rows in tables.pages(sql, 1, AT_ONCE, [after] if after else []):
        ids = [row[0] for row in rows]
        tags = tables.grouped(
            ['"key"', "value"],
            "evaluation_dataset_tags",
            "dataset_id",
            ids,
            lambda r: Tag(key=r[0], value=r[1] or ""),
        )
        experiments = tables.grouped(
            ["created_time", "destination_id"],
            "entity_associations",
            "source_id",
            ids,
            lambda r: (r[0] or 0, ExperimentId(str(r[1]))),
            " AND source_type = 'evaluation_dataset' AND destination_type = 'experiment'",
        )
        counts = record_counts(tables, ids)
        yield ids[-1], tuple(_dataset(row, tags, experiments, counts) for row in rows)


def _dataset(
    row: Row,
    tags: dict[str, list[Tag]],
    experiments: dict[str, list[tuple[int, ExperimentId]]],
    counts: dict[str, int],
) -> EvaluationDataset:
    dataset_id, name, schema, digest, created_ms, updated_ms, created_by, updated_by = row
    fields = decoded(schema)
    return EvaluationDataset(
        dataset_id=dataset_id,
        name=name,
        digest=digest or "",
        created_ms=created_ms or 0,
        updated_ms=updated_ms or created_ms or 0,
        created_by=created_by,
        updated_by=updated_by,
        fields=fields if isinstance(fields, dict) else None,
        n_records=counts.get(dataset_id),
        tags=tuple(sorted(tags.get(dataset_id, ()), key=lambda tag: tag.key)),
        experiment_ids=tuple(each for _, each in sorted(experiments.get(dataset_id, ()), key=lambda pair: pair[0])),
    )


def record_counts(tables: MlflowTables, dataset_ids: Sequence[str]) -> dict[str, int]:
    """How many records some datasets have."""
    sql = (
        "SELECT dataset_id, COUNT(*) FROM evaluation_dataset_records "
        f"WHERE dataset_id IN ({marks(dataset_ids)}) GROUP BY dataset_id"
    )
    return {key: int(number) for key, number in tables.source.all(sql, dataset_ids)} if dataset_ids else {}


def read_records(tables: MlflowTables, dataset_ids: Sequence[str]) -> Iterator[tuple[EvaluationRecord, ...]]:
    """The records of some datasets, some hundreds at a time, oldest first."""
    if not dataset_ids:
        return
    outputs = tables.column("evaluation_dataset_records", "outputs")
    sql = (
        f"SELECT dataset_record_id, dataset_id, inputs, {outputs}, expectations, tags, source, created_time, "
        "last_update_time, created_by, last_updated_by FROM evaluation_dataset_records "
        f"WHERE dataset_id IN ({marks(dataset_ids)}) ORDER BY dataset_id, created_time, dataset_record_id"
    )
    held: list[EvaluationRecord] = []
    for row in tables.source.stream(sql, dataset_ids):
        held.append(_record(row))
        if len(held) == RECORDS_AT_ONCE:
            yield tuple(held)
            held = []
    if held:
        yield tuple(held)


def _record(row: Row) -> EvaluationRecord:
    record_id, dataset_id, inputs, outputs, expectations, tags, source, created_ms, updated_ms, made_by, changed_by = (
        row
    )
    told, given = decoded(outputs), decoded(source)
    return EvaluationRecord(
        record_id=record_id,
        dataset_id=dataset_id,
        inputs=decoded(inputs) or {},
        outputs=told[WRAPPED] if isinstance(told, dict) and WRAPPED in told else told,
        expectations=decoded(expectations),
        tags={str(key): str(value) for key, value in (decoded(tags) or {}).items()},
        source=_source(given) if isinstance(given, dict) else None,
        created_ms=created_ms or 0,
        updated_ms=updated_ms or created_ms or 0,
        created_by=made_by,
        updated_by=changed_by,
    )


def _source(given: dict[str, Any]) -> RecordSource:
    kind = given.get("source_type")
    return RecordSource(
        source_type=kind if kind in ("TRACE", "HUMAN", "DOCUMENT", "CODE") else "UNSPECIFIED",
        source_data=given.get("source_data") or {},
    )


def count_scorers(tables: MlflowTables) -> int:
    """How many versions of scorers there are, without those that are left."""
    return sum(len(items) for _, items in read_scorers(tables))


def read_scorers(tables: MlflowTables, after: str = "") -> Iterator[tuple[str, tuple[ScorerVersion, ...]]]:
    """Versions of scorers by their ids and numbers; the key behind them is `ID<US>NUMBER`. Those with code are left."""
    for key, items in _every_scorer(tables, after):
        yield key, tuple(each for each in items if _may_come(each))


def left_scorers(tables: MlflowTables) -> list[str]:
    """The names of the versions that are left."""
    every = (each for _, items in _every_scorer(tables, "") for each in items)
    return [f"{each.name}@{each.version}" for each in every if not _may_come(each)]


def _may_come(each: ScorerVersion) -> bool:
    try:
        check_scorer(each.name, each.serialized)
    except Invalid:
        return False
    return True


def _every_scorer(tables: MlflowTables, after: str) -> Iterator[tuple[str, tuple[ScorerVersion, ...]]]:
    if not tables.has("scorer_versions"):
        return
    sql = (
        "SELECT v.scorer_id, v.scorer_version, s.experiment_id, s.scorer_name, v.serialized_scorer, v.creation_time "
        f"FROM {SCORERS} WHERE {{after}} ORDER BY v.scorer_id, v.scorer_version"
    )
    scorer_id, _, number = after.rpartition(BETWEEN)
    for rows in tables.pages(sql, 2, AT_ONCE, [scorer_id, int(number)] if after else []):
        yield f"{rows[-1][0]}{BETWEEN}{rows[-1][1]}", tuple(_scorer(row) for row in rows)


def _scorer(row: Row) -> ScorerVersion:
    scorer_id, version, experiment_id, name, serialized, created_ms = row
    return ScorerVersion(
        scorer_id=scorer_id,
        experiment_id=ExperimentId(str(experiment_id)),
        name=name,
        version=int(version),
        serialized=serialized,
        created_ms=created_ms or 0,
    )
