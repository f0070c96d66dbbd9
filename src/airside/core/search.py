"""The filter language of searches: text to comparisons, `order_by` to orders, page tokens. Pure.

    comparison (AND comparison)*          metrics.auc > 0.8 AND tags.team = 'core' AND run_name LIKE 'lgbm%'

The grammar and the error texts are MLflow's (contract, section 6.1): no OR, NOT or parentheses; words of operators in
any case; keys with odd characters quoted by back-quotes or quotes; strings in single or double quotes, nothing inside
unescaped. Each search has a `Grammar`: which entities and keys there are, and what may be asked of them.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from airside.core.errors import Invalid
from airside.core.record import Record

Operator = Literal["=", "!=", ">", ">=", "<", "<=", "LIKE", "ILIKE", "RLIKE", "IN", "NOT IN", "IS NULL", "IS NOT NULL"]
Value = str | int | float | tuple[str, ...] | None

ORDERED: tuple[Operator, ...] = (">", ">=", "<", "<=")
NUMERIC: tuple[Operator, ...] = ("=", "!=", ">", ">=", "<", "<=")
TEXTUAL: tuple[Operator, ...] = ("=", "!=", "LIKE", "ILIKE")
LISTED: tuple[Operator, ...] = (*TEXTUAL, "IN", "NOT IN")
NULLABLE: tuple[Operator, ...] = (*TEXTUAL, "IS NULL", "IS NOT NULL")


MAX_TEXT = 64 << 10
"""Characters of a filter."""
MAX_COMPARISONS = 100
"""Comparisons of a filter, and fields of an order."""


class Field(Record):
    """What may be asked of a key: a number, an integer or a text, with which operators.

    A field of kind `either` is a number where it is compared by order, else a text.

    Attributes:
        refusal: the error's text for another operator; may name `{operator}` and `{operators}`.
    """

    kind: Literal["number", "integer", "text", "either"] = "text"
    operators: tuple[Operator, ...] = TEXTUAL
    refusal: str = "Invalid comparator '{operator}' not one of '{{{operators}}}'"


class Grammar(Record):
    """What a search understands.

    Attributes:
        entities: every word for an entity, and the entity that it means; a word may have two parts (`run.metrics`).
        fields: of each entity what may be asked: of any key, or of the keys named; `part.*` is any key below `part`.
        aliases: other words for attributes.
        orderable: the attributes that an order may name; any key of the entities in `ordered` otherwise.
        quotes_clauses: whether an error quotes the clauses that it lists.
        takes_bare: whether a bare word is a text as a quoted one is.
        no_null: the error's text where IS NULL cannot be asked; may name `{entity}` and `{key}`.
        no_order: the error's text for what an order may not name; may name `{key}` and `{keys}`.
        no_key: of entities, the error's text for a key that is none of theirs; may name `{key}`.
    """

    entities: dict[str, str]
    fields: dict[str, Field | dict[str, Field]]
    aliases: dict[str, str] = msgspec.field(default_factory=dict)
    orderable: tuple[str, ...] = ()
    ordered: tuple[str, ...] = ()
    quotes_clauses: bool = True
    takes_bare: bool = False
    no_null: str = "IS NULL / IS NOT NULL is only supported for tags and params, not for '{entity}' '{key}'"
    no_order: str = "Invalid attribute key '{key}' specified. Valid keys are '{{{keys}}}'"
    no_key: dict[str, str] = msgspec.field(default_factory=dict)


class Comparison(Record):
    """One condition: the entity, its key, the operator and the value."""

    entity: str
    key: str
    operator: Operator
    value: Value = None


class Order(Record):
    """One field to sort by."""

    entity: str
    key: str
    is_ascending: bool = True


_STRING = r"'(?:''|\\'|[^'])*'"
_DOUBLE = r'"(?:""|\\"|[^"])*"'
_PART = rf"[^\W\d]\w*|`[^`]+`|{_DOUBLE}"
_TOKEN = re.compile(
    rf"""(?P<space>\s+)
    |(?P<name>(?:{_PART})(?:\.(?:\w+|`[^`]+`|{_DOUBLE}|{_STRING}))+|[^\W\d]\w*|`[^`]+`)
    |(?P<double>{_DOUBLE})
    |(?P<string>{_STRING})
    |(?P<number>-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?!\w))
    |(?P<symbol>[=!<>]+)
    |(?P<list>\((?:{_STRING}|{_DOUBLE}|[^()'"])*\))
    |(?P<mixed>\w+)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_ITEM = re.compile(rf"\s*(?:(?P<string>{_STRING}|{_DOUBLE})|(?P<other>[^,]+?))\s*(?:,|\Z)")
_QUOTED = re.compile(rf"{_STRING}|{_DOUBLE}")
_ILL_FORMED = re.compile(r"(?:\A|,)\s*,")
_WORDS = {
    ("LIKE",): "LIKE",
    ("ILIKE",): "ILIKE",
    ("RLIKE",): "RLIKE",
    ("IN",): "IN",
    ("NOT", "IN"): "NOT IN",
    ("NOT", "LIKE"): "NOT LIKE",
    ("IS", "NULL"): "IS NULL",
    ("IS", "NOT", "NULL"): "IS NOT NULL",
}
_KEYWORDS = frozenset({"AND", "OR", "NOT", "LIKE", "ILIKE", "RLIKE", "IN", "IS", "NULL", "BETWEEN"})


class _Token:
    """A piece of the text."""

    __slots__ = ("kind", "text")

    def __init__(self, kind: str, text: str) -> None:
        self.kind = "word" if kind == "name" and text.upper() in _KEYWORDS else kind
        self.text = text


def parse_filter(text: str, grammar: Grammar) -> tuple[Comparison, ...]:
    """The conditions of a filter; none for an empty text.

    >>> runs = Grammar(entities={"metrics": "metric"}, fields={"metric": Field(kind="number", operators=NUMERIC)})
    >>> parse_filter("metrics.`a b` > 0.5", runs)
    (Comparison(entity='metric', key='a b', operator='>', value=0.5),)

    Raises:
        Invalid: it cannot be understood; says which part.
    """
    if not text:
        return ()
    if len(text) > MAX_TEXT:
        raise Invalid(f"A filter has at most {MAX_TEXT} characters, got {len(text)}. Ask in parts.")
    tokens = [_Token(match.lastgroup or "other", match.group()) for match in _TOKEN.finditer(text)]
    solid = [token for token in tokens if token.kind != "space"]
    if not solid:
        raise Invalid(f"Invalid filter '{text}'. Could not be parsed.")
    if any(token.text == ";" for token in solid[:-1]):
        raise Invalid(f"Search filter contained multiple expression {text[:1000]!r}. Provide AND-ed expression list.")
    clauses, strays = _clauses(solid, takes_bare=grammar.takes_bare)
    if strays:
        shown = strays if not grammar.quotes_clauses else [f"'{stray}'" for stray in strays]
        raise Invalid(f"Invalid clause(s) in filter string: {', '.join(shown[:20])}")
    if len(clauses) > MAX_COMPARISONS:
        raise Invalid(f"A filter has at most {MAX_COMPARISONS} comparisons, got {len(clauses)}.")
    return tuple(_comparison(*clause, grammar) for clause in clauses)


def _clauses(tokens: list[_Token], *, takes_bare: bool) -> tuple[list[tuple[_Token, str, _Token | None]], list[str]]:
    clauses: list[tuple[_Token, str, _Token | None]] = []
    strays: list[str] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.kind == "word" and token.text.upper() == "AND":
            at += 1
            continue
        operator, width = _operator(tokens, at + 1)
        after = at + 1 + width
        if operator and token.kind in {"string", "number"} and after < len(tokens):
            raise Invalid(f"Invalid comparison clause. Expected 'Identifier' found '{token.text[:200]}'")
        if token.kind not in {"name", "double"}:
            operator = ""
        if operator.endswith("NULL") and operator:
            clauses.append((token, operator, None))
            at = after
        elif operator and after < len(tokens) and _may_be_value(tokens[after], takes_bare=takes_bare):
            clauses.append((token, operator, tokens[after]))
            at = after + 1
        else:
            strays.append(token.text)
            at += 1
    return clauses, strays


def _may_be_value(token: _Token, *, takes_bare: bool) -> bool:
    """Whether it stands for a value, if a wrong one: `true` is a word of SQL's, as AND is."""
    if token.kind == "name":
        return takes_bare or token.text.upper() not in {"TRUE", "FALSE"}
    return token.kind in {"string", "double", "number", "list"}


def _operator(tokens: list[_Token], at: int) -> tuple[str, int]:
    if at < len(tokens) and tokens[at].kind == "symbol":
        return tokens[at].text, 1
    for width in (3, 2, 1):
        words = tuple(token.text.upper() for token in tokens[at : at + width] if token.kind == "word")
        if len(words) == width and words in _WORDS:
            return _WORDS[words], width
    return "", 0


def _comparison(name: _Token, operator: str, value: _Token | None, grammar: Grammar) -> Comparison:
    entity, key, field = _identified(name.text, grammar)
    converted = None if value is None else _value((entity, key), field, operator, value, grammar)
    if operator not in field.operators and value is None:
        raise Invalid(grammar.no_null.format(entity=entity, key=key))
    if operator not in field.operators:
        raise Invalid(field.refusal.format(operator=operator, operators=", ".join(field.operators)))
    return Comparison(entity=entity, key=key, operator=operator, value=converted)


def _identified(text: str, grammar: Grammar) -> tuple[str, str, Field]:
    entity, key = _split(text, grammar)
    fields = grammar.fields[entity]
    if isinstance(fields, Field):
        return entity, key, fields
    known = grammar.aliases.get(key, key)
    field = fields.get(known) or fields.get(f"{known.partition('.')[0]}.*")
    if field is None and entity in grammar.no_key:
        raise Invalid(grammar.no_key[entity].format(key=key))
    if field is None:
        known_keys = [*fields, *(grammar.aliases if entity == "attribute" else ())]
        raise Invalid(f"Invalid {entity} key '{key}' specified. Valid keys are '{{{str(known_keys)[1:-1]}}}'")
    return entity, known, field


def _split(text: str, grammar: Grammar) -> tuple[str, str]:
    head, dot, rest = text.partition(".")
    if text[0] in '`"' and text[-1] == text[0] and text.count(text[0]) == 2:
        head, dot, rest = "", "", text
    if not dot:
        return "attribute", _bare(text)
    word = head[1:-1] if head[0] == "`" and head[-1] == "`" else head
    second, further, last = rest.partition(".")
    if further and (longer := grammar.entities.get(f"{word}.{second}")):
        return longer, _bare(last)
    entity = grammar.entities.get(word)
    if entity is None:
        raise Invalid(
            f"Invalid entity type '{word}'. Valid values are {list(dict.fromkeys(grammar.entities.values()))}"
        )
    return entity, _bare(rest)


def _bare(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "`'\"":
        return text[1:-1]
    return text


def _value(name: tuple[str, str], field: Field, operator: str, token: _Token, grammar: Grammar) -> Value:
    entity, key = name
    if field.kind == "either" and operator in ORDERED and token.kind != "number":
        raise Invalid(
            f"Expected a numeric value for {entity} when using comparator '{operator}'. Got value {token.text[:200]}"
        )
    if field.kind in {"number", "integer"} or (field.kind == "either" and operator in ORDERED):
        return _number(entity, key, field, token, grammar)
    if token.kind == "list" and operator in {"IN", "NOT IN"} and "IN" in field.operators:
        return _listed(token.text)
    if token.kind == "list" or operator in {"IN", "NOT IN"}:
        raise _unpaired(name, field, operator, token, grammar)
    if token.kind in {"string", "double"}:
        return token.text[1:-1]
    if token.kind == "name" and grammar.takes_bare:
        return token.text
    if token.kind == "name":
        raise Invalid(
            "Parameter value is either not quoted or unidentified quote types used for string value "
            f"{token.text[:200]}. Use either single or double quotes."
        )
    raise _unquoted(entity, token)


def _unpaired(name: tuple[str, str], field: Field, operator: str, token: _Token, grammar: Grammar) -> Invalid:
    """A list without IN, IN without a list, or neither for this field."""
    if token.kind == "list":
        return _unquoted(name[0], token) if "IN" in field.operators else _unlisted(grammar)
    return Invalid(f"Invalid comparison clause. {operator} needs a list of quoted strings, got {token.text[:200]}")


def _unquoted(entity: str, token: _Token) -> Invalid:
    if entity in {"attribute", "dataset"}:
        what = "attributes" if entity == "attribute" else "dataset attributes"
        return Invalid(f"Expected a quoted string value for {what}. Got value {token.text[:200]}")
    return Invalid(f"Expected a quoted string value for {entity} (e.g. 'my-value'). Got value {token.text[:200]}")


def _unlisted(grammar: Grammar) -> Invalid:
    attributes = grammar.fields.get("attribute", {})
    listed = (
        [key for key, field in attributes.items() if "IN" in field.operators] if isinstance(attributes, dict) else []
    )
    return Invalid(f"Only {sorted(listed)} attributes support comparison with a list of quoted string values.")


def _number(entity: str, key: str, field: Field, token: _Token, grammar: Grammar) -> float | int:
    if token.kind == "list":
        raise _unlisted(grammar)
    what = f"numeric attribute: {key}" if entity == "attribute" else entity
    if token.kind != "number":
        raise Invalid(f"Expected numeric value type for {what}. Found {token.text[:200]}")
    if re.fullmatch(r"-?\d{1,18}", token.text, re.ASCII):
        return int(token.text)
    if field.kind == "integer":
        raise Invalid(f"Invalid value for numeric attribute '{key}': '{token.text[:200]}'")
    return float(token.text)


def _listed(text: str) -> tuple[str, ...]:
    inside = text[1:-1]
    items: list[str] = []
    if _ILL_FORMED.search(_QUOTED.sub("''", inside)):
        raise Invalid(
            "While parsing a list in the query, expected a non-empty list of string values, but got ill-formed list"
        )
    for match in _ITEM.finditer(inside):
        if match["string"] is None:
            raise Invalid(
                "While parsing a list in the query, expected string value, punctuation, or whitespace, but got "
                f"different type in list: {text[:200] if ',' in text else f'{text[:200][:-1]},)'}"
            )
        items.append(match["string"][1:-1])
    if not items:
        raise Invalid(
            "While parsing a list in the query, expected a non-empty list of string values, but got empty list"
        )
    return tuple(items)


_ORDER = re.compile(rf"\s*(?P<name>(?:{_PART})(?:\.(?:\w+|`[^`]+`|{_DOUBLE}|{_STRING}))*)(?:\s+(?P<way>\S+))?\s*\Z")


def parse_order(text: str, grammar: Grammar) -> Order:
    """One clause of `order_by`.

    >>> parse_order("metrics.auc DESC", Grammar(entities={"metrics": "metric"}, fields={"metric": Field()},
    ...     ordered=("metric",)))
    Order(entity='metric', key='auc', is_ascending=False)

    Raises:
        Invalid: it cannot be understood, or names what cannot be sorted by.
    """
    match = _ORDER.match(text)
    if match is None:
        raise Invalid(f"Invalid order_by clause '{text[:1000]}'. Could not be parsed.")
    way = (match["way"] or "asc").lower()
    if way not in {"asc", "desc"}:
        raise Invalid(f"Invalid ordering key in order_by clause '{text[:1000]}'.")
    entity, key = _split(match["name"], grammar)
    if entity == "attribute":
        known = grammar.aliases.get(key, key)
        if key not in grammar.orderable:
            keys = str(list(grammar.orderable))[1:-1]
            raise Invalid(grammar.no_order.format(key=key, keys=keys))
        key = known
    elif entity not in grammar.ordered:
        raise Invalid(f"Invalid order_by entity type '{entity}'")
    return Order(entity=entity, key=key, is_ascending=way == "asc")


def check_orders(texts: Sequence[str]) -> None:
    """Refuse an order by too many fields.

    Raises:
        Invalid: it is.
    """
    if len(texts) > MAX_COMPARISONS:
        raise Invalid(f"`order_by` has at most {MAX_COMPARISONS} fields, got {len(texts)}.")


def parse_orders(texts: tuple[str, ...], grammar: Grammar) -> tuple[Order, ...]:
    """The clauses of `order_by`, none of which may name a field again.

    Raises:
        Invalid: as `parse_order`, or a field occurs twice, or there are too many.
    """
    check_orders(texts)
    orders = tuple(parse_order(text, grammar) for text in texts)
    seen = [(order.entity, order.key) for order in orders]
    if len(set(seen)) < len(seen):
        raise Invalid(f"`order_by` contains duplicate fields: {list(texts)[:20]}")
    return orders


# --- page tokens ---------------------------------------------------------------------------------------------------


class PageToken(Record):
    """Where the next page begins: after a row with these values, or at an offset.

    Attributes:
        after: the sort values of the last row, ending in its id.
        offset: rows to leave out; tokens of MLflow's servers have only this.
        of: what the token belongs to (a digest of the order), so that it is not used with another.
    """

    after: tuple[Any, ...] = ()
    offset: int = 0
    of: str = ""


def write_token(token: PageToken) -> str:
    """The token as text: opaque to clients.

    >>> read_token(write_token(PageToken(after=(1, "a")))).after
    (1, 'a')
    """
    sent: dict[str, Any] = {"offset": token.offset} if token.offset else {"after": token.after, "of": token.of}
    return base64.b64encode(msgspec.json.encode(sent)).decode()


def _is_value(part: object) -> bool:
    """Whether it may be a value of a column: a text, a number of 64 bits, or nothing."""
    if isinstance(part, str):
        return "\x00" not in part and not any("\ud800" <= character <= "\udfff" for character in part)
    if isinstance(part, int) and not isinstance(part, bool):
        return -(2**63) <= part < 2**63
    return part is None or isinstance(part, float)


def read_token(text: str, of: str = "") -> PageToken:
    """The place that a token names; the first page for an empty text.

    Raises:
        Invalid: it is no token, or belongs to another search.
    """
    if not text:
        return PageToken()
    try:
        decoded = base64.b64decode(text.encode("ascii", "replace"))
    except (binascii.Error, ValueError):
        raise Invalid("Invalid page token, could not base64-decode") from None
    try:
        parsed = msgspec.json.decode(decoded)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Invalid(f"Invalid page token, decoded value={decoded[:200]!r}") from None
    after = parsed.get("after") if isinstance(parsed, dict) else None
    if isinstance(after, list) and after and all(_is_value(part) for part in after):
        if parsed.get("of", "") != of:
            raise Invalid("Invalid page token: it belongs to a search with another order. Start again without it.")
        return PageToken(after=tuple(after), of=of)
    offset = parsed.get("offset") if isinstance(parsed, dict) else None
    if not isinstance(offset, int) or isinstance(offset, bool) or not 0 < offset < 2**53:
        raise Invalid(f"Invalid page token, parsed value={str(parsed)[:200]}")
    return PageToken(offset=offset)
