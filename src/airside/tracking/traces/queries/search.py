"""Searching traces: walk the newest-first index and probe, or start from the few that a condition leaves.

A page begins behind the last row of the page before (keyset), as for runs.
"""

from airside.core.errors import Invalid
from airside.core.operation import Context, Row
from airside.core.search import Comparison, Order, PageToken, parse_filter, parse_orders, read_token, write_token
from airside.tracking.queries.keys import known_key
from airside.tracking.queries.matching import Condition, Term, after, merged, ordered, selected
from airside.tracking.queries.run_search import check_max_results, digest
from airside.tracking.traces.grammar import TRACES
from airside.tracking.traces.queries import driving
from airside.tracking.traces.queries.conditions import ENDED, condition
from airside.tracking.traces.queries.traces import load
from airside.tracking.traces.records import TracePage
from airside.tracking.traces.rules import MAX_SEARCH, NAME, SOURCE_RUN

COLUMNS = {
    "experiment_id": "t.experiment_no",
    "timestamp_ms": "t.request_ms",
    "status": "t.state",
    "request_id": "t.trace_id",
    "end_time_ms": ENDED,
}
LACKED = {"execution_time_ms": "t.duration_ms"}
TEXTS = {"tag": "trace_tag", "request_metadata": "trace_metadata"}
NAMED = {"name": ("tag", NAME), "run_id": ("request_metadata", SOURCE_RUN)}
"""Attributes that are kept as a tag or as metadata."""
NOTHING: Condition = ("", [])


def page(
    ctx: Context, experiments: tuple[int, ...], filter_text: str, order_by: tuple[str, ...], **at: object
) -> TracePage:
    """A page of the traces of some experiments that match: `max_results` of them, behind `page_token`."""
    wanted, token_text = int(str(at["max_results"])), str(at["page_token"])
    check_max_results(wanted, MAX_SEARCH)
    comparisons = parse_filter(filter_text, TRACES)
    orders = parse_orders(order_by, TRACES)
    _check_distinct(orders, order_by)
    token = read_token(token_text, digest(filter_text, order_by))
    if not experiments:
        return TracePage(items=())
    plan = _Plan(ctx, experiments, comparisons, orders)
    limit = token.offset + wanted
    rows = plan.rows(limit + 1, token.after)
    shown = rows[token.offset : limit]
    following = ""
    if len(rows) > limit:
        following = write_token(PageToken(after=shown[-1][1:], of=digest(filter_text, order_by)))
    return TracePage(items=tuple(load(ctx, [row[0] for row in shown])), next_page_token=following)


def _check_distinct(orders: tuple[Order, ...], texts: tuple[str, ...]) -> None:
    seen = [
        NAMED.get(order.key, order.key) if order.entity == "attribute" else (order.entity, order.key)
        for order in orders
    ]
    if len(set(seen)) < len(seen):
        raise Invalid(f"`order_by` contains duplicate fields: {list(texts)[:20]}")


def _text_of(order: Order) -> tuple[str, str]:
    """Which tag or metadata an order goes by; empty for another field."""
    return NAMED.get(order.key, ("", "")) if order.entity == "attribute" else (order.entity, order.key)


class _Plan:
    """How the traces of one search are found. A row is `(number, rank, value, rank, value, …)`."""

    def __init__(
        self, ctx: Context, experiments: tuple[int, ...], comparisons: tuple[Comparison, ...], orders: tuple[Order, ...]
    ) -> None:
        self._ctx = ctx
        self._experiments = experiments
        self._comparisons = comparisons
        self._joins: list[Condition] = []
        self._lead = _text_of(orders[0]) if orders else ("", "")
        self._terms = [self._term(order) for order in orders]
        named = {order.key for order in orders if order.entity == "attribute"}
        self._terms += [Term("t.request_ms", is_ascending=False)] if "timestamp_ms" not in named else []
        self._terms += [Term("t.trace_id", is_ascending=True)] if "request_id" not in named else []
        self._where = condition(ctx, comparisons)

    def rows(self, limit: int, last: tuple[object, ...]) -> list[Row]:
        """The first rows behind the last one seen, at most `limit`."""
        if last and len(last) != 2 * len(self._terms):
            raise Invalid("Invalid page token: it belongs to a search with another order. Start again without it.")
        every = [row for number in self._experiments for row in self._of(number, limit, last)]
        return every if len(self._experiments) == 1 else merged(every, self._terms, 1)[:limit]

    def _of(self, experiment_no: int, limit: int, last: tuple[object, ...]) -> list[Row]:
        few = driving.few(self._ctx, self._comparisons, experiment_no)
        if few is not None or not self._terms[0].rank:
            behind = [after(self._terms, last)] if last else []
            return self._query((experiment_no, limit), few, self._terms, behind)
        segment = self._texts if self._lead[0] else self._segment
        rows: list[Row] = []
        for rank in (0, 2):
            if len(rows) < limit and rank >= int(str(last[0]) if last else 0):
                rows += segment((experiment_no, limit - len(rows)), rank, last)
        return rows

    def _texts(self, bounds: tuple[int, int], rank: int, last: tuple[object, ...]) -> list[Row]:
        """The traces with the tag or metadata that leads (0) in the order of its index, then those without it (2)."""
        table, key = TEXTS[self._lead[0]], known_key(self._ctx, self._lead[1]) or 0
        lead, rest = self._terms[0], self._terms[1:]
        behind = last if last and int(str(last[0])) == rank else ()
        if rank == 2:
            lacking: Condition = (
                f"NOT EXISTS (SELECT 1 FROM {table} n WHERE n.trace_no = t.id AND n.key_no = ?)",
                [key],
            )
            terms = [Term("NULL", is_ascending=True, rank="2"), *rest]
            extra = [lacking, *([after(rest, behind[2:])] if behind else [])]
            return self._query(bounds, None, terms, extra, joins=self._joins[1:])
        prefix = Term("substr(x.value, 1, 200)", is_ascending=lead.is_ascending)
        terms = [Term("x.value", is_ascending=lead.is_ascending), *rest]
        extra = []
        if behind:
            sign = ">=" if prefix.is_ascending else "<="
            extra = [(f"{prefix.column} {sign} ?", [str(behind[1])[: driving.INDEXED]]), after(terms, behind)]
        driver = (
            f"{table} x",
            ("t.id = x.trace_no AND x.experiment_no = ? AND x.key_no = ?", [bounds[0], key]),
            NOTHING,
        )
        rows = self._query(bounds, driver, [prefix, *terms], extra, joins=self._joins[1:])
        return [(row[0], *row[3:]) for row in rows]

    def _segment(self, bounds: tuple[int, int], rank: int, last: tuple[object, ...]) -> list[Row]:
        """The traces that ended (0) in the order of an index, then those that did not (2)."""
        lead, rest = self._terms[0], self._terms[1:]
        behind: list[Condition] = []
        if rank == 0:
            terms = [Term(lead.column, is_ascending=lead.is_ascending), *rest]
            behind = [after(terms, last)] if last else []
        else:
            terms = [Term("NULL", is_ascending=True, rank="2"), *rest]
            behind = [after(rest, last[2:])] if last and int(str(last[0])) == rank else []
        ended: Condition = (f"{lead.column} IS {'NOT ' if rank == 0 else ''}NULL", [])
        return self._query(bounds, None, terms, [ended, *behind])

    def _query(
        self,
        bounds: tuple[int, int],
        few: driving.Driver | None,
        terms: list[Term],
        extra: list[Condition],
        joins: list[Condition] | None = None,
    ) -> list[Row]:
        joins = self._joins if joins is None else joins
        source, driver = (f"{few[0]} CROSS JOIN trace t", [few[1]]) if few else ("trace t", [])
        where = [*driver, ("t.experiment_no = ?", [bounds[0]]), *self._where, *extra]
        parts = [*([few[2]] if few else []), *joins, *where]
        order = ordered([term for term in terms if term.column != "NULL"])
        return self._ctx.tx.all(
            f"SELECT t.id, {selected(terms)} FROM {source}{''.join(sql for sql, _ in joins)} "
            f"WHERE {' AND '.join(sql for sql, _ in where)} ORDER BY {order} LIMIT ?",
            [*(value for _, values in parts for value in values), bounds[1]],
        )

    def _term(self, order: Order) -> Term:
        entity, key = _text_of(order)
        if not entity:
            column = COLUMNS.get(order.key)
            if column is not None:
                return Term(column, is_ascending=order.is_ascending)
            column = LACKED[order.key]
        else:
            alias = f"o{len(self._joins)}"
            self._joins.append(
                (
                    f" LEFT JOIN {TEXTS[entity]} {alias} ON {alias}.trace_no = t.id AND {alias}.key_no = ?",
                    [known_key(self._ctx, key) or 0],
                )
            )
            column = f"{alias}.value"
        return Term(column, is_ascending=order.is_ascending, rank=f"CASE WHEN {column} IS NULL THEN 2 ELSE 0 END")
