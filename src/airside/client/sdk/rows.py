"""Rows in the forms in which people have them, as lists by column."""

from collections.abc import Mapping
from typing import Any

from airside.core.errors import Invalid, quoted


def as_columns(example: Any, names: tuple[str, ...] = ()) -> dict[str, list[Any]]:
    """Lists by column, of plain Python values.

    Args:
        example: lists by column, a data frame (pandas, Polars), an Arrow table or a two-dimensional array.
        names: which columns, in which order; the names of an array's columns.

    Raises:
        Invalid: it is none of these, has no rows, or lacks a named column.

    >>> as_columns({"a": [1, 2], "b": ["x", "y"]}, ("b", "a"))
    {'b': ['x', 'y'], 'a': [1, 2]}
    >>> as_columns([[1, 2.5]], ("a", "b"))
    {'a': [1], 'b': [2.5]}
    """
    columns = _columns(example, names)
    missing = [name for name in names if name not in columns]
    if missing:
        raise Invalid(f"The example lacks the columns {quoted(missing)}. It has: {quoted(columns)}.")
    chosen = {name: columns[name] for name in names} if names else columns
    if not chosen or not all(chosen.values()) or len(set(map(len, chosen.values()))) != 1:
        raise Invalid("The example needs at least one row, and as many values in each column.")
    return chosen


def _columns(example: Any, names: tuple[str, ...]) -> dict[str, list[Any]]:
    if isinstance(example, Mapping):
        return {str(name): _plain(values) for name, values in example.items()}
    if hasattr(example, "to_pydict"):
        return {str(name): values for name, values in example.to_pydict().items()}
    if hasattr(example, "columns"):
        return {str(name): _plain(example[name]) for name in example.columns}
    rows = example.tolist() if hasattr(example, "tolist") else example
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list | tuple) for row in rows):
        raise Invalid("The example is neither lists by column, a data frame, an Arrow table nor a table of rows.")
    known = names or tuple(str(i) for i in range(len(rows[0])))
    if any(len(row) != len(known) for row in rows):
        raise Invalid(f"Every row of the example must have {len(known)} values.")
    return {name: [row[i] for row in rows] for i, name in enumerate(known)}


def _plain(values: Any) -> list[Any]:
    for convert in ("tolist", "to_list", "to_pylist"):
        if hasattr(values, convert):
            found: list[Any] = getattr(values, convert)()
            return found
    return list(values)


def thinned(columns: dict[str, list[Any]], most: int) -> dict[str, list[Any]]:
    """At most so many rows: the first five, and others evenly apart.

    >>> [len(values) for values in thinned({"a": list(range(1000))}, 200).values()]
    [200]
    >>> thinned({"a": [3, 4]}, 200)
    {'a': [3, 4]}
    """
    count = len(next(iter(columns.values())))
    if count <= most:
        return columns
    head, rest = 5, most - 5
    index = [*range(head), *(head + i * (count - head) // rest for i in range(rest))]
    return {name: [values[i] for i in index] for name, values in columns.items()}
