"""Which condition on a noun of millions leaves few records: those are gathered by an index before anything else.

Values are indexed within an experiment, under the number of their name. Both are looked up first: PostgreSQL would
guess wrong how many there are of a name.
"""

from collections.abc import Iterable, Sequence

from airside.core.operation import Dialect, Transaction
from airside.core.search import Comparison
from airside.store.sql.conditions import Condition, compared
from airside.tower.nouns import Noun

FEW = 1000
"""More are not gathered: the newest records are looked at, one after another, until the page is full."""
MOST_EXPERIMENTS = 200
"""Where there are more, no index is used: each would have to be asked."""
INDEXED = 200
"""How many characters of a text are in its index."""
_SIZES = (1, 8, 64, MOST_EXPERIMENTS)
"""How many experiments one statement names: few sizes, so that statements stay prepared."""


def experiments(tx: Transaction) -> list[int]:
    """The numbers of all experiments; none when they are too many."""
    rows = tx.all("SELECT no FROM noun_experiment ORDER BY no LIMIT ?", (MOST_EXPERIMENTS + 1,))
    return [number for (number,) in rows] if len(rows) <= MOST_EXPERIMENTS else []


def key_no(tx: Transaction, name: str) -> int:
    """The number of a metric's, a parameter's or a tag's name; -1 when nothing was logged under it."""
    row = tx.one("SELECT no FROM noun_key WHERE name = ?", (name,))
    return -1 if row is None else int(row[0])


def few(tx: Transaction, noun: Noun, comparisons: Iterable[Comparison]) -> Condition | None:
    """A query of the numbers of the records that the first rare condition leaves; None when none is rare."""
    among: Sequence[int] | None = None
    for each in comparisons:
        found = _found(each, tx.dialect)
        if each.entity not in noun.found or found is None:
            continue
        among = experiments(tx) if among is None else among
        if not among:
            return None
        size = next(size for size in _SIZES if size >= len(among))
        text = (
            f"SELECT f.run_no FROM {noun.found[each.entity]} f WHERE f.experiment_no IN ({', '.join('?' * size)}) "
            f"AND f.key_no = ? AND {found[0]} LIMIT ?"
        )
        values = (*among, *[-1] * (size - len(among)), key_no(tx, each.key), *found[1])
        row = tx.one(f"SELECT COUNT(*) FROM ({text}) few", (*values, FEW + 1))
        if row is not None and row[0] <= FEW:
            return text, (*values, FEW)
    return None


def common_experiment(tx: Transaction, noun: Noun, name: object) -> int | None:
    """The number of an experiment of which there are more than a few records."""
    row = tx.one("SELECT no FROM noun_experiment WHERE name = ?", (name,))
    if row is None:
        return None
    text = f"SELECT COUNT(*) FROM (SELECT 1 FROM {noun.view} WHERE experiment_no = ? LIMIT ?) few"
    counted = tx.one(text, (row[0], FEW + 1))
    return int(row[0]) if counted is not None and counted[0] > FEW else None


def _found(each: Comparison, dialect: Dialect) -> Condition | None:
    """What the index of a condition finds: all records of which it holds, perhaps others too."""
    if each.operator in {"!=", "IS NULL", "IS NOT NULL"}:
        return None
    if each.entity == "metrics":
        return compared("f.value", each.operator, each.value, dialect)
    if each.operator == "=":
        return "f.start = ?", (str(each.value)[:INDEXED],)
    prefix = str(each.value)[:INDEXED].partition("%")[0].partition("_")[0]
    if each.operator != "LIKE" or not prefix or ord(prefix[-1]) >= 0xD7FF:
        return None
    return "f.start >= ? AND f.start < ?", (prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1))
