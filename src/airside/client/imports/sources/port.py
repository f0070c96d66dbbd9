"""What is asked of a database that is taken over."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

Row = tuple[Any, ...]
PAGE = 5000


class Source(Protocol):
    """A database, opened read-only. Used by one thread at a time; one stream is open at a time.

    SQL is one text for every database: names in double quotes where they are words of SQL, `?` for values, and no
    other `?` or `%`. Errors leave as errors of ours: `Unavailable`, `Denied`, `Invalid`.
    """

    label: str
    """Its address, without a password."""

    def tables(self) -> frozenset[str]:
        """The names of its tables."""

    def columns(self, table: str) -> frozenset[str]:
        """The names of a table's columns; none when there is no such table."""

    def all(self, sql: str, args: Sequence[Any] = ()) -> list[Row]:
        """Every row of a small answer."""

    def stream(self, sql: str, args: Sequence[Any] = ()) -> Iterator[Row]:
        """Every row, some thousands in memory at a time."""

    def close(self) -> None:
        """Give it back."""
