"""SQL of the registry's searches, composed of what a filter asks."""

from collections.abc import Iterator

from airside.core.ids import ModelName
from airside.core.operation import Dialect, Transaction
from airside.core.record import Record
from airside.core.search import Comparison, Order
from airside.store.sql.conditions import Condition, both, compared

_MODEL_COLUMNS = {"name": "m.name", "last_updated_timestamp": "m.updated_ms"}
_VERSION_COLUMNS = {
    "name": "m.name",
    "run_id": "m.run_id",
    "source_path": "m.source",
    "version_number": "m.version",
    "creation_timestamp": "m.created_ms",
    "last_updated_timestamp": "m.updated_ms",
}
_MODEL_TAGS = "SELECT 1 FROM registered_model_tag t WHERE t.name = m.name"
_VERSION_TAGS = "SELECT 1 FROM model_version_tag t WHERE t.name = m.name AND t.version = m.version"
_TAGS_OF_ALL_VERSIONS = "SELECT 1 FROM model_version_tag t WHERE t.name = m.name"
"""A name of which one version is marked as a prompt's is a prompt's: none of its versions is a model's."""


class Wanted(Record):
    """What a search asks.

    Attributes:
        prompts: prompts alone, or (False) all but prompts.
    """

    comparisons: tuple[Comparison, ...]
    prompts: bool
    orders: tuple[Order, ...]
    offset: int
    limit: int


def model_names(tx: Transaction, wanted: Wanted) -> tuple[ModelName, ...]:
    """The names of the models that match, in order."""
    where, args = both(_conditions(wanted, _MODEL_COLUMNS, _MODEL_TAGS, _MODEL_TAGS, tx.dialect))
    rows = tx.all(
        f"SELECT m.name FROM registered_model m WHERE {where} ORDER BY {_order(wanted, _MODEL_COLUMNS)} "
        "LIMIT ? OFFSET ?",
        (*args, wanted.limit, wanted.offset),
    )
    return tuple(name for (name,) in rows)


def version_keys(tx: Transaction, wanted: Wanted) -> tuple[tuple[ModelName, int], ...]:
    """The names and numbers of the versions that match, in order."""
    where, args = both(_conditions(wanted, _VERSION_COLUMNS, _VERSION_TAGS, _TAGS_OF_ALL_VERSIONS, tx.dialect))
    rows = tx.all(
        f"SELECT m.name, m.version FROM model_version m WHERE {where} ORDER BY {_order(wanted, _VERSION_COLUMNS)} "
        "LIMIT ? OFFSET ?",
        (*args, wanted.limit, wanted.offset),
    )
    return tuple((name, version) for name, version in rows)


def _conditions(
    wanted: Wanted, columns: dict[str, str], tags: str, tags_of_name: str, dialect: Dialect
) -> Iterator[Condition]:
    marked = "t.key = 'mlflow.prompt.is_prompt' AND LOWER(t.value) = 'true'"
    yield (f"EXISTS ({tags} AND {marked})" if wanted.prompts else f"NOT EXISTS ({tags_of_name} AND {marked})"), ()
    for each in wanted.comparisons:
        if each.entity == "tag":
            sql, values = compared("t.value", each.operator, each.value, dialect)
            yield f"EXISTS ({tags} AND t.key = ? AND {sql})", (each.key, *values)
        else:
            yield compared(columns[each.key], each.operator, each.value, dialect)


def _order(wanted: Wanted, columns: dict[str, str]) -> str:
    return ", ".join(f"{columns[order.key]} {'ASC' if order.is_ascending else 'DESC'}" for order in wanted.orders)
