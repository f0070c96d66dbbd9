"""Searching runs: the numbers of one page, by one of three drivers. Their bodies are loaded behind it.

Drivers: walk the newest-first index and probe the conditions; walk a value index in its order; or take the few runs
that a selective condition leaves and sort them (tracking facts, section 7, item 8). A page begins behind the last row
of the page before (keyset), so that the last page costs what the first costs.
"""

import hashlib
import math
from typing import NamedTuple

from airside.core.errors import Invalid
from airside.core.operation import Context, Dialect, Row
from airside.core.record import Record
from airside.core.search import Comparison, Order, PageToken, parse_filter, parse_orders, read_token, write_token
from airside.store.sql.conditions import compared
from airside.tracking.grammars import RUNS
from airside.tracking.queries.keys import known_key
from airside.tracking.queries.matching import (
    ALWAYS,
    NEVER,
    Condition,
    Term,
    after,
    check_token,
    merged,
    ordered,
    prefix_range,
    selected,
)
from airside.tracking.records import View
from airside.tracking.rules import RUN_NAME_TAG

MAX_RESULTS = 50_000
INDEXED = 200
"""How many characters of a text are in its index."""
FEW = 1000
"""A condition that leaves no more runs than this is a driver, in a store of any size."""
MOST = 20_000
"""One that leaves more is none: some 80 ms of sorting."""
WALK = 50_000
"""So many runs are looked at in some 50 ms. When that fills no page, more matches are gathered and sorted."""
STROLL = 2_000
"""So many runs are looked at before a thousand matches are counted: the index of a text makes the count as dear."""
RARE = 500
"""So many matches are counted before that."""
MAX_JOINED = 16
"""SQLite joins 64 tables at most, those of orders among them: of further conditions it is asked for what exists."""
COLUMNS = {
    "run_id": "r.run_id",
    "run_name": "r.name",
    "status": "r.status",
    "user_id": "r.user_id",
    "artifact_uri": "r.artifact_uri",
    "start_time": "r.start_ms",
    "end_time": "r.end_ms",
}
TABLES = {"metric": "metric_latest", "parameter": "run_param", "tag": "run_tag"}
DATASET_COLUMNS = {"name": "d.name", "digest": "d.digest", "context": "i.context"}
START = Term("r.start_ms", is_ascending=False)
RUN_ID = Term("r.run_id", is_ascending=True, is_text=True)
SINGLY = "LIMIT 1 OFFSET 0"
"""The end of a probe that is asked of one run after another. Without it PostgreSQL may make a join of it and look
through the values of all runs: quicker where none matches, slower by far where the page is full after some of them."""
JOINED: Condition = ("r.id = c.run_no", [])
Partition = tuple[int, bool]
"""An experiment's number and whether its deleted runs are meant."""
Rows = list[Row]


class Window(Record):
    """Which part of the matches is wanted."""

    view: View = "active"
    max_results: int = 1000
    page_token: str = ""


def page(
    ctx: Context, experiments: tuple[int, ...], filter_text: str, order_by: tuple[str, ...], window: Window
) -> tuple[list[int], str]:
    """The numbers of a page of the runs of some experiments that match, and the token of the page behind it."""
    check_max_results(window.max_results, MAX_RESULTS)
    comparisons = parse_filter(filter_text, RUNS)
    orders = parse_orders(order_by, RUNS)
    token = read_token(window.page_token, digest(filter_text, order_by))
    if not experiments:
        return [], ""
    plan = _Plan(ctx, comparisons, orders)
    stages = {"active": (False,), "deleted": (True,), "all": (False, True)}[window.view]
    partitions = [(number, stage) for number in experiments for stage in stages]
    wanted = token.offset + window.max_results
    rows = plan.rows(partitions, wanted + 1, token.after)
    shown = rows[token.offset : wanted]
    following = ""
    if len(rows) > wanted:
        following = write_token(PageToken(after=shown[-1][1:], of=digest(filter_text, order_by)))
    return [row[0] for row in shown], following


def check_max_results(wanted: int, limit: int) -> None:
    """Refuse a page of no rows, or of too many.

    Raises:
        Invalid: it is.
    """
    if wanted < 1:
        raise Invalid(f"Invalid value {wanted} for parameter 'max_results' supplied. It must be a positive integer")
    if wanted > limit:
        raise Invalid(f"Invalid value {wanted} for parameter 'max_results' supplied. It must be at most {limit}")


def digest(filter_text: str, order_by: tuple[str, ...]) -> str:
    """What a page token belongs to: it is refused with another filter or order."""
    return hashlib.blake2b("\0".join((filter_text, *order_by)).encode(), digest_size=6).hexdigest()


class _Probe(NamedTuple):
    """A condition on what a run logged under one name, of which there is at most one row.

    Attributes:
        exists: the condition by itself.
        table, key: where that row is.
        comparison: what its value has to be.
    """

    exists: Condition
    table: str
    key: int
    comparison: Comparison

    def joined(self, alias: str) -> Condition:
        """The condition, when the row is joined: SQLite asks so in three quarters of the time."""
        text, values = _of_value(alias, self.comparison, "sqlite")
        return f"{alias}.run_no = r.id AND {alias}.key_no = ? AND {text}", [self.key, *values]


class _Few(NamedTuple):
    """A condition that leaves few runs.

    Attributes:
        at: its place among the comparisons.
        table: whose index finds them; it is called `c`.
        condition: that finds them.
        most: how many they are at most.
    """

    at: int
    table: str
    condition: Condition
    most: int

    def gathered(self) -> tuple[str, list[object]]:
        """What gathers them, to be put before a query."""
        text, values = self.condition
        chosen = f"SELECT c.run_no FROM {self.table} c WHERE {text} LIMIT ?"
        return f"WITH few AS MATERIALIZED ({chosen}) ", [*values, self.most]


class _Plan:
    """How the runs of one search are found.

    A row is `(number, rank, value, rank, value, …)`, with a pair for each term of the order.
    """

    def __init__(self, ctx: Context, comparisons: tuple[Comparison, ...], orders: tuple[Order, ...]) -> None:
        self._ctx = ctx
        self._comparisons = comparisons
        self._lead = orders[0] if orders and orders[0].entity in TABLES else None
        self._joins: list[Condition] = []
        self._terms = [self._term(order) for order in orders]
        named = {order.key for order in orders if order.entity == "attribute"}
        self._terms += [START] if "start_time" not in named else []
        self._terms += [RUN_ID] if "run_id" not in named else []
        self._where = [self._condition(comparison, SINGLY) for comparison in comparisons]

    def rows(self, partitions: list[Partition], limit: int, last: tuple[object, ...]) -> Rows:
        """The first rows behind the last one seen, at most `limit`."""
        if last:
            check_token(self._terms, last)
        if len(partitions) == 1:
            return self._of(partitions[0], limit, last)
        every = [row for partition in partitions for row in self._of(partition, limit, last)]
        return merged(every, self._terms, 1)[:limit]

    def _of(self, partition: Partition, limit: int, last: tuple[object, ...]) -> Rows:
        bounds = (partition, limit)
        if self._lead is None and self._terms[0].column == START.column:
            return self._by_start(bounds, last)
        if self._lead is None:
            few = self._few(partition[0], MOST)
            if few is not None:
                return self._sorted(few, bounds, last)
            return self._query("run r", self._joins, bounds, self._far(), self._terms, last)
        return self._by_value(self._lead, bounds, last)

    def _by_value(self, lead: Order, bounds: tuple[Partition, int], last: tuple[object, ...]) -> Rows:
        """By a value: matches are sorted if they are few, else met on the way along the index of the values.

        Of a metric, the nearest values are looked through before many matches are counted.
        """
        partition, limit = bounds
        few = self._few(partition[0], RARE // 5)
        nearby = self._nearby_value(lead, partition[0], last) if few is None and self._where else None
        if nearby is not None and nearby is not ALWAYS:
            rows = self._segment(lead, 0, bounds, last, nearby)
            if len(rows) >= limit:
                return rows
        if few is None and nearby is not ALWAYS:
            few = self._few(partition[0], self._worth_sorting(limit))
        if few is not None:
            return self._sorted(few, bounds, last)
        rows = []
        for segment in range(int(str(last[0])) if last else 0, 3):
            if len(rows) < limit:
                rows += self._segment(lead, segment, (partition, limit - len(rows)), last)
        return rows

    def _nearby_value(self, lead: Order, experiment_no: int, last: tuple[object, ...]) -> Condition | None:
        """That a value of the leading metric is among the next `STROLL`.

        Always, when no more of them are meant at all; None when it cannot be said.
        """
        key = known_key(self._ctx, lead.key)
        if lead.entity != "metric" or key is None or (last and last[0] != 0):
            return None
        where: list[Condition] = [
            ("o.experiment_no = ? AND o.key_no = ? AND o.is_nan = ?", [experiment_no, key, False]),
            *self._of_lead(lead),
        ]
        where += [(f"o.value {'>=' if lead.is_ascending else '<='} ?", [last[1]])] if last else []
        row = self._ctx.tx.one(
            f"SELECT o.value FROM metric_latest o WHERE {' AND '.join(sql for sql, _ in where)} "
            f"ORDER BY {Term('o.value', is_ascending=lead.is_ascending).order()} LIMIT 1 OFFSET ?",
            [*(value for _, values in where for value in values), STROLL],
        )
        if row is None:
            return ALWAYS if self._of_lead(lead) else None
        return f"o.value {'<=' if lead.is_ascending else '>='} ?", [row[0]]

    def _of_lead(self, lead: Order) -> list[Condition]:
        """The conditions on the leading field, as they are asked of its index."""
        dialect = self._ctx.tx.dialect
        return [
            compared("o.value", c.operator, c.value, dialect)
            for c in self._comparisons
            if (c.entity, c.key) == (lead.entity, lead.key) and c.value is not None
        ]

    def _by_start(self, bounds: tuple[Partition, int], last: tuple[object, ...]) -> Rows:
        """By start: matches are sorted if they are few, else met on the way, the nearest first.

        Where many match, but none of those nearby, the way would lead through the whole experiment.
        """
        partition, limit = bounds
        for matches, runs in ((RARE, STROLL), (FEW, WALK), (MOST, None)):
            few = self._few(partition[0], matches)
            if few is not None:
                return self._sorted(few, bounds, last)
            nearby = self._nearby(bounds, last, runs) if self._where and runs is not None else None
            if nearby is None:
                break
            rows = self._query("run r", self._joins, bounds, [nearby, *self._where], self._terms, last)
            if len(rows) >= limit:
                return rows
        return self._query("run r", self._joins, bounds, self._far(), self._terms, last)

    def _nearby(self, bounds: tuple[Partition, int], last: tuple[object, ...], runs: int) -> Condition | None:
        """That a run is among the next so many of its experiment; None when that is all of them."""
        if self._greatest() <= runs:
            return None
        term = self._terms[0]
        where: list[Condition] = [("r.experiment_no = ? AND r.is_deleted = ?", list(bounds[0]))]
        where += [(f"r.start_ms {'>=' if term.is_ascending else '<='} ?", [last[1]])] if last else []
        row = self._ctx.tx.one(
            f"SELECT r.start_ms FROM run r WHERE {' AND '.join(sql for sql, _ in where)} "
            f"ORDER BY {ordered([term])} LIMIT 1 OFFSET ?",
            [*(value for _, values in where for value in values), runs],
        )
        return None if row is None else (f"r.start_ms {'<=' if term.is_ascending else '>='} ?", [row[0]])

    def _sorted(self, few: "_Few", bounds: tuple[Partition, int], last: tuple[object, ...]) -> Rows:
        """The few runs that a condition leaves, sorted.

        They are gathered before they are joined: PostgreSQL, which guesses how many they are, might else walk through
        all runs and look whether each is one of them.
        """
        others = [condition for at, condition in enumerate(self._where) if at != few.at]
        return self._query(few, self._joins, bounds, [JOINED, *others], self._terms, last)

    def _segment(
        self,
        lead: Order,
        segment: int,
        bounds: tuple[Partition, int],
        last: tuple[object, ...],
        nearby: Condition = ALWAYS,
    ) -> Rows:
        """The runs with a value of the leading field (0), with "not a number" (1), with none (2)."""
        key = known_key(self._ctx, lead.key)
        table, rest = TABLES[lead.entity], self._terms[1:]
        behind = last if last and int(str(last[0])) == segment else ()
        same = [
            c for c in self._comparisons if (c.entity, c.key) == (lead.entity, lead.key) and c.operator != "IS NULL"
        ]
        if segment == 2:
            if same:
                return []
            none = ALWAYS
            if key is not None:
                none = (f"NOT EXISTS (SELECT 1 FROM {table} n WHERE n.run_no = r.id AND n.key_no = ?)", [key])
            terms = [Term("NULL", is_ascending=True, rank="2"), *rest]
            return self._query("run r", self._joins[1:], bounds, [none, *self._where], terms, behind)
        if key is None or (segment == 1 and (lead.entity != "metric" or any(c.operator != "!=" for c in same))):
            return []
        where: list[Condition | _Probe] = [
            ("o.experiment_no = ? AND o.key_no = ? AND r.id = o.run_no", [bounds[0][0], key]),
            *(asked for c, asked in zip(self._comparisons, self._where, strict=True) if c not in same),
        ]
        if lead.entity == "metric":
            where.append(("o.is_nan = ?", [segment == 1]))
        if segment == 1:
            terms = [Term("NULL", is_ascending=True, rank="1"), *rest]
        else:
            where += [nearby, *self._of_lead(lead)]
            terms = [Term("o.value", is_ascending=lead.is_ascending), *rest]
            if lead.entity != "metric":
                return self._prefixed(table, bounds, where, terms, behind)
        return self._query(f"{table} o CROSS JOIN run r", self._joins[1:], bounds, where, terms, behind)

    def _prefixed(
        self,
        table: str,
        bounds: tuple[Partition, int],
        where: "list[Condition | _Probe]",
        terms: list[Term],
        last: tuple[object, ...],
    ) -> Rows:
        """In the order of an index over the first characters of a text."""
        prefix = Term("substr(o.value, 1, 200)", is_ascending=terms[0].is_ascending)
        if last:
            sign = ">=" if prefix.is_ascending else "<="
            where = [*where, (f"{prefix.column} {sign} ?", [str(last[1])[:INDEXED]]), after(terms, last)]
        rows = self._query(f"{table} o CROSS JOIN run r", self._joins[1:], bounds, where, [prefix, *terms], ())
        return [(row[0], *row[3:]) for row in rows]

    def _query(
        self,
        source: "str | _Few",
        joins: list[Condition],
        bounds: tuple[Partition, int],
        conditions: "list[Condition | _Probe]",
        terms: list[Term],
        last: tuple[object, ...],
    ) -> Rows:
        partition, limit = bounds
        probed, where = self._probed(conditions)
        here: Condition = ("r.experiment_no = ? AND r.is_deleted = ?", list(partition))
        where = [here, *where, *([_after(terms, last)] if last else [])]
        order = [term for term in terms if term.column != "NULL"]
        first, gathered = "", list[object]()
        if not isinstance(source, str):
            first, gathered = source.gathered()
            source = "few c CROSS JOIN run r"
        return self._ctx.tx.all(
            f"{first}SELECT r.id, {selected(terms)} FROM {source}{probed}{''.join(sql for sql, _ in joins)} "
            f"WHERE {' AND '.join(sql for sql, _ in where)} ORDER BY {ordered(order)} LIMIT ?",
            [*gathered, *(v for _, values in (*joins, *where) for v in values), limit],
        )

    def _probed(self, conditions: "list[Condition | _Probe]") -> tuple[str, list[Condition]]:
        """What is joined for some conditions, and the conditions. PostgreSQL is asked for the row that exists."""
        tables, where = "", list[Condition]()
        for at, condition in enumerate(conditions):
            if not isinstance(condition, _Probe):
                where.append(condition)
            elif self._ctx.tx.dialect == "postgresql" or at >= MAX_JOINED:
                where.append(condition.exists)
            else:
                tables += f" CROSS JOIN {condition.table} p{at}"
                where.append(condition.joined(f"p{at}"))
        return tables, where

    def _few(self, experiment_no: int, few: int) -> "_Few | None":
        """The first of the conditions that leaves no more runs than `few`, as its index finds them."""
        for at, comparison in enumerate(self._comparisons):
            chosen = self._indexed(comparison, experiment_no)
            if chosen is None:
                continue
            table, (text, values), (exact, more) = chosen
            row = self._ctx.tx.one(
                f"SELECT COUNT(*) FROM (SELECT 1 FROM {table} c WHERE {text} LIMIT ?) few", [*values, few + 1]
            )
            if row is not None and row[0] <= few:
                return _Few(at, table, (text + exact, [*values, *more]), row[0])
        return None

    def _worth_sorting(self, limit: int) -> int:
        """How many matches are sooner sorted than found by walking through the runs.

        To sort n of N runs takes about n looks; to find a page of them by walking takes limit * N / n.
        """
        return max(FEW, min(MOST, math.isqrt(limit * self._greatest() // 2)))

    def _greatest(self) -> int:
        """The number of the newest run: there are no more than that."""
        newest = self._ctx.tx.one("SELECT MAX(id) FROM run")
        return newest[0] or 0 if newest else 0

    def _indexed(self, comparison: Comparison, experiment_no: int) -> tuple[str, Condition, Condition] | None:
        """A table, what its index finds of a condition, and what is left to be asked of those rows."""
        entity, name, operator, value = comparison.entity, comparison.key, comparison.operator, comparison.value
        if (entity, name) == ("attribute", "run_name"):
            entity, name = "tag", RUN_NAME_TAG
        if entity not in TABLES or value is None or operator in {"!=", "ILIKE"}:
            return None
        key = known_key(self._ctx, name)
        if key is None:
            return None
        text, values = "c.experiment_no = ? AND c.key_no = ?", [experiment_no, key]
        if entity == "metric":
            found: Condition = (f"{text} AND c.is_nan = ? AND c.value {operator} ?", [*values, False, value])
            return TABLES[entity], found, ("", [])
        if operator == "=":
            # `NOT <>`, because SQLite would put the constant of `c.value = ?` into the indexed expression
            rest = (" AND NOT c.value <> ?", [value]) if len(str(value)) >= INDEXED else ("", [])
            return TABLES[entity], (f"{text} AND substr(c.value, 1, 200) = ?", [*values, str(value)[:INDEXED]]), rest
        span = prefix_range(str(value))
        if span is None:
            return None
        like, pattern = compared("c.value", operator, value, self._ctx.tx.dialect)
        return (
            TABLES[entity],
            (f"{text} AND substr(c.value, 1, 200) >= ? AND substr(c.value, 1, 200) < ?", [*values, *span]),
            (f" AND {like}", pattern),
        )

    def _term(self, order: Order) -> Term:
        if order.entity == "attribute":
            rank = "CASE WHEN r.end_ms IS NULL THEN 2 ELSE 0 END" if order.key == "end_time" else ""
            is_text = order.key not in {"start_time", "end_time"}
            return Term(COLUMNS[order.key], is_ascending=order.is_ascending, rank=rank, is_text=is_text)
        alias = f"j{len(self._joins)}"
        key = known_key(self._ctx, order.key)
        self._joins.append(
            (
                f" LEFT JOIN {TABLES[order.entity]} {alias} ON {alias}.run_no = r.id AND {alias}.key_no = ?",
                [-1 if key is None else key],
            )
        )
        nan = f"WHEN {alias}.is_nan THEN 1 " if order.entity == "metric" else ""
        rank = f"CASE WHEN {alias}.run_no IS NULL THEN 2 {nan}ELSE 0 END"
        return Term(f"{alias}.value", is_ascending=order.is_ascending, rank=rank, is_text=order.entity != "metric")

    def _far(self) -> "list[Condition | _Probe]":
        """The conditions for a search through all runs: how, the database may choose."""
        return [self._condition(comparison, "") for comparison in self._comparisons]

    def _condition(self, comparison: Comparison, end: str) -> "Condition | _Probe":
        """A condition as it is asked of one run."""
        entity, name, operator, value = comparison.entity, comparison.key, comparison.operator, comparison.value
        dialect = self._ctx.tx.dialect
        if (entity, name) == ("attribute", "run_name"):
            entity, name = "tag", RUN_NAME_TAG
        if entity == "attribute":
            return compared(COLUMNS[name], operator, value, dialect)
        if entity == "dataset":
            text, values = compared(DATASET_COLUMNS[name], operator, value, dialect)
            among = "dataset_input i JOIN input_dataset d ON d.id = i.dataset_no"
            return f"EXISTS (SELECT 1 FROM {among} WHERE i.run_no = r.id AND {text} {end})", values
        key = known_key(self._ctx, name)
        if key is None:
            return ALWAYS if operator == "IS NULL" else NEVER
        probe = f"SELECT 1 FROM {TABLES[entity]} v WHERE v.run_no = r.id AND v.key_no = ?"
        if operator in {"IS NULL", "IS NOT NULL"}:
            return f"{'NOT ' if operator == 'IS NULL' else ''}EXISTS ({probe} {end})", [key]
        asked, of = _of_value("v", comparison, dialect)
        return _Probe((f"EXISTS ({probe} AND {asked} {end})", [key, *of]), TABLES[entity], key, comparison)


def _of_value(alias: str, comparison: Comparison, dialect: Dialect) -> Condition:
    """What the value of a metric, a parameter or a tag has to be."""
    text, values = compared(f"{alias}.value", comparison.operator, comparison.value, dialect)
    if comparison.entity != "metric":
        return text, values
    is_not = comparison.operator == "!="
    return f"({alias}.is_nan = ? OR {text})" if is_not else f"{alias}.is_nan = ? AND {text}", [is_not, *values]


def _after(terms: list[Term], last: tuple[object, ...]) -> Condition:
    """Behind the last row; a field that no row of this part has is left out."""
    if terms[0].column == "NULL":
        return after(terms[1:], last[2:])
    return after(terms, last)
