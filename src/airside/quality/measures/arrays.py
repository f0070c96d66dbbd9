"""Columns as arrays: what a measure takes, and what counts as missing."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
AnyArray = npt.NDArray[Any]
Columns = Mapping[str, AnyArray]
"""Column name → values; `None` and NaN are missing."""


def columns_of(table: Any) -> dict[str, AnyArray]:
    """The columns of a table as arrays: a pyarrow Table, a mapping of sequences, a pandas or Polars frame.

    >>> columns_of({"a": [1, 2]})["a"].tolist()
    [1, 2]
    """
    if hasattr(table, "column_names") and hasattr(table, "column"):  # pyarrow
        return {name: _of_arrow(table.column(name)) for name in table.column_names}
    if hasattr(table, "columns") and not isinstance(table, Mapping):  # pandas, Polars
        return {str(name): as_array(table[name].to_numpy()) for name in table.columns}
    return {str(name): as_array(values) for name, values in dict(table).items()}


def _of_arrow(column: Any) -> AnyArray:
    if column.null_count or not _is_plain(str(column.type)):
        return as_array(column.to_pylist())
    values: AnyArray = column.to_numpy()
    return values


def _is_plain(type_name: str) -> bool:
    return type_name in {"double", "float"} or type_name.startswith(("int", "uint"))


def as_array(values: Any) -> AnyArray:
    """Values as an array of numbers where they all are (None becomes NaN), else of objects.

    >>> as_array([1, None]).tolist(), as_array(["a", None]).tolist(), as_array([True, False]).dtype.kind
    ([1.0, nan], ['a', None], 'b')
    """
    array = np.asarray(values) if not isinstance(values, list | tuple) else _from_list(values)
    if array.dtype.kind in "biuf":
        return array
    return array.astype(object)


def _from_list(values: Any) -> AnyArray:
    present = [value for value in values if value is not None]
    if present and all(isinstance(value, bool | np.bool_) for value in present):
        return np.asarray(values, dtype=bool if len(present) == len(values) else object)
    if all(isinstance(value, int | float | np.number) and not isinstance(value, bool) for value in present):
        if len(present) == len(values):
            return np.asarray(values) if values else np.empty(0)
        return np.asarray([np.nan if value is None else value for value in values], dtype=np.float64)
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def is_missing(values: AnyArray) -> Bools:
    """Which values are null or NaN.

    >>> is_missing(as_array(["a", None])).tolist(), is_missing(np.array([1.0, np.nan])).tolist()
    ([False, True], [False, True])
    """
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind == "O":
        return np.fromiter((value is None or value != value for value in values), dtype=bool, count=len(values))  # noqa: PLR0124 -- NaN differs from itself
    return np.zeros(len(values), dtype=bool)


def numbers(values: AnyArray) -> tuple[Floats, int, int]:
    """The finite numbers, sorted, and how many values were missing and how many infinite.

    >>> numbers(np.array([2.0, np.nan, np.inf, 1.0]))
    (array([1., 2.]), 1, 1)
    """
    if values.dtype.kind == "O":
        values = np.asarray([np.nan if value is None else value for value in values], dtype=np.float64)
    floats = values.astype(np.float64)
    finite = floats[np.isfinite(floats)]
    missing = int(np.count_nonzero(np.isnan(floats)))
    return np.sort(finite), missing, len(floats) - len(finite) - missing


def level_counts(values: AnyArray) -> dict[Any, int]:
    """How many rows have each value that is not missing; plain Python values, smallest first where they compare.

    >>> level_counts(np.array([2, 1, 2])), level_counts(as_array(["b", None, "a"]))
    ({1: 1, 2: 2}, {'a': 1, 'b': 1})
    """
    present = values[~is_missing(values)]
    if present.dtype.kind == "O":
        counted: dict[Any, int] = {}
        for value in present:
            counted[value] = counted.get(value, 0) + 1
        return {level: counted[level] for level in sorted(counted, key=lambda one: (str(type(one)), one))}
    levels, rows = np.unique(present, return_counts=True)
    return dict(zip(levels.tolist(), rows.tolist(), strict=True))
