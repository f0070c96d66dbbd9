"""Experiments of an MLflow database."""

from collections.abc import Iterator

from airside.client.imports.mlflow.schema import MlflowTables
from airside.core.ids import ExperimentId
from airside.tracking.records import Experiment, Tag

AT_ONCE = 200


def count(tables: MlflowTables) -> int:
    """How many there are, deleted ones included."""
    return tables.count("experiments")


def greatest(tables: MlflowTables) -> int:
    """The greatest id."""
    return int(tables.source.all("SELECT MAX(experiment_id) FROM experiments")[0][0] or 0)


def read(tables: MlflowTables, after: str = "") -> Iterator[tuple[str, tuple[Experiment, ...]]]:
    """Experiments by their ids, some hundreds at a time, with the key behind which the next ones are."""
    created = tables.column("experiments", "creation_time", "0")
    updated = tables.column("experiments", "last_update_time", "0")
    sql = (
        f"SELECT experiment_id, name, artifact_location, lifecycle_stage, {created}, {updated} FROM experiments "
        "WHERE {after} ORDER BY experiment_id"
    )
    for rows in tables.pages(sql, 1, AT_ONCE, [int(after)] if after else []):
        tags = tables.grouped(
            ['"key"', "value"],
            "experiment_tags",
            "experiment_id",
            [row[0] for row in rows],
            lambda pair: Tag(key=pair[0], value=pair[1] or ""),
        )
        yield (
            str(rows[-1][0]),
            tuple(
                Experiment(
                    experiment_id=ExperimentId(str(number)),
                    name=name,
                    artifact_location=location or "",
                    lifecycle_stage="deleted" if stage == "deleted" else "active",
                    created_ms=created_ms or 0,
                    updated_ms=updated_ms or created_ms or 0,
                    tags=tuple(tags.get(number, ())),
                )
                for number, name, location, stage, created_ms, updated_ms in rows
            ),
        )
