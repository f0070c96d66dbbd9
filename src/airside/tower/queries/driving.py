"""Which condition on a noun of millions leaves few records: those are gathered by an index before anything else."""

from collections.abc import Iterable

from airside.core.operation import Dialect, Transaction
from airside.core.search import Comparison
from airside.store.sql.conditions import Condition, compared
from airside.tower.nouns import Noun

FEW = 1000
"""More are not gathered: the newest records are looked at, one after another, until the page is full."""
INDEXED = 200
"""How many characters of a text are in its index."""


def few(tx: Transaction, noun: Noun, comparisons: Iterable[Comparison]) -> Condition | None:
    """A query of the numbers of the records that the first rare condition leaves; None when none is rare."""
    for each in comparisons:
        found = _found(noun, each, tx.dialect)
        if found is None:
            continue
        text, values = found
        row = tx.one(f"SELECT COUNT(*) FROM ({text} LIMIT ?) few", (*values, FEW + 1))
        if row is not None and row[0] <= FEW:
            return f"{text} LIMIT ?", (*values, FEW)
    return None


def is_common(tx: Transaction, noun: Noun, column: str, value: object) -> bool:
    """Whether more than a few records have a value."""
    text = f"SELECT COUNT(*) FROM (SELECT 1 FROM {noun.view} WHERE {column} = ? LIMIT ?) few"
    row = tx.one(text, (value, FEW + 1))
    return row is not None and row[0] > FEW


def _found(noun: Noun, each: Comparison, dialect: Dialect) -> Condition | None:
    """What the index of a condition finds: all records of which it holds, perhaps others too."""
    view = noun.found.get(each.entity)
    if view is None or each.operator in {"!=", "IS NULL", "IS NOT NULL"}:
        return None
    base = f"SELECT f.run_no FROM {view} f WHERE f.key = ?"
    if each.entity == "metrics":
        text, values = compared("f.value", each.operator, each.value, dialect)
        return f"{base} AND {text}", (each.key, *values)
    if each.operator == "=":
        return f"{base} AND f.start = ?", (each.key, str(each.value)[:INDEXED])
    prefix = str(each.value)[:INDEXED].partition("%")[0].partition("_")[0]
    if each.operator != "LIKE" or not prefix or ord(prefix[-1]) >= 0xD7FF:
        return None
    return f"{base} AND f.start >= ? AND f.start < ?", (each.key, prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1))
