"""Experiments and their tags."""

from collections.abc import Iterable, Sequence

from airside.core.ids import ExperimentId
from airside.core.operation import Row, Transaction
from airside.tracking.records import Experiment, Tag

SWEPT_AT_ONCE = 1000
"""How many runs one transaction deletes or restores: some 20 ms of the writer's time."""
COLUMNS = "id, name, artifact_location, is_deleted, created_ms, updated_ms"
MANY = 100
"""Of more experiments than this those that there are are picked out first: each is searched by itself."""
_GET = f"SELECT {COLUMNS} FROM experiment WHERE id = ?"
_GET_BY_NAME = f"SELECT {COLUMNS} FROM experiment WHERE name = ?"
_IS_DELETED = "SELECT is_deleted, artifact_location FROM experiment WHERE id = ?"
_ADD = (
    "INSERT INTO experiment (name, artifact_location, is_deleted, created_ms, updated_ms, is_sweeping) "
    "VALUES (?, ?, ?, ?, ?, FALSE) ON CONFLICT (name) DO NOTHING RETURNING id"
)
_SEED = (
    "INSERT INTO experiment (id, name, artifact_location, is_deleted, created_ms, updated_ms, is_sweeping) "
    "VALUES (0, 'Default', ?, ?, ?, ?, FALSE) ON CONFLICT DO NOTHING"
)
_ANY = "SELECT id FROM experiment ORDER BY id LIMIT 1"
_NUMBERS = "SELECT id FROM experiment"
_LOCATE = "UPDATE experiment SET artifact_location = ? WHERE id = ?"
_RENAME = "UPDATE experiment SET name = ?, updated_ms = ? WHERE id = ?"
_STAGE = "UPDATE experiment SET is_deleted = ?, is_sweeping = ?, updated_ms = ? WHERE id = ? AND is_deleted = ?"
_SWEEPING = "SELECT is_deleted, updated_ms FROM experiment WHERE id = ? AND is_sweeping = ?"
_UNSWEPT = "SELECT id FROM experiment WHERE is_sweeping = ? ORDER BY id LIMIT 20"
_SWEPT = "UPDATE experiment SET is_sweeping = ? WHERE id = ?"
_SWEEP = (
    "UPDATE run SET is_deleted = ?, deleted_ms = ?, revision = revision + 1 WHERE id IN "
    "(SELECT id FROM run WHERE experiment_no = ? AND is_deleted = ? LIMIT ?)"
)
_TAGS = "SELECT key, value FROM experiment_tag WHERE experiment_no = ? ORDER BY key"
_SET_TAG = (
    "INSERT INTO experiment_tag (experiment_no, key, value) VALUES (?, ?, ?) "
    "ON CONFLICT (experiment_no, key) DO UPDATE SET value = excluded.value"
)
_DROP_TAG = "DELETE FROM experiment_tag WHERE experiment_no = ? AND key = ?"
_TOUCH = "UPDATE experiment SET updated_ms = ? WHERE id = ?"


def of_row(tx: Transaction, row: Row) -> Experiment:
    """The record of a row of `COLUMNS`, with its tags."""
    return Experiment(
        experiment_id=ExperimentId(str(row[0])),
        name=row[1],
        artifact_location=row[2],
        lifecycle_stage="deleted" if row[3] else "active",
        created_ms=row[4],
        updated_ms=row[5],
        tags=tuple(Tag(key=key, value=value) for key, value in tx.all(_TAGS, (row[0],))),
    )


def get(tx: Transaction, number: int) -> Experiment | None:
    """An experiment by its number."""
    row = tx.one(_GET, (number,))
    return of_row(tx, row) if row else None


def get_by_name(tx: Transaction, name: str) -> Experiment | None:
    """An experiment by its name."""
    row = tx.one(_GET_BY_NAME, (name,))
    return of_row(tx, row) if row else None


def stage(tx: Transaction, number: int) -> tuple[bool, str] | None:
    """Whether it is deleted, and where its artifacts are; None if there is none."""
    row = tx.one(_IS_DELETED, (number,))
    return (bool(row[0]), row[1]) if row else None


def add(tx: Transaction, name: str, location: str, now_ms: int) -> int | None:
    """A new experiment's number; None when the name is taken."""
    row = tx.one(_ADD, (name, location, False, now_ms, now_ms))
    return int(row[0]) if row else None


def seed(tx: Transaction, location: str, now_ms: int) -> None:
    """The experiment 0 of a store that has none."""
    if tx.one(_ANY) is None:
        tx.run(_SEED, (location, False, now_ms, now_ms))


def locate(tx: Transaction, number: int, location: str) -> None:
    """Say where its artifacts are."""
    tx.run(_LOCATE, (location, number))


def rename(tx: Transaction, number: int, name: str, now_ms: int) -> None:
    """Give it another name."""
    tx.run(_RENAME, (name, now_ms, number))


def known(tx: Transaction, numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Those of many numbers that experiments have."""
    there = {row[0] for row in tx.all(_NUMBERS)}
    return tuple(number for number in numbers if number in there)


def set_stage(tx: Transaction, number: int, *, is_deleted: bool, now_ms: int) -> bool:
    """Delete or restore it, with as many of its runs as one transaction takes; False when it is in that stage already.

    What `sweep` has still to do is marked.
    """
    if not tx.run(_STAGE, (is_deleted, True, now_ms, number, not is_deleted)):
        return False
    sweep(tx, number)
    return True


def sweep(tx: Transaction, number: int) -> bool:
    """Bring the next runs to the stage of their experiment; whether there are more."""
    row = tx.one(_SWEEPING, (number, True))
    if row is None:
        return False
    is_deleted = bool(row[0])
    deleted_ms = row[1] if is_deleted else None
    if tx.run(_SWEEP, (is_deleted, deleted_ms, number, not is_deleted, SWEPT_AT_ONCE)) == SWEPT_AT_ONCE:
        return True
    tx.run(_SWEPT, (False, number))
    return False


def is_sweeping(tx: Transaction, number: int) -> bool:
    """Whether some of its runs have yet to follow it."""
    return tx.one(_SWEEPING, (number, True)) is not None


def unswept(tx: Transaction) -> list[int]:
    """Experiments some of whose runs are not in their stage yet."""
    return [row[0] for row in tx.all(_UNSWEPT, (True,))]


def tags(tx: Transaction, number: int) -> tuple[Tag, ...]:
    """Its tags."""
    return tuple(Tag(key=key, value=value) for key, value in tx.all(_TAGS, (number,)))


def set_tags(tx: Transaction, number: int, wanted: Iterable[Tag]) -> None:
    """Set some of its tags."""
    rows: Sequence[Sequence[object]] = [(number, tag.key, tag.value) for tag in wanted]
    if rows:
        tx.many(_SET_TAG, rows)


def drop_tag(tx: Transaction, number: int, key: str) -> bool:
    """Remove a tag; False when it has none of that key."""
    return tx.run(_DROP_TAG, (number, key)) > 0


def touch(tx: Transaction, number: int, now_ms: int) -> None:
    """Note that it changed."""
    tx.run(_TOUCH, (now_ms, number))
