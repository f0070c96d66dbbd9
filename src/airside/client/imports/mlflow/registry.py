"""Registered models (prompts among them) and their versions of an MLflow database."""

from collections.abc import Iterator, Sequence
from typing import get_args

from airside.client.imports.mlflow.schema import BETWEEN, MlflowTables, marks
from airside.core.ids import LoggedModelId, ModelName, RunId
from airside.core.operation import Row
from airside.registry.records import (
    ImportedModel,
    ImportedVersion,
    ModelVersion,
    RegisteredModel,
    Stage,
    VersionStatus,
)

AT_ONCE = 200
GONE = "Deleted_Internal"
"""The stage in which MLflow keeps a deleted version, so that its number is not given again."""
STAGES, STATUSES = frozenset(get_args(Stage)), frozenset(get_args(VersionStatus))


def count_models(tables: MlflowTables) -> int:
    """How many names there are."""
    return tables.count("registered_models")


def count_versions(tables: MlflowTables) -> int:
    """How many versions there are, without the deleted."""
    return tables.count("model_versions", f"current_stage IS NULL OR current_stage <> '{GONE}'")


def read_models(tables: MlflowTables, after: str = "") -> Iterator[tuple[str, tuple[ImportedModel, ...]]]:
    """Registered models by name."""
    if not tables.has("registered_models"):
        return
    sql = (
        "SELECT name, description, creation_time, last_updated_time FROM registered_models WHERE {after} ORDER BY name"
    )
    for rows in tables.pages(sql, 1, AT_ONCE, [after] if after else []):
        names = [row[0] for row in rows]
        tags = _pairs(tables, "registered_model_tags", names)
        last = tables.source.all(
            f"SELECT name, MAX(version) FROM model_versions WHERE name IN ({marks(names)}) GROUP BY name", names
        )
        highest: dict[str, int] = {name: int(number) for name, number in last}
        yield (
            names[-1],
            tuple(
                ImportedModel(
                    model=RegisteredModel(
                        name=ModelName(name),
                        description=description,
                        tags=dict(tags.get(name, ())),
                        created_by="",
                        created_ms=created_ms or 0,
                        updated_ms=updated_ms or created_ms or 0,
                    ),
                    last_version=highest.get(name, 0),
                )
                for name, description, created_ms, updated_ms in rows
            ),
        )


def read_versions(tables: MlflowTables, after: str = "") -> Iterator[tuple[str, tuple[ImportedVersion, ...]]]:
    """Versions by name and number, without the deleted; the key behind them is `NAME<US>NUMBER`."""
    if not tables.has("model_versions"):
        return
    storage = tables.column("model_versions", "storage_location")
    link = tables.column("model_versions", "run_link")
    sql = (
        "SELECT name, version, creation_time, last_updated_time, description, user_id, current_stage, source, "
        f"{storage}, run_id, {link}, status, status_message FROM model_versions WHERE {{after}} "
        f"AND (current_stage IS NULL OR current_stage <> '{GONE}') ORDER BY name, version"
    )
    name, _, number = after.rpartition(BETWEEN)
    for rows in tables.pages(sql, 2, AT_ONCE, [name, int(number)] if after else []):
        names = list(dict.fromkeys(row[0] for row in rows))
        tags = tables.grouped(
            ["version", '"key"', "value"],
            "model_version_tags",
            "name",
            names,
            lambda r: (int(r[0]), r[1], r[2] or ""),
            f" AND version >= {min(row[1] for row in rows)} AND version <= {max(row[1] for row in rows)}",
        )
        aliases = tables.grouped(
            ["version", "alias"], "registered_model_aliases", "name", names, lambda r: (int(r[0]), str(r[1]))
        )
        yield f"{rows[-1][0]}{BETWEEN}{rows[-1][1]}", tuple(_version(row, tags, aliases) for row in rows)


def _pairs(tables: MlflowTables, table: str, names: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    return tables.grouped(['"key"', "value"], table, "name", names, lambda r: (r[0], r[1] or ""))


def _version(
    row: Row, tags: dict[str, list[tuple[int, str, str]]], aliases: dict[str, list[tuple[int, str]]]
) -> ImportedVersion:
    name, number, created_ms, updated_ms, description, user_id, stage, source, storage, run_id, link, *state = row
    status, status_message = state
    source = source or ""
    return ImportedVersion(
        version=ModelVersion(
            name=ModelName(name),
            version=int(number),
            source=source,
            created_by=user_id or "",
            created_ms=created_ms or 0,
            updated_ms=updated_ms or created_ms or 0,
            run_id=RunId(run_id or ""),
            model_id=LoggedModelId(source.removeprefix("models:/") if source.startswith("models:/m-") else ""),
            status=status if status in STATUSES else "READY",
            status_message=status_message or "",
            stage=stage if stage in STAGES else "None",
            description=description,
            run_link=link or "",
            tags={key: value for at, key, value in tags.get(name, ()) if at == number},
            aliases=tuple(sorted(alias for at, alias in aliases.get(name, ()) if at == number)),
        ),
        storage_location=storage or source,
    )
