"""The SQL of a search across rooms, composed of what its filter asks.

Comparisons that name one noun speak of one and the same record of it. From a noun to one that there are not many of,
the records that match are gathered first and lead back by the tables' indexes; to one that there are millions of, each
candidate looks at its own.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from airside.core.operation import Dialect, Row, Transaction
from airside.core.record import Record
from airside.core.search import Comparison, Order
from airside.store.sql.conditions import Condition, both, compared
from airside.tower.nouns import NOUNS, Noun, Step, way
from airside.tower.queries import driving

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
    noun, order = NOUNS[wanted.noun], wanted.order
    rare = driving.few(tx, noun, wanted.comparisons) if noun.found else None
    if rare is None and order is not None and order.entity == "metrics" and noun.found:
        experiments = driving.experiments(tx)
        if experiments:
            return _by_metric(tx, wanted, order, experiments)
    composer = _Composer(tx.dialect)
    value = composer.sort_value(noun, order)
    selection = _Selection(composer, wanted)
    comparisons, common = wanted.comparisons, None
    if rare is None and order is None and noun.found:
        comparisons, common = _without_common(tx, noun, comparisons)
    conditions = list(selection.conditions(comparisons))
    if common is not None:  # `+ 0` keeps from its index: all of them would be gathered and sorted
        conditions.append(("a.experiment_no + 0 = ?", (common,)))
    first = ""
    if rare is not None:
        first = f"WITH few AS MATERIALIZED ({rare[0]}) "
        conditions.append(("a.no IN (SELECT run_no FROM few)", ()))
    where = both(conditions)
    is_ascending = order is not None and order.is_ascending
    behind = _behind(wanted.after, is_ascending=is_ascending, may_lack=order is not None)
    lacking_last = "" if order is None else "sort_value IS NULL, "
    return tx.all(
        f"{first}SELECT * FROM (SELECT {value[0]} AS sort_value, {selection.columns} FROM {noun.view} a "
        f"WHERE {where[0]}) found WHERE {behind[0]} "
        f"ORDER BY {lacking_last}sort_value {'ASC' if is_ascending else 'DESC'}, sort_id LIMIT ?",
        (*(rare[1] if rare else ()), *value[1], *selection.args, *where[1], *behind[1], wanted.limit),
    )


def _without_common(
    tx: Transaction, noun: Noun, comparisons: tuple[Comparison, ...]
) -> tuple[tuple[Comparison, ...], int | None]:
    """The comparisons without one that names an experiment of very many records, and the number of that experiment."""
    for at, each in enumerate(comparisons):
        if (each.entity, each.key, each.operator) == ("attribute", "experiment", "="):
            number = driving.common_experiment(tx, noun, each.value)
            if number is not None:
                return (*comparisons[:at], *comparisons[at + 1 :]), number
    return comparisons, None


def _by_metric(tx: Transaction, wanted: Wanted, order: Order, experiments: Sequence[int]) -> list[Row]:
    """In the order of a metric's index: the first of each experiment, merged; then those that lack the metric."""
    noun = NOUNS[wanted.noun]
    value, last_id = wanted.after or (None, "")
    rows: list[Row] = []
    if not wanted.after or value is not None:
        for number in experiments:
            rows += _of_experiment(tx, wanted, order, number)
        rows.sort(key=itemgetter(1))
        rows.sort(key=itemgetter(0), reverse=not order.is_ascending)
        del rows[wanted.limit :]
        last_id = ""
    if len(rows) < wanted.limit:
        composer = _Composer(tx.dialect)
        selection = _Selection(composer, wanted)
        lacks = Comparison(entity=order.entity, key=order.key, operator="IS NULL", value=None)
        where = both((*selection.conditions((*wanted.comparisons, lacks)), ("a.id > ?", (last_id,))))
        rows += tx.all(
            f"SELECT NULL AS sort_value, {selection.columns} FROM {noun.view} a WHERE {where[0]} ORDER BY a.id LIMIT ?",
            (*selection.args, *where[1], wanted.limit - len(rows)),
        )
    return rows


def _of_experiment(tx: Transaction, wanted: Wanted, order: Order, number: int) -> list[Row]:
    noun, composer = NOUNS[wanted.noun], _Composer(tx.dialect)
    selection = _Selection(composer, wanted)
    asked = (number, driving.key_no(tx, order.key))
    conditions: list[Condition] = [("a.no = f.run_no AND f.experiment_no = ? AND f.key_no = ?", asked)]
    conditions += [
        compared("f.value", each.operator, each.value, tx.dialect)
        for each in wanted.comparisons
        if (each.entity, each.key) == (order.entity, order.key) and not each.operator.endswith("NULL")
    ]
    conditions += selection.conditions(wanted.comparisons)
    if wanted.after:
        value, last_id = wanted.after
        sign = ">" if order.is_ascending else "<"
        conditions.append((f"f.value {sign}= ? AND (f.value {sign} ? OR a.id > ?)", (value, value, last_id)))
    where = both(conditions)
    return tx.all(
        f"SELECT f.value AS sort_value, {selection.columns} FROM {noun.found[order.entity]} f CROSS JOIN {noun.view} a "
        f"WHERE {where[0]} ORDER BY f.value {'ASC' if order.is_ascending else 'DESC'}, a.id LIMIT ?",
        (*selection.args, *where[1], wanted.limit),
    )


class _Selection:
    """What a search selects of the noun that it calls `a`: the columns behind the sort value, and their values."""

    def __init__(self, composer: "_Composer", wanted: Wanted) -> None:
        self._composer, self._noun = composer, NOUNS[wanted.noun]
        shown = [composer.value(self._noun, entity, key) for entity, key in wanted.shown]
        self.columns = ", ".join(
            (
                f"a.{self._noun.id} AS sort_id",
                *(f"a.{name}" for name in self._noun.columns),
                *(f"{sql} AS shown_{number}" for number, (sql, _) in enumerate(shown)),
            )
        )
        self.args = [arg for _, args in shown for arg in args]

    def conditions(self, comparisons: Iterable[Comparison]) -> Iterator[Condition]:
        """That a record matches."""
        return self._composer.conditions(self._noun, "a", comparisons)


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
            if each.entity == "attribute" and each.key in noun.held:
                word, column = noun.held[each.key]
                others.append(Comparison(entity=word, key=column, operator=each.operator, value=each.value))
            elif each.entity == "attribute":
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
            probe = f"SELECT 1 FROM {noun.view} {inner} WHERE {_equal(name, inner, step)} AND {sql}"
            return f"EXISTS ({probe} LIMIT 1 OFFSET 0)", args  # without an end PostgreSQL might make a join of it
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
