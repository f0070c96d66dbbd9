"""Searching experiments."""

from airside.core.operation import Context, Dialect
from airside.core.search import (
    Comparison,
    Order,
    PageToken,
    check_orders,
    parse_filter,
    parse_order,
    read_token,
    write_token,
)
from airside.store.sql.conditions import compared
from airside.tracking.grammars import EXPERIMENTS
from airside.tracking.queries import experiments
from airside.tracking.queries.matching import Condition, Term, after, check_token, ordered, selected
from airside.tracking.queries.run_search import Window, check_max_results, digest
from airside.tracking.records import ExperimentPage
from airside.tracking.rules import experiment_no

MAX_RESULTS = 50_000
COLUMNS = {
    "name": "e.name",
    "experiment_id": "e.id",
    "creation_time": "e.created_ms",
    "last_update_time": "e.updated_ms",
}
_HEAD = "e.id, e.name, e.artifact_location, e.is_deleted, e.created_ms, e.updated_ms"
_STAGES: dict[str, Condition] = {
    "active": ("e.is_deleted = ?", [False]),
    "deleted": ("e.is_deleted = ?", [True]),
    "all": ("1 = 1", []),
}


def page(ctx: Context, filter_text: str, order_by: tuple[str, ...], window: Window) -> ExperimentPage:
    """A page of the experiments that match."""
    check_max_results(window.max_results, MAX_RESULTS)
    comparisons = parse_filter(filter_text, EXPERIMENTS)
    check_orders(order_by)
    terms = _terms([parse_order(text, EXPERIMENTS) for text in order_by])
    token = read_token(window.page_token, digest(filter_text, order_by))
    if token.after:
        check_token(terms, token.after)
    where = [_STAGES[window.view], *(_condition(comparison, ctx.tx.dialect) for comparison in comparisons)]
    where += [after(terms, token.after)] if token.after else []
    rows = ctx.tx.all(
        f"SELECT {_HEAD}, {selected(terms)} FROM experiment e WHERE {' AND '.join(sql for sql, _ in where)} "
        f"ORDER BY {ordered(terms)} LIMIT ? OFFSET ?",
        [*(value for _, values in where for value in values), window.max_results + 1, token.offset],
    )
    shown = rows[: window.max_results]
    following = ""
    if len(rows) > len(shown):
        following = write_token(PageToken(after=shown[-1][6:], of=digest(filter_text, order_by)))
    return ExperimentPage(items=tuple(experiments.of_row(ctx.tx, row) for row in shown), next_page_token=following)


def _terms(orders: list[Order]) -> list[Term]:
    if not orders:
        return [Term("e.created_ms", is_ascending=False), Term("e.id", is_ascending=True)]
    distinct = {order.key: order for order in reversed(orders)}  # of two orders by one field the first decides
    keys = dict.fromkeys(order.key for order in orders)
    terms = [Term(COLUMNS[key], is_ascending=distinct[key].is_ascending, is_text=key == "name") for key in keys]
    return terms if "experiment_id" in keys else [*terms, Term("e.id", is_ascending=False)]


def _condition(comparison: Comparison, dialect: Dialect) -> Condition:
    operator, value = comparison.operator, comparison.value
    if comparison.entity == "tag":
        probe = "SELECT 1 FROM experiment_tag t WHERE t.experiment_no = e.id AND t.key = ?"
        if operator in {"IS NULL", "IS NOT NULL"}:
            return f"{'NOT ' if operator == 'IS NULL' else ''}EXISTS ({probe})", [comparison.key]
        text, values = compared("t.value", operator, value, dialect)
        return f"EXISTS ({probe} AND {text})", [comparison.key, *values]
    if comparison.key == "experiment_id":
        if isinstance(value, tuple):
            numbers = [experiment_no(part) for part in value]
            return f"e.id {operator} ({', '.join('?' * len(numbers))})", list(numbers)
        return f"e.id {operator} ?", [experiment_no(str(value))]
    return compared(COLUMNS[comparison.key], operator, value, dialect)
