"""SQL of the trash."""

from collections.abc import Sequence

from airside.core.operation import Row, Transaction
from airside.tracking.traces.queries import traces as trace_queries
from airside.tracking.trash.records import Removal, Trash, TrashKind

_LISTS = {
    "experiment": "SELECT updated_ms, id, CAST(id AS TEXT) FROM experiment WHERE is_deleted AND updated_ms < ? "
    "AND (updated_ms, id) > (?, CAST(? AS BIGINT)) ORDER BY updated_ms, id LIMIT ?",
    "run": "SELECT deleted_ms, id, run_id FROM run WHERE deleted_ms IS NOT NULL AND deleted_ms < ? "
    "AND (deleted_ms, id) > (?, CAST(? AS BIGINT)) ORDER BY deleted_ms, id LIMIT ?",
    "logged_model": "SELECT updated_ms, model_id, model_id FROM logged_model WHERE is_deleted AND updated_ms < ? "
    "AND (updated_ms, model_id) > (?, ?) ORDER BY updated_ms, model_id LIMIT ?",
}
_OF_EXPERIMENT = {
    "run": "SELECT deleted_ms, id, run_id FROM run WHERE experiment_no = ? AND is_deleted = ? LIMIT ?",
    "logged_model": "SELECT updated_ms, model_id, model_id FROM logged_model WHERE experiment_no = ? LIMIT ?",
}
_HEADS = {
    "experiment": "SELECT id, is_deleted, updated_ms, artifact_location, id FROM experiment WHERE id = ?",
    "run": "SELECT id, is_deleted, deleted_ms, artifact_uri, experiment_no FROM run WHERE run_id = ?",
    "logged_model": "SELECT 0, is_deleted, updated_ms, artifact_uri, experiment_no FROM logged_model "
    "WHERE model_id = ?",
}
_TAKE = {
    "experiment": "DELETE FROM experiment WHERE id = ?",
    "run": "DELETE FROM run WHERE run_id = ?",
    "logged_model": "DELETE FROM logged_model WHERE model_id = ?",
}
_HAS_RUNS = "SELECT COUNT(*) FROM (SELECT 1 FROM run WHERE experiment_no = ? AND is_deleted = ? LIMIT 1000) AS counted"
_HAS_MODELS = "SELECT 1 FROM logged_model WHERE experiment_no = ? LIMIT 1"
_NOTE = "INSERT INTO removal (kind, name, number, artifact_uri, is_swept, at_ms) VALUES (?, ?, ?, ?, ?, ?)"
_NEXT = "SELECT id, kind, name, number, artifact_uri, is_swept FROM removal WHERE is_swept = ? ORDER BY id LIMIT ?"
_SWEPT = "UPDATE removal SET is_swept = ? WHERE id = ?"
_FORGET = "DELETE FROM removal WHERE id = ?"
_LEFT = "SELECT COUNT(*) FROM removal"

OF_RUNS: dict[str, tuple[str, ...]] = {
    "metric_point": ("key_no", "time_ms", "step", "value", "is_nan"),
    "metric_chunk": ("id",),  # behind the points, of which chunks are made
    "metric_latest": ("key_no",),
    "run_param": ("key_no",),
    "run_tag": ("key_no",),
    "dataset_input": ("dataset_no",),
    "model_input": ("model_id",),
    "model_output": ("model_id",),
    "run_capture": ("source",),
}
"""What belongs to a run, by its number: each table with the rest of its key. A test finds the one that is missing."""
OF_LOGGED_MODELS: dict[str, tuple[str, ...]] = {
    "logged_model_tag": ("key",),
    "logged_model_param": ("key",),
    "logged_model_metric": ("key", "step", "time_ms", "value", "is_nan", "run_id"),
}
OF_EXPERIMENTS: dict[str, tuple[str, ...]] = {
    "experiment_tag": ("key",),
    "input_dataset": ("id",),
    "evaluation_dataset_experiment": ("id",),
    "scorer": ("scorer_id",),
}
TRACES_AT_ONCE = 50
_EVER_MS = 2**62
_UNLINK = "DELETE FROM trace_run WHERE run_id = ?"
_SCORER_VERSIONS = (
    "DELETE FROM scorer_version WHERE scorer_id IN (SELECT scorer_id FROM scorer WHERE experiment_no = ?)"
)


def listed(tx: Transaction, kind: TrashKind, *, before_ms: int, after: tuple[int, str], limit: int) -> list[Trash]:
    """Some deleted things, those longest in the trash first, behind a place."""
    rows = tx.all(_LISTS[kind], (before_ms, after[0], after[1] or ("" if kind == "logged_model" else "-1"), limit))
    return [Trash(kind=kind, id=row[2], deleted_ms=row[0]) for row in rows]


def of_experiment(tx: Transaction, kind: TrashKind, number: int, *, limit: int) -> list[Trash]:
    """Some runs (the deleted ones) or logged models (all) of an experiment."""
    args = (number, True, limit) if kind == "run" else (number, limit)
    return [Trash(kind=kind, id=row[2], deleted_ms=row[0] or 0) for row in tx.all(_OF_EXPERIMENT[kind], args)]


def place_of(tx: Transaction, kind: TrashKind, last: Trash) -> str:
    """The place of a deleted thing in the order of the trash."""
    row = tx.one(_HEADS[kind], (int(last.id) if kind == "experiment" else last.id,))
    return last.id if kind == "logged_model" or row is None else str(row[0])


def head(tx: Transaction, kind: TrashKind, name: str) -> Row | None:
    """Number, whether deleted, since when, where its files are, number of its experiment; None if there is none."""
    return tx.one(_HEADS[kind], (int(name) if kind == "experiment" else name,))


def runs_of(tx: Transaction, number: int, *, is_deleted: bool) -> int:
    """How many runs an experiment has in a stage, counted to a thousand."""
    row = tx.one(_HAS_RUNS, (number, is_deleted))
    return int(row[0]) if row else 0


def has_models(tx: Transaction, number: int) -> bool:
    """Whether an experiment has logged models."""
    return tx.one(_HAS_MODELS, (number,)) is not None


def take(tx: Transaction, kind: TrashKind, name: str, found: Row, now_ms: int) -> None:
    """Take a head away, and note what it leaves."""
    tx.run(_TAKE[kind], (int(name) if kind == "experiment" else name,))
    tx.run(_NOTE, (kind, name, found[0], found[3], False, now_ms))


def waiting(tx: Transaction, *, is_swept: bool, limit: int) -> list[Removal]:
    """Some removals whose rows are there still, or whose files may be."""
    return [
        Removal(id=row[0], kind=row[1], name=row[2], number=row[3], artifact_uri=row[4], is_swept=bool(row[5]))
        for row in tx.all(_NEXT, (is_swept, limit))
    ]


def left(tx: Transaction) -> int:
    """How many removals are not finished."""
    row = tx.one(_LEFT)
    return int(row[0]) if row else 0


def sweep(tx: Transaction, removal: Removal, *, limit: int) -> int:
    """Delete some rows of a removed thing; how many. When there are fewer than allowed, it has none left."""
    if removal.kind == "run":
        tx.run(_UNLINK, (removal.name,))
        return _swept(tx, OF_RUNS, "run_no", removal.number, limit)
    if removal.kind == "logged_model":
        return _swept(tx, OF_LOGGED_MODELS, "model_id", removal.name, limit)
    numbers = trace_queries.oldest(tx, removal.number, _EVER_MS, TRACES_AT_ONCE)
    if numbers:  # each may have thousands of spans
        trace_queries.delete(tx, numbers)
        return limit
    tx.run(_SCORER_VERSIONS, (removal.number,))
    return _swept(tx, OF_EXPERIMENTS, "experiment_no", removal.number, limit)


def _swept(tx: Transaction, tables: dict[str, tuple[str, ...]], column: str, owner: int | str, limit: int) -> int:
    rows = 0
    for table, rest in tables.items():
        names: Sequence[str] = rest
        key = ", ".join(names)
        rows += tx.run(
            f"DELETE FROM {table} WHERE {column} = ? AND ({key}) IN "
            f"(SELECT {key} FROM {table} WHERE {column} = ? ORDER BY {key} LIMIT ?)",
            (owner, owner, limit - rows),
        )
        if rows >= limit:
            break
    return rows


def mark_swept(tx: Transaction, removal: Removal) -> None:
    """Note that the rows of a removed thing are gone."""
    tx.run(_SWEPT, (True, removal.id))


def forget(tx: Transaction, removal: Removal) -> None:
    """Nothing is left of it."""
    tx.run(_FORGET, (removal.id,))
