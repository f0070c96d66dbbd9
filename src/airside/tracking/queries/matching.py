"""Orders of searches as SQL: what a page begins behind, and how lists are merged."""

from collections.abc import Sequence
from functools import partial
from operator import itemgetter
from typing import Any

from airside.core.errors import Invalid
from airside.core.operation import Row

Condition = tuple[str, Sequence[Any]]
NEVER: Condition = ("1 = 0", [])
ALWAYS: Condition = ("1 = 1", [])


def prefix_range(pattern: str) -> tuple[str, str] | None:
    """The range of texts that a pattern `prefix%…` can match; None when it does not begin with a fixed text.

    >>> prefix_range("0.12%")
    ('0.12', '0.13')
    >>> prefix_range("%x") is None
    True
    """
    prefix = pattern[:200]
    for wildcard in "%_":
        prefix = prefix.partition(wildcard)[0]
    if not prefix or ord(prefix[-1]) >= 0xD7FF:
        return None
    return prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1)


class Term:
    """One field of an order: a column, its direction, and whether rows may lack it.

    A term that rows may lack has a `rank`: 0 for a value, 1 for "not a number", 2 for none; these come in this order
    in both directions.
    """

    __slots__ = ("column", "is_ascending", "is_text", "rank")

    def __init__(self, column: str, *, is_ascending: bool, rank: str = "", is_text: bool = False) -> None:
        self.column, self.is_ascending, self.rank, self.is_text = column, is_ascending, rank, is_text

    def order(self) -> str:
        """Its part of ORDER BY."""
        way = "ASC" if self.is_ascending else "DESC"
        return f"{self.rank}, {self.column} {way}" if self.rank else f"{self.column} {way}"


def check_token(terms: Sequence[Term], last: Sequence[object]) -> None:
    """Refuse the values of a page token that cannot be those of a row in this order.

    >>> check_token([Term("r.start_ms", is_ascending=False)], [0, 5])
    >>> check_token([Term("r.start_ms", is_ascending=False)], [0, "5"])
    Traceback (most recent call last):
    airside.core.errors.Invalid: Invalid page token: it belongs to a search with another order. Start again without it.

    Raises:
        Invalid: their number or one of their types is another.
    """
    whole = len(last) == 2 * len(terms)
    for term, rank, value in zip(terms, last[::2], last[1::2], strict=False):
        fits = value is None or (isinstance(value, str) if term.is_text else isinstance(value, int | float))
        whole = whole and isinstance(rank, int) and 0 <= rank <= 2 and fits
    if not whole:
        raise Invalid("Invalid page token: it belongs to a search with another order. Start again without it.")


def selected(terms: Sequence[Term]) -> str:
    """The columns that a token keeps: for each term its rank (0 when it has none) and its value."""
    return ", ".join(f"{term.rank or '0'}, {term.column}" for term in terms)


def ordered(terms: Sequence[Term]) -> str:
    """The ORDER BY list."""
    return ", ".join(term.order() for term in terms)


def after(terms: Sequence[Term], last: Sequence[object]) -> Condition:
    """The condition "behind the row with these ranks and values" (`selected` of that row), index first.

    >>> after([Term("r.start_ms", is_ascending=False), Term("r.run_id", is_ascending=True)], [0, 5, 0, "a"])
    ('r.start_ms <= ? AND (r.start_ms < ? OR (r.start_ms = ? AND (r.run_id > ?)))', [5, 5, 5, 'a'])
    """
    parts: list[tuple[str, str, object]] = []
    for index, term in enumerate(terms):
        rank, value = last[2 * index], last[2 * index + 1]
        if term.rank:
            parts.append((term.rank, ">", rank))
        if not term.rank or rank == 0:
            parts.append((term.column, ">" if term.is_ascending else "<", value))
    text, values = "1 = 0", list[object]()
    for column, symbol, value in reversed(parts):
        if text == "1 = 0":
            text, values = f"{column} {symbol} ?", [value]
        else:
            text, values = f"{column} {symbol} ? OR ({column} = ? AND ({text}))", [value, value, *values]
    if len(parts) > 1 and not terms[0].rank:
        column, symbol, value = parts[0]
        return f"{column} {symbol}= ? AND ({text})", [value, *values]
    return f"({text})", values


def merged(rows: list[Row], terms: Sequence[Term], at: int) -> list[Row]:
    """Rows of several ordered lists in one order; their `selected` columns begin at `at`."""
    for index in range(len(terms) - 1, -1, -1):
        term, rank_at = terms[index], at + 2 * index
        rows.sort(key=partial(_value, at=rank_at + 1), reverse=not term.is_ascending)
        rows.sort(key=itemgetter(rank_at))
    return rows


def _value(row: Row, at: int) -> tuple[bool, Any]:
    value = row[at]
    return (value is None, 0 if value is None else value)
