"""The condition of a search that leaves few traces, and the index that finds them."""

from collections.abc import Iterator

from airside.core.operation import Context
from airside.core.search import Comparison
from airside.tracking.queries.keys import known_key
from airside.tracking.queries.matching import Condition, prefix_range
from airside.tracking.traces.rules import NAME

FEW = 1000
"""A condition that leaves fewer traces than this is a driver."""
INDEXED = 200
"""How many characters of a text are in its index."""
Driver = tuple[str, Condition, Condition]
"""A source named `c`, how it is joined to `t`, and the source's values."""
JOINED: Condition = ("t.id = c.trace_no", [])


def few(ctx: Context, comparisons: tuple[Comparison, ...], experiment_no: int) -> Driver | None:
    """The traces that one of the conditions leaves, when they are few."""
    for each in comparisons:
        for table, (text, values) in _indexed(ctx, each, experiment_no):
            row = ctx.tx.one(
                f"SELECT COUNT(*) FROM (SELECT 1 FROM {table} WHERE {text} LIMIT ?) few", [*values, FEW + 1]
            )
            if row is not None and row[0] <= FEW:
                return f"(SELECT DISTINCT trace_no FROM {table} WHERE {text}) c", JOINED, ("", values)
    return None


def _indexed(ctx: Context, each: Comparison, experiment_no: int) -> Iterator[tuple[str, Condition]]:
    entity, key, operator, value = each.entity, each.key, each.operator, each.value
    if (entity, key) == ("attribute", "name"):
        entity, key = "tag", NAME
    if entity in {"tag", "request_metadata"} and key != "mlflow.sourceRun":
        number = known_key(ctx, key)
        span = _range("value", operator, value)
        if number is not None and span is not None:
            table = "trace_tag" if entity == "tag" else "trace_metadata"
            yield table, (f"experiment_no = ? AND key_no = ? AND {span[0]}", [experiment_no, number, *span[1]])
    elif (entity, key) == ("span", "name"):
        span = _range("name", operator, value)
        if span is not None:
            yield "span", (f"experiment_no = ? AND {span[0]}", [experiment_no, *span[1]])
    elif (entity, key, operator) == ("span", "type", "="):
        yield "span", ("experiment_no = ? AND span_type = ?", [experiment_no, value])


def _range(column: str, operator: str, value: object) -> Condition | None:
    """A condition that the index over the first characters of a text serves; it may leave too many."""
    start = f"substr({column}, 1, {INDEXED})"
    if operator == "=":
        return f"{start} = ?", [str(value)[:INDEXED]]
    span = prefix_range(str(value)) if operator == "LIKE" else None
    return None if span is None else (f"{start} >= ? AND {start} < ?", list(span))
