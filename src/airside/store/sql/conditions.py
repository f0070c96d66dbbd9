"""One comparison of a filter as SQL, the same rows in both dialects."""

from collections.abc import Iterable
from typing import Any

from airside.core.errors import Invalid
from airside.core.operation import Dialect
from airside.core.search import Operator, Value
from airside.store.sql.regular import check_pattern

MAX_PATTERN = 1000
MAX_LIST = 1000

Condition = tuple[str, tuple[Any, ...]]
"""SQL and its values."""


def placeholders(count: int) -> str:
    """The marks of so many values, for a list of `IN` or a row of `VALUES`.

    >>> placeholders(3)
    '?, ?, ?'
    """
    return ", ".join("?" * count)


def compared(column: str, operator: Operator, value: Value, dialect: Dialect) -> Condition:
    """The condition that a column compares so with a value.

    `LIKE` minds the case, `ILIKE` does not (for the letters of ASCII); neither has an escape character. `RLIKE` finds
    a regular expression anywhere in the text.

    >>> compared("name", "LIKE", "a%", "sqlite")
    ('name GLOB ?', ('a*',))
    >>> compared("name", "NOT IN", ("a", "b"), "sqlite")
    ('name NOT IN (?, ?)', ('a', 'b'))

    Raises:
        Invalid: a pattern or a list is too long.
    """
    match operator:
        case "IS NULL" | "IS NOT NULL":
            return f"{column} {operator}", ()
        case "IN" | "NOT IN":
            values = value if isinstance(value, tuple) else ()
            if len(values) > MAX_LIST:
                raise Invalid(f"A list of a filter holds at most {MAX_LIST} values, got {len(values)}.")
            return f"{column} {operator} ({placeholders(len(values))})", values
        case "LIKE" | "ILIKE":
            return _like(column, operator, str(value), dialect)
        case "RLIKE":
            check_pattern(str(value))
            return f"{column} {'~' if dialect == 'postgresql' else 'REGEXP'} ?", (value,)
        case _:
            return f"{column} {operator} ?", (value,)


def _like(column: str, operator: Operator, pattern: str, dialect: Dialect) -> Condition:
    if len(pattern) > MAX_PATTERN:
        raise Invalid(f"A pattern of LIKE has at most {MAX_PATTERN} characters, got {len(pattern)}.")
    if dialect == "postgresql":
        return f"{column} {operator} ? ESCAPE ''", (pattern,)
    if operator == "ILIKE":
        return f"{column} LIKE ?", (pattern,)
    return f"{column} GLOB ?", ("".join(_GLOB.get(character, character) for character in pattern),)


_GLOB = {"%": "*", "_": "?", "*": "[*]", "?": "[?]", "[": "[[]"}


def both(conditions: Iterable[Condition]) -> Condition:
    """All of several conditions.

    >>> both([("a = ?", (1,)), ("b = ?", (2,))])
    ('a = ? AND b = ?', (1, 2))
    >>> both([])
    ('1 = 1', ())
    """
    parts = tuple(conditions)
    if not parts:
        return "1 = 1", ()
    return " AND ".join(sql for sql, _ in parts), tuple(value for _, values in parts for value in values)
