"""The condition of a search that leaves few traces, and the index that finds them."""

from airside.core.operation import Context
from airside.core.search import Comparison
from airside.tracking.queries.keys import known_key
from airside.tracking.queries.matching import Condition, prefix_range
from airside.tracking.traces.rules import NAME, SESSION, SOURCE_RUN

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
        source = _indexed(ctx, each, experiment_no)
        if source is None:
            continue
        text, values = source
        row = ctx.tx.one(f"SELECT COUNT(*) FROM (SELECT 1 FROM ({text}) found LIMIT ?) few", [*values, FEW + 1])
        if row is not None and row[0] <= FEW:
            return f"(SELECT DISTINCT trace_no FROM ({text}) found) c", JOINED, ("", values)
    return None


def _indexed(ctx: Context, each: Comparison, experiment_no: int) -> Condition | None:
    """A query, served by an index, of the numbers of all traces that can match; None where there is none."""
    entity, key, operator, value = each.entity, each.key, each.operator, each.value
    if entity == "attribute" and key in _LINKED and operator == "=":
        return _linked(ctx, key, experiment_no, value)
    if (entity, key) == ("attribute", "name"):
        entity, key = "tag", NAME
    if entity in TEXTS and key != SOURCE_RUN:
        number, span = known_key(ctx, key), _range("value", operator, value)
        if number is None or span is None:
            return None
        where = f"experiment_no = ? AND key_no = ? AND {span[0]}"
        return f"SELECT trace_no FROM {TEXTS[entity]} WHERE {where}", [experiment_no, number, *span[1]]
    if entity == "span":
        return _of_spans(key, operator, value, experiment_no)
    if entity == "issue":
        return f"{_ASSESSED} AND name = ?", [experiment_no, entity, value]
    return None if operator == "IS NULL" else _judged(ctx, entity, key, experiment_no)


TEXTS = {"tag": "trace_tag", "request_metadata": "trace_metadata"}
_ASSESSED = "SELECT trace_no FROM assessment WHERE experiment_no = ? AND kind = ?"
_OF_SESSION = (
    "SELECT m.trace_no FROM assessment a JOIN trace_metadata n ON n.trace_no = a.trace_no AND n.key_no = ? "
    "JOIN trace_metadata m ON m.experiment_no = n.experiment_no AND m.key_no = n.key_no "
    "AND substr(m.value, 1, 200) = substr(n.value, 1, 200) "
    "WHERE a.experiment_no = ? AND a.kind = ? AND a.name = ? AND a.is_of_session = ?"
)
_LINK = "SELECT t.id AS trace_no FROM {} l JOIN trace t ON t.trace_id = l.trace_id WHERE l.{} = ?"
_LINKED = frozenset({"run_id", "prompt", "client_request_id", "request_id"})


def _linked(ctx: Context, key: str, experiment_no: int, value: object) -> Condition:
    match key:
        case "prompt":
            return _LINK.format("trace_prompt", "prompt"), [value]
        case "run_id":
            linked, number = _LINK.format("trace_run", "run_id"), known_key(ctx, SOURCE_RUN)
            if number is None:
                return linked, [value]
            made = "SELECT trace_no FROM trace_metadata WHERE experiment_no = ? AND key_no = ?"
            text = f"{linked} UNION ALL {made} AND substr(value, 1, {INDEXED}) = ?"
            return text, [value, experiment_no, number, str(value)[:INDEXED]]
        case "client_request_id":
            where = "experiment_no = ? AND client_request_id = ?"
            return f"SELECT id AS trace_no FROM trace WHERE {where}", [experiment_no, value]
        case _:
            return "SELECT id AS trace_no FROM trace WHERE trace_id = ?", [value]


def _judged(ctx: Context, kind: str, name: str, experiment_no: int) -> Condition | None:
    """The traces with an assessment of this name, and those of a session that one speaks for."""
    if kind not in {"feedback", "expectation"}:
        return None
    asked = [experiment_no, kind, name]
    session = known_key(ctx, SESSION)
    if session is None:
        return f"{_ASSESSED} AND name = ?", asked
    return f"{_ASSESSED} AND name = ? UNION ALL {_OF_SESSION}", [*asked, session, *asked, True]


def _of_spans(key: str, operator: str, value: object, experiment_no: int) -> Condition | None:
    if key == "type" and operator == "=":
        return "SELECT trace_no FROM span WHERE experiment_no = ? AND span_type = ?", [experiment_no, value]
    span = _range("name", operator, value) if key == "name" else None
    if span is None:
        return None
    return f"SELECT trace_no FROM span WHERE experiment_no = ? AND {span[0]}", [experiment_no, *span[1]]


def _range(column: str, operator: str, value: object) -> Condition | None:
    """A condition that the index over the first characters of a text serves; it may leave too many."""
    start = f"substr({column}, 1, {INDEXED})"
    if operator == "=":
        return f"{start} = ?", [str(value)[:INDEXED]]
    span = prefix_range(str(value)) if operator == "LIKE" else None
    return None if span is None else (f"{start} >= ? AND {start} < ?", list(span))
