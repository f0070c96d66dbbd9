"""Points of metrics of an MLflow database, run by run, in columns."""

from collections.abc import Iterator, Sequence

from airside.client.imports.mlflow.schema import MlflowTables, marks
from airside.core.ids import RunId
from airside.tracking.imports.records import Series
from airside.tracking.rules import LARGEST, stored_value

AT_ONCE = 5000
"""Points in one call: some ten milliseconds of the writer's time."""


def count(tables: MlflowTables) -> int:
    """How many points there are."""
    return tables.count("metrics")


def counts(tables: MlflowTables, run_ids: Sequence[str]) -> dict[str, int]:
    """How many points some runs hold."""
    sql = f"SELECT run_uuid, COUNT(*) FROM metrics WHERE run_uuid IN ({marks(run_ids)}) GROUP BY run_uuid"
    return {run_id: int(number) for run_id, number in tables.source.all(sql, run_ids)} if run_ids else {}


def read(tables: MlflowTables, run_ids: Sequence[str]) -> Iterator[tuple[Series, ...]]:
    """The points of some runs, some thousands at a time."""
    if not run_ids:
        return
    step = tables.column("metrics", "step", "0")
    is_nan = tables.column("metrics", "is_nan", "0")
    sql = (
        f'SELECT run_uuid, "key", "timestamp", {step}, value, {is_nan} FROM metrics '
        f"WHERE run_uuid IN ({marks(run_ids)})"
    )
    held: dict[tuple[str, str], tuple[list[int], list[int], list[float | None]]] = {}
    number = 0
    for run_id, key, timestamp_ms, at, value, nan in tables.source.stream(sql, run_ids):
        columns = held.get((run_id, key))
        if columns is None:
            columns = held[run_id, key] = ([], [], [])
        columns[0].append(timestamp_ms or 0)
        columns[1].append(at)
        columns[2].append(None if nan else finite(value))
        number += 1
        if number == AT_ONCE:
            yield _series(held)
            held, number = {}, 0
    if number:
        yield _series(held)


def finite(value: float | None) -> float | None:
    """A value that JSON has a word for: an infinite one is the largest there is, as MLflow's databases keep it.

    >>> finite(1.5), finite(float("-inf")), finite(float("nan"))
    (1.5, -1.7976931348623157e+308, None)
    """
    if value is None or -LARGEST <= value <= LARGEST:
        return value
    stored, is_nan = stored_value(value)
    return None if is_nan else stored


def _series(held: dict[tuple[str, str], tuple[list[int], list[int], list[float | None]]]) -> tuple[Series, ...]:
    return tuple(
        Series(
            run_id=RunId(run_id),
            key=key,
            timestamps_ms=tuple(columns[0]),
            steps=tuple(columns[1]),
            values=tuple(columns[2]),
        )
        for (run_id, key), columns in held.items()
    )
