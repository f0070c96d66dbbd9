"""Rows by segment: the levels of a column, the ranges of a number, intersections of columns."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from airside.quality.measures.arrays import AnyArray, Bools, Columns, is_missing

MOST_LEVELS = 100


def segments(
    columns: Columns, names: Sequence[str], cuts: Mapping[str, Sequence[float]] | None = None
) -> Iterator[tuple[str, Bools]]:
    """Each segment of each column: its name and which rows belong to it.

    Args:
        columns: the table.
        names: which columns; `SEX&DIS` is the intersection of two.
        cuts: where to cut the numbers of a column: 25, 35 makes `<25`, `25-35` (35 excluded) and `≥35`.

    >>> table = {"SEX": np.array([1, 2, 2]), "AGE": np.array([20, 30, 40])}
    >>> [(name, int(rows.sum())) for name, rows in segments(table, ["SEX", "AGE"], {"AGE": [25, 35]})]
    [('SEX=1', 1), ('SEX=2', 2), ('AGE=<25', 1), ('AGE=25-35', 1), ('AGE=≥35', 1)]
    """
    for name in names:
        parts = [list(_of_column(part, columns[part], (cuts or {}).get(part))) for part in name.split("&")]
        yield from _crossed(name, parts)


def _crossed(name: str, parts: list[list[tuple[str, Bools]]]) -> Iterator[tuple[str, Bools]]:
    found = parts[0]
    for others in parts[1:]:
        found = [(f"{left}&{right}", rows & more) for left, rows in found for right, more in others]
    for label, rows in found:
        if rows.any():
            yield f"{name}={label}", rows


def _of_column(name: str, values: AnyArray, cuts: Sequence[float] | None) -> Iterator[tuple[str, Bools]]:
    missing = is_missing(values)
    if cuts:
        yield from _ranges(values.astype(np.float64), list(cuts))
    else:
        levels = sorted(set(values[~missing].tolist()), key=lambda one: (str(type(one)), one))
        if len(levels) > MOST_LEVELS:
            text = f"'{name}' has {len(levels)} levels; a column of segments has at most {MOST_LEVELS}. Cut it: cuts="
            raise ValueError(text)
        for level in levels:
            yield str(level), values == level
    if missing.any():
        yield "missing", missing


def _ranges(values: AnyArray, cuts: list[float]) -> Iterator[tuple[str, Bools]]:
    yield f"<{cuts[0]:g}", values < cuts[0]
    for low, high in pairwise(cuts):
        yield f"{low:g}-{high:g}", (values >= low) & (values < high)
    yield f"≥{cuts[-1]:g}", values >= cuts[-1]
