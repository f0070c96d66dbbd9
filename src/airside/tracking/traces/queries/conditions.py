"""The conditions of a search of traces as SQL on the row `t` of `trace`."""

from collections.abc import Callable

from airside.core.errors import Invalid
from airside.core.operation import Context, Dialect
from airside.core.search import Comparison
from airside.store.sql.conditions import compared
from airside.tracking.queries.keys import known_key
from airside.tracking.queries.matching import ALWAYS, NEVER, Condition
from airside.tracking.traces.rules import NAME, SESSION, SOURCE_RUN, json_text

ENDED = "(t.request_ms + COALESCE(t.duration_ms, 0))"
ATTRIBUTES = {
    "request_id": "t.trace_id",
    "client_request_id": "t.client_request_id",
    "status": "t.state",
    "timestamp_ms": "t.request_ms",
    "execution_time_ms": "t.duration_ms",
    "end_time_ms": ENDED,
}
SPAN_COLUMNS = {"name": "s.name", "type": "s.span_type", "status": "s.status"}
TEXT_OF_SPAN = "(s.name || ' ' || s.content)"
ORDERED = {"<", "<=", ">", ">="}


def condition(ctx: Context, comparisons: tuple[Comparison, ...]) -> list[Condition]:
    """All conditions of a filter. Those on spans must hold for one span."""
    spans = [each for each in comparisons if each.entity == "span"]
    others = [_OF[each.entity](ctx, each) for each in comparisons if each.entity != "span"]
    return [*others, _one_span(ctx, spans)] if spans else others


def _attribute(ctx: Context, each: Comparison) -> Condition:
    match each.key:
        case "name":
            return _text(ctx, "trace_tag", NAME, each)
        case "run_id":
            return _run(ctx, each)
        case "prompt":
            if str(each.value).count("/") != 1:
                raise Invalid(
                    f"Invalid prompts filter value '{str(each.value)[:200]}'. "
                    'Expected format: prompt = "name/version"'
                )
            return "EXISTS (SELECT 1 FROM trace_prompt p WHERE p.trace_id = t.trace_id AND p.prompt = ?)", [each.value]
        case "text":
            text, values = compared(TEXT_OF_SPAN, each.operator, each.value, ctx.tx.dialect)
            return f"EXISTS (SELECT 1 FROM span s WHERE s.trace_no = t.id AND {text})", values
    return compared(ATTRIBUTES[each.key], each.operator, each.value, ctx.tx.dialect)


def _tag(ctx: Context, each: Comparison) -> Condition:
    return _text(ctx, "trace_tag", each.key, each)


def _metadata(ctx: Context, each: Comparison) -> Condition:
    if each.key == SOURCE_RUN and each.operator == "=":
        return _run(ctx, each)
    return _text(ctx, "trace_metadata", each.key, each)


def _run(ctx: Context, each: Comparison) -> Condition:
    """The run that made the trace; for the run itself, also those that it is linked to."""
    made = _text(ctx, "trace_metadata", SOURCE_RUN, each)
    if each.operator not in {"=", "IN"}:
        return made
    text, values = compared("l.run_id", each.operator, each.value, ctx.tx.dialect)
    linked = f"EXISTS (SELECT 1 FROM trace_run l WHERE l.trace_id = t.trace_id AND {text})"
    return f"({made[0]} OR {linked})", [*made[1], *values]


def _text(ctx: Context, table: str, name: str, each: Comparison) -> Condition:
    key = known_key(ctx, name)
    if key is None:
        return ALWAYS if each.operator == "IS NULL" else NEVER
    probe = f"SELECT 1 FROM {table} v WHERE v.trace_no = t.id AND v.key_no = ?"
    if each.operator in {"IS NULL", "IS NOT NULL"}:
        return f"{'NOT ' if each.operator == 'IS NULL' else ''}EXISTS ({probe})", [key]
    text, values = compared("v.value", each.operator, each.value, ctx.tx.dialect)
    return f"EXISTS ({probe} AND {text})", [key, *values]


def _one_span(ctx: Context, conditions: list[Comparison]) -> Condition:
    texts, values = [], list[object]()
    for each in conditions:
        if each.key.startswith("attributes."):
            column, args = _span_attribute(each.key.removeprefix("attributes."), ctx.tx.dialect)
        else:
            column, args = SPAN_COLUMNS.get(each.key, TEXT_OF_SPAN), []
        text, more = compared(column, each.operator, each.value, ctx.tx.dialect)
        texts.append(text)
        values += [*args, *more]
    return f"EXISTS (SELECT 1 FROM span s WHERE s.trace_no = t.id AND {' AND '.join(texts)})", values


def _span_attribute(name: str, dialect: Dialect) -> tuple[str, list[object]]:
    """The text of one attribute of a span: of a text itself, of anything else its JSON."""
    key = name[1:-1] if len(name) > 1 and name[0] == name[-1] == "`" else name
    if not key or '"' in key:
        raise Invalid("Span attribute name cannot be empty after 'attributes.', nor hold a double quote.")
    if dialect == "postgresql":
        return "(s.content::json -> 'attributes' ->> ?)", [key]
    return "CAST(json_extract(s.content, ?) AS TEXT)", [f'$.attributes."{key}"']


def _judged(ctx: Context, each: Comparison) -> Condition:
    """An assessment in force of this name, on the trace or on another of its session when it speaks for the session."""
    here = ["a.kind = ?", "a.name = ?", "a.is_valid = ?"]
    values: list[object] = [each.entity, each.key, True]
    if each.operator not in {"IS NULL", "IS NOT NULL"}:
        text, more = _value(each, ctx.tx.dialect)
        here.append(text)
        values += more
    test = " AND ".join(here)
    found = f"EXISTS (SELECT 1 FROM assessment a WHERE a.trace_no = t.id AND {test})"
    session = known_key(ctx, SESSION)
    if session is not None:
        found = (
            f"({found} OR EXISTS (SELECT 1 FROM trace_metadata m JOIN trace_metadata n "
            "ON n.experiment_no = m.experiment_no AND n.key_no = m.key_no "
            "AND substr(n.value, 1, 200) = substr(m.value, 1, 200) AND n.value = m.value "
            "JOIN assessment a ON a.trace_no = n.trace_no "
            f"WHERE m.trace_no = t.id AND m.key_no = ? AND a.is_of_session = ? AND {test}))"
        )
        values = [*values, session, True, *values]
    return f"NOT {found}" if each.operator == "IS NULL" else found, values


def _value(each: Comparison, dialect: Dialect) -> Condition:
    if each.operator in ORDERED:
        return f"a.figure {each.operator} ?", [each.value]
    if each.operator not in {"=", "!="}:
        return compared("a.value", each.operator, each.value, dialect)
    same = "(a.value = ? OR a.value = ?)"
    return same if each.operator == "=" else f"NOT {same}", [each.value, json_text(each.value)]


def _issue(_ctx: Context, each: Comparison) -> Condition:
    return (
        "EXISTS (SELECT 1 FROM assessment a WHERE a.trace_no = t.id AND a.kind = 'issue' AND a.name = ?)",
        [each.value],
    )


_OF: dict[str, Callable[[Context, Comparison], Condition]] = {
    "attribute": _attribute,
    "tag": _tag,
    "request_metadata": _metadata,
    "feedback": _judged,
    "expectation": _judged,
    "issue": _issue,
}
