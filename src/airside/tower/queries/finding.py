"""The SQL of a search across rooms, composed of what its filter asks.

Comparisons that name one noun speak of one and the same record of it. From a noun to one that there are not many of,
the records that match are gathered first and lead back by the tables' indexes; to one that there are millions of, each
candidate looks at its own.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from airside.core.operation import Dialect, Row, Transaction
from airside.core.record import Record
from airside.core.search import Comparison, Order
from airside.store.sql.conditions import Condition, both, compared
from airside.tower.nouns import NOUNS, Noun, Step, way

Leaf = Callable[[str], Iterable[Condition]]
"""What is asked of the last noun of a way, by the name that the statement gives it."""


class Wanted(Record):
    """What a search asks.

    Attributes:
        order: by what; None for the newest first.
        after: the sort value and the id of the last row seen.
        shown: the metrics, parameters and tags of the record itself that the answer shows, as (`metrics`, `auc`).
    """

    noun: str
    comparisons: tuple[Comparison, ...]
    order: Order | None = None
    after: tuple[object, ...] = ()
    shown: tuple[tuple[str, str], ...] = ()
    limit: int


def matches(tx: Transaction, wanted: Wanted) -> list[Row]:
    """The rows that match: sort value, id, the noun's columns, what is shown besides."""
    noun, composer, order = NOUNS[wanted.noun], _Composer(tx.dialect), wanted.order
    is_ascending = order is not None and order.is_ascending
    value = composer.sort_value(noun, order)
    shown = [composer.value(noun, entity, key) for entity, key in wanted.shown]
    where = both(composer.conditions(noun, "a", wanted.comparisons))
    behind = _behind(wanted.after, is_ascending=is_ascending, may_lack=order is not None)
    columns = ", ".join(
        (
            f"{value[0]} AS sort_value",
            f"a.{noun.id} AS sort_id",
            *(f"a.{name}" for name in noun.columns),
            *(f"{sql} AS shown_{number}" for number, (sql, _) in enumerate(shown)),
        )
    )
    lacking_last = "" if order is None else "sort_value IS NULL, "
    return tx.all(
        f"SELECT * FROM (SELECT {columns} FROM {noun.view} a WHERE {where[0]}) found WHERE {behind[0]}"
        f" ORDER BY {lacking_last}sort_value {'ASC' if is_ascending else 'DESC'}, sort_id LIMIT ?",
        (*value[1], *(arg for _, args in shown for arg in args), *where[1], *behind[1], wanted.limit),
    )


def _behind(after: Sequence[object], *, is_ascending: bool, may_lack: bool) -> Condition:
    """That a row comes after the last one seen; those that lack the value come last."""
    if not after:
        return "1 = 1", ()
    value, id_ = after
    if value is None:
        return "sort_value IS NULL AND sort_id > ?", (id_,)
    sign = ">" if is_ascending else "<"
    behind = f"(sort_value {sign}= ? AND (sort_value {sign} ? OR sort_id > ?))"
    return (f"({behind} OR sort_value IS NULL)" if may_lack else behind), (value, value, id_)


class _Composer:
    """Writes the parts of one statement; each noun in it has a name of its own."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._count = 0

    def conditions(self, noun: Noun, name: str, comparisons: Iterable[Comparison]) -> Iterator[Condition]:
        """What the comparisons ask of a noun and of those that it leads to."""
        others = []
        for each in comparisons:
            if each.entity == "attribute":
                yield compared(f"{name}.{each.key}", each.operator, each.value, self._dialect)
            elif each.entity in noun.keyed:
                yield self._keyed(noun, name, each)
            else:
                others.append(each)
        for word, group in groupby(sorted(others, key=_root), key=_root):
            asked = [_bare(each) for each in group]
            yield self._reach(name, way(noun.word, word), self._asked_of(NOUNS[word], asked))

    def sort_value(self, noun: Noun, order: Order | None) -> Condition:
        """What the rows are sorted by."""
        if order is not None and order.entity != "attribute":
            return self.value(noun, order.entity, order.key)
        return f"a.{noun.newest if order is None else order.key}", ()

    def value(self, noun: Noun, entity: str, key: str) -> Condition:
        """A metric, parameter or tag of the record; the greatest where there are several."""
        source, before, condition = "", "a", ""
        for step in way(noun.word, noun.keyed[entity]):
            name = self._name()
            source += f" JOIN {NOUNS[step.to].view} {name} ON {_equal(before, name, step)}" if source else ""
            source = source or f"{NOUNS[step.to].view} {name}"
            condition = condition or _equal(before, name, step)
            before = name
        return f"(SELECT MAX({before}.value) FROM {source} WHERE {condition} AND {before}.key = ?)", (key,)

    def _keyed(self, noun: Noun, name: str, each: Comparison) -> Condition:
        def leaf(holder: str) -> Iterator[Condition]:
            yield f"{holder}.key = ?", (each.key,)
            if not each.operator.endswith("NULL"):
                yield compared(f"{holder}.value", each.operator, each.value, self._dialect)

        sql, args = self._reach(name, way(noun.word, noun.keyed[each.entity]), leaf)
        return (f"NOT {sql}" if each.operator == "IS NULL" else sql), args

    def _asked_of(self, noun: Noun, comparisons: list[Comparison]) -> Leaf:
        return lambda name: self.conditions(noun, name, comparisons)

    def _reach(self, name: str, steps: Sequence[Step], leaf: Leaf) -> Condition:
        """That a noun leads to one of which the leaf's conditions hold."""
        step, further = steps[0], steps[1:]
        noun, inner = NOUNS[step.to], self._name()
        sql, args = self._reach(inner, further, leaf) if further else both(leaf(inner))
        if noun.is_vast:
            return f"EXISTS (SELECT 1 FROM {noun.view} {inner} WHERE {_equal(name, inner, step)} AND {sql})", args
        ours = ", ".join(f"{name}.{column}" for column in step.columns)
        theirs = ", ".join(f"{inner}.{column}" for column in step.to_columns)
        return f"({ours}) IN (SELECT {theirs} FROM {noun.view} {inner} WHERE {sql})", args

    def _name(self) -> str:
        self._count += 1
        return f"n{self._count}"


def _equal(name: str, inner: str, step: Step) -> str:
    pairs = zip(step.columns, step.to_columns, strict=True)
    return " AND ".join(f"{inner}.{theirs} = {name}.{ours}" for ours, theirs in pairs)


def _root(each: Comparison) -> str:
    """The noun that a comparison speaks of: `run` of `run.metrics`."""
    return each.entity.partition(".")[0]


def _bare(each: Comparison) -> Comparison:
    """The comparison as the noun itself would be asked."""
    return Comparison(
        entity=each.entity.partition(".")[2] or "attribute", key=each.key, operator=each.operator, value=each.value
    )
