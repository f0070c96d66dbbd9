"""Runs: their heads, what belongs to them, and how they are loaded whole, many at a time."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import TypeVar

import msgspec

from airside.core.ids import ExperimentId, LoggedModelId, RunId
from airside.core.operation import Context, Row, Transaction
from airside.store.sql.conditions import placeholders
from airside.tracking.memory import memory_of
from airside.tracking.queries.keys import name_of
from airside.tracking.records import Dataset, DatasetInput, Metric, ModelOutput, Param, Run, RunInfo, Tag

T = TypeVar("T")
COLUMNS = "id, run_id, experiment_no, name, user_id, status, start_ms, end_ms, artifact_uri, is_deleted, revision"
SIZES = (1, 8, 64, 128, 512)
"""How many runs one statement asks for: few sizes, so that statements stay prepared; the rest is filled up."""
_NUMBERS = "SELECT id, experiment_no FROM run WHERE run_id = ?"
_HEAD = f"SELECT {COLUMNS} FROM run WHERE id = ?"
_TOUCH = "UPDATE run SET revision = revision + 1 WHERE id = ? AND is_deleted = ?"
_COUNT = "UPDATE run SET revision = revision + 1 WHERE id = ?"
_ADD = (
    "INSERT INTO run (run_id, experiment_no, name, user_id, status, start_ms, end_ms, artifact_uri, is_deleted, "
    "revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)"
)
_UPDATE = "UPDATE run SET status = ?, end_ms = ?, name = ?, revision = revision + 1 WHERE id = ?"
_NAME = "UPDATE run SET name = ? WHERE id = ?"
_STAGE = "UPDATE run SET is_deleted = ?, deleted_ms = ?, revision = revision + 1 WHERE id = ? AND is_deleted = ?"

_METRICS = "SELECT run_no, key_no, value, is_nan, time_ms, step FROM metric_latest WHERE run_no IN ({})"
_PARAMS = "SELECT run_no, key_no, value FROM run_param WHERE run_no IN ({})"
_TAGS = "SELECT run_no, key_no, value FROM run_tag WHERE run_no IN ({})"
_DATASETS = (
    "SELECT i.run_no, d.name, d.digest, d.source_type, d.source, d.schema_text, d.profile_text, i.tags "
    "FROM dataset_input i JOIN input_dataset d ON d.id = i.dataset_no WHERE i.run_no IN ({}) ORDER BY d.id"
)
_MODEL_INPUTS = "SELECT run_no, model_id FROM model_input WHERE run_no IN ({}) ORDER BY model_id"
_MODEL_OUTPUTS = "SELECT run_no, model_id, step FROM model_output WHERE run_no IN ({}) ORDER BY step, model_id"
_HEADS = f"SELECT {COLUMNS} FROM run WHERE id IN ({{}})"
_REVISIONS = "SELECT id, revision FROM run WHERE id IN ({})"


def numbers(ctx: Context, run_id: str) -> tuple[int, int] | None:
    """The number of a run and of its experiment."""
    memory = memory_of(ctx)
    found = memory.run_numbers.get(run_id)
    if found is None:
        row = ctx.tx.one(_NUMBERS, (run_id,))
        if row is None:
            return None
        found = (row[0], row[1])
        number, experiment_no = found
        if ctx.tx.is_reading:
            memory.learn_run(run_id, number, experiment_no)
        else:
            ctx.tx.on_commit(lambda: memory.learn_run(run_id, number, experiment_no))
    return found


def touch(tx: Transaction, number: int) -> bool:
    """Count a change of an active run, once in a transaction; False when it is deleted or gone."""
    touched = ("run touched", number)
    if touched in tx.seen:
        return True
    if not tx.run(_TOUCH, (number, False)):
        return False
    tx.seen.add(touched)
    return True


def count_change(tx: Transaction, number: int) -> None:
    """Count a change of a run, deleted or not."""
    tx.run(_COUNT, (number,))


def head(tx: Transaction, number: int) -> Row | None:
    """The row of a run."""
    return tx.one(_HEAD, (number,))


def info_of(row: Row) -> RunInfo:
    """The head of a run, of a row of `COLUMNS`."""
    return RunInfo(
        run_id=RunId(row[1]),
        experiment_id=ExperimentId(str(row[2])),
        name=row[3],
        user_id=row[4],
        status=row[5],
        start_time_ms=row[6],
        end_time_ms=row[7],
        artifact_uri=row[8],
        lifecycle_stage="deleted" if row[9] else "active",
    )


def add(ctx: Context, info: RunInfo, experiment_no: int) -> int:
    """Store a new run; its number."""
    number = ctx.tx.insert(
        _ADD,
        (
            info.run_id,
            experiment_no,
            info.name,
            info.user_id,
            info.status,
            info.start_time_ms,
            info.end_time_ms,
            info.artifact_uri,
            info.lifecycle_stage == "deleted",
        ),
    )
    memory = memory_of(ctx)
    ctx.tx.on_commit(lambda: memory.learn_run(info.run_id, number, experiment_no))
    return number


def update(tx: Transaction, number: int, info: RunInfo) -> None:
    """Store what may change of a run's head."""
    tx.run(_UPDATE, (info.status, info.end_time_ms, info.name, number))


def rename(tx: Transaction, number: int, name: str) -> None:
    """Give a run another name."""
    tx.run(_NAME, (name, number))


def set_stage(tx: Transaction, number: int, *, is_deleted: bool, now_ms: int) -> None:
    """Delete or restore a run; nothing happens when it is in that stage."""
    tx.seen.discard(("run touched", number))
    tx.run(_STAGE, (is_deleted, now_ms if is_deleted else None, number, not is_deleted))


def load(ctx: Context, wanted: Sequence[int]) -> list[Run]:
    """Runs with all that they hold, in the order asked for; those that are gone are left out.

    A run that was loaded before, at its present revision, is not loaded again. What a writer sees is neither kept nor
    taken from memory: its transaction may be undone, or change a run again without counting further.
    """
    runs = kept(ctx, wanted) if ctx.tx.is_reading else {}
    missing = [number for number in wanted if number not in runs]
    rows = [row for part in _parts(missing) for row in _among(ctx.tx, _HEADS, part)]
    for run, row in zip(_loaded(ctx, rows), rows, strict=True):
        runs[row[0]] = run
        if ctx.tx.is_reading:
            memory_of(ctx).keep(row[0], run)
    return [runs[number] for number in wanted if number in runs]


def kept(ctx: Context, wanted: Sequence[int]) -> dict[int, Run]:
    """Those of some runs that are in memory and as they were: their revisions are asked for in this transaction."""
    held = memory_of(ctx).runs
    runs: dict[int, Run] = {}
    for part in _parts([number for number in wanted if number in held]):
        for number, revision in _among(ctx.tx, _REVISIONS, part):
            run = held.get(number)
            if run is not None and run.revision == revision:
                runs[number] = run
    return runs


def glance(ctx: Context, run_id: str) -> Run | None:
    """A run from memory, None when it is not there, or is no longer as it was."""
    numbers = memory_of(ctx).run_numbers.get(run_id)
    return kept(ctx, numbers[:1]).get(numbers[0]) if numbers else None


def _loaded(ctx: Context, rows: Sequence[Row]) -> Iterable[Run]:
    for part in _parts(rows):
        yield from _loaded_part(ctx, part)


def _loaded_part(ctx: Context, rows: Sequence[Row]) -> Iterable[Run]:
    tx, ids = ctx.tx, [row[0] for row in rows]

    def named(row: Row) -> str:
        return name_of(ctx, row[1])

    metrics = _grouped(
        tx, _METRICS, ids, lambda r: Metric(key=named(r), value=None if r[3] else r[2], timestamp_ms=r[4], step=r[5])
    )
    params = _grouped(tx, _PARAMS, ids, lambda r: Param(key=named(r), value=r[2]))
    tags = _grouped(tx, _TAGS, ids, lambda r: Tag(key=named(r), value=r[2]))
    datasets = _grouped(tx, _DATASETS, ids, _dataset_input)
    inputs = _grouped(tx, _MODEL_INPUTS, ids, lambda r: LoggedModelId(r[1]))
    outputs = _grouped(tx, _MODEL_OUTPUTS, ids, lambda r: ModelOutput(model_id=r[1], step=r[2]))
    for row in rows:
        number = row[0]
        yield Run(
            info=info_of(row),
            metrics=metrics.get(number, ()),
            params=params.get(number, ()),
            tags=tags.get(number, ()),
            dataset_inputs=datasets.get(number, ()),
            model_inputs=inputs.get(number, ()),
            model_outputs=outputs.get(number, ()),
            revision=row[10],
        )


def _dataset_input(row: Row) -> DatasetInput:
    return DatasetInput(
        dataset=Dataset(name=row[1], digest=row[2], source_type=row[3], source=row[4], schema=row[5], profile=row[6]),
        tags=msgspec.json.decode(row[7], type=tuple[Tag, ...]),
    )


def _grouped(tx: Transaction, sql: str, ids: Sequence[int], make: Callable[[Row], T]) -> dict[int, tuple[T, ...]]:
    grouped: defaultdict[int, list[T]] = defaultdict(list)
    for row in _among(tx, sql, ids):
        grouped[row[0]].append(make(row))
    return {number: tuple(values) for number, values in grouped.items()}


def _parts(items: Sequence[T]) -> Iterable[Sequence[T]]:
    for start in range(0, len(items), SIZES[-1]):
        yield items[start : start + SIZES[-1]]


def _among(tx: Transaction, sql: str, ids: Sequence[int]) -> list[Row]:
    if not ids:
        return []
    size = SIZES[bisect_left(SIZES, len(ids))]
    return tx.all(_of_size(sql, size), [*ids, *[-1] * (size - len(ids))])


@cache
def _of_size(sql: str, size: int) -> str:
    return sql.format(placeholders(size))
