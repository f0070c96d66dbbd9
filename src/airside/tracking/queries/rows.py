"""Rows that are certain to come."""

from airside.core.errors import Internal
from airside.core.operation import Row


def certain(row: Row | None) -> Row:
    """The row of a statement that always answers: an insert with RETURNING, a look-up behind a reference.

    Raises:
        Internal: it did not.
    """
    if row is None:
        raise Internal
    return row
