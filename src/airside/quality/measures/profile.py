"""The profile: a histogram over the quantiles of a reference. Merging is addition; KS is exact to 1/1,024.

A monitor has a reference, unlike a general sketch. Its order statistics are the edges, a frequent value has a cell of
its own (an atom), and 64 cells beyond either end catch what the reference has not seen. Cell i = (edge i-1, edge i].
"""

import base64
import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
from blake3 import blake3

from airside.core.column import Column
from airside.quality.measures import numbers
from airside.quality.measures.adjust import inflation
from airside.quality.measures.arrays import (
    AnyArray,
    Floats,
    Ints,
    columns_of,
    is_missing,
    level_counts,
)
from airside.quality.measures.arrays import numbers as numbers_of
from airside.quality.measures.drift import is_levels
from airside.quality.profiles import (
    Calibration,
    ColumnProfile,
    ColumnReference,
    Importance,
    NumberReference,
    Profile,
    Reference,
)

QUANTILES = 1_024
TAIL_CELLS = 64
TAIL_GROWTH = 1.25
MOST_LEVELS = 1_000
MOST_UNSEEN = 64


def pack(values: AnyArray) -> str:
    """An array as base64 of little-endian 64-bit values.

    >>> unpack_ints(pack(np.array([1, 2])))
    array([1, 2])
    """
    kind = "<i8" if values.dtype.kind in "iu" else "<f8"
    return base64.b64encode(values.astype(kind).tobytes()).decode()


def unpack_ints(text: str) -> Ints:
    """The counts of a packed array."""
    return np.frombuffer(base64.b64decode(text), dtype="<i8").astype(np.int64)


@lru_cache(maxsize=1024)
def unpack_floats(text: str) -> Floats:
    """The numbers of a packed array; read-only, and kept: every window is counted over the same edges."""
    return np.frombuffer(base64.b64decode(text), dtype="<f8").astype(np.float64, copy=False)


def reference_of(
    table: Any,
    columns: Sequence[Column],
    *,
    entity: AnyArray | None = None,
    importance: Sequence[Importance] = (),
    calibration: Calibration | None = None,
    of: str = "",
) -> Reference:
    """Profile a table, so that windows can be compared with it.

    Args:
        table: what counts as normal: a pyarrow Table, a frame, or a mapping of arrays.
        columns: which columns, and whether each is categorical; keys and ignored columns are left out.
        entity: the household (or other entity) of each row: tells how much each column's statistic is inflated
            for windows of whole entities.
        importance: how much the model needs each column.
        calibration: of the model's scores, from `estimated.fit`.
        of: what was profiled, e.g. `people@3`.
    """
    arrays = columns_of(table)
    used = [column for column in columns if column.name in arrays and column.role in {"feature", "label"}]
    profiled = tuple(_column_reference(column, arrays[column.name], entity) for column in used)
    digest = "b3:" + blake3(msgspec.json.encode([_identity(one) for one in profiled])).hexdigest()
    rows = len(next(iter(arrays.values()))) if arrays else 0
    return Reference(
        digest=digest,
        rows=rows,
        of=of,
        columns=profiled,
        importance=tuple(importance),
        calibration=calibration or Calibration(),
    )


def _identity(one: ColumnReference) -> tuple[object, ...]:
    """What counts must share to be added: the cells."""
    return (one.name, one.kind, one.number.edges if one.number else "", one.levels)


def _column_reference(column: Column, values: AnyArray, entity: AnyArray | None) -> ColumnReference:
    if is_levels(column, values):
        return _level_reference(column, values, entity)
    return _number_reference(column, values, entity)


def _level_reference(column: Column, values: AnyArray, entity: AnyArray | None) -> ColumnReference:
    counted = level_counts(values)
    kept = dict(sorted(counted.items(), key=lambda item: -item[1])[:MOST_LEVELS])
    names = [level for level in counted if level in kept]
    missing = is_missing(values)
    effect = 1.0
    if entity is not None and len(names) > 1:
        codes = {level: index for index, level in enumerate(names)}
        cells = np.array([codes.get(value, -1) for value in values[~missing].tolist()])
        effect = inflation(cells, entity[~missing])
    return ColumnReference(
        name=column.name,
        kind="levels",
        rows=len(values),
        missing=int(missing.sum()),
        inflation=effect,
        levels=tuple(names),
        level_counts=tuple(counted[level] for level in names),
    )


def _number_reference(column: Column, values: AnyArray, entity: AnyArray | None) -> ColumnReference:
    ordered, missing, infinite = numbers_of(values)
    edges = reference_edges(ordered)
    deciles = numbers.decile_edges(ordered)
    effect = 1.0
    if entity is not None and len(deciles) > 1:
        floats = _floats(values)
        finite = np.isfinite(floats)
        effect = inflation(np.searchsorted(deciles, floats[finite], "left"), entity[finite])
    return ColumnReference(
        name=column.name,
        kind="number",
        rows=len(values),
        missing=missing,
        infinite=infinite,
        inflation=effect,
        number=NumberReference(
            edges=pack(edges),
            counts=pack(numbers.cell_counts(ordered, edges)),
            deciles=pack(deciles),
            minimum=float(ordered[0]) if len(ordered) else None,
            maximum=float(ordered[-1]) if len(ordered) else None,
            mean=float(ordered.mean()) if len(ordered) else 0.0,
            deviation=float(ordered.std()) if len(ordered) else 0.0,
        ),
    )


def _floats(values: AnyArray) -> Floats:
    if values.dtype.kind == "O":
        return np.asarray([np.nan if value is None else value for value in values], dtype=np.float64)
    return values.astype(np.float64)


def reference_edges(ordered: Floats) -> Floats:
    """The edges of a reference's cells: quantiles, deciles, atoms, then tails on either side.

    >>> edges = reference_edges(np.arange(10.0))
    >>> bool((np.diff(edges) > 0).all()), len(edges) > 2 * TAIL_CELLS
    (True, True)
    """
    n = len(ordered)
    if not n:
        return np.empty(0)
    places = (np.arange(QUANTILES + 1) * (n - 1)) // QUANTILES
    values, rows = np.unique(ordered, return_counts=True)
    atoms = values[rows > n / QUANTILES]
    inner = np.concatenate((ordered[places], numbers.decile_edges(ordered), atoms, np.nextafter(atoms, -np.inf)))
    low, high = ordered[0], ordered[-1]
    quarter, three_quarters = ordered[n // 4], ordered[(3 * n) // 4]
    width = (three_quarters - quarter or high - low or abs(low) or 1.0) / TAIL_CELLS
    steps = np.cumsum(width * TAIL_GROWTH ** np.arange(TAIL_CELLS))
    below = np.append(low - steps[::-1], np.nextafter(low, -np.inf))
    edges: Floats = np.unique(np.concatenate((below, inner, high + steps)))
    return edges


def empty(reference: Reference) -> Profile:
    """The profile of no row."""
    return Profile(reference=reference.digest, columns=tuple(_empty(one) for one in reference.columns))


def _empty(one: ColumnReference) -> ColumnProfile:
    if one.number is None:
        return ColumnProfile(name=one.name, level_counts=(0,) * len(one.levels))
    return ColumnProfile(name=one.name, counts=pack(np.zeros(len(unpack_floats(one.number.edges)) + 1, dtype=np.int64)))


def count(reference: Reference, table: Any) -> Profile:
    """Count a window's rows against a reference. A column that the window lacks counts as missing in every row."""
    arrays = columns_of(table)
    rows = len(next(iter(arrays.values()))) if arrays else 0
    return Profile(
        reference=reference.digest,
        rows=rows,
        columns=tuple(_count_column(one, arrays.get(one.name), rows) for one in reference.columns),
    )


def _count_column(one: ColumnReference, values: AnyArray | None, rows: int) -> ColumnProfile:
    if values is None:
        return _replace(_empty(one), rows=rows, missing=rows)
    if one.number is None:
        return _count_levels(one, values)
    return _count_numbers(one, one.number, values)


def _count_levels(one: ColumnReference, values: AnyArray) -> ColumnProfile:
    counted = level_counts(values)
    known = tuple(counted.pop(level, 0) for level in one.levels)
    unseen = sorted(counted.items(), key=lambda item: -item[1])
    return ColumnProfile(
        name=one.name,
        rows=len(values),
        missing=int(is_missing(values).sum()),
        level_counts=known,
        unseen=tuple(unseen[:MOST_UNSEEN]),
        other=sum(rows for _, rows in unseen[MOST_UNSEEN:]),
    )


def _count_numbers(one: ColumnReference, number: NumberReference, values: AnyArray) -> ColumnProfile:
    ordered, missing, infinite = numbers_of(values)
    found = numbers.cell_counts(ordered, unpack_floats(number.edges))
    n = len(ordered)
    mean = float(ordered.mean()) if n else 0.0
    above = below = 0
    if number.maximum is not None and number.minimum is not None:
        above = n - int(np.searchsorted(ordered, number.maximum, "right"))
        below = int(np.searchsorted(ordered, number.minimum, "left"))
    return ColumnProfile(
        name=one.name,
        rows=len(values),
        missing=missing,
        infinite=infinite,
        counts=pack(found),
        minimum=float(ordered[0]) if n else None,
        maximum=float(ordered[-1]) if n else None,
        mean=mean,
        squares=float(((ordered - mean) ** 2).sum()),
        above=above,
        below=below,
    )


def _replace(one: ColumnProfile, **changes: Any) -> ColumnProfile:
    return ColumnProfile(**{name: getattr(one, name) for name in one.__struct_fields__} | changes)


def merge(left: Profile, right: Profile) -> Profile:
    """Two windows as one: addition, in any order.

    Raises:
        ValueError: they were counted against different references.
    """
    if left.reference != right.reference:
        text = f"Profiles over different references do not merge: {left.reference[:11]}… and {right.reference[:11]}…"
        raise ValueError(text)
    return Profile(
        reference=left.reference,
        rows=left.rows + right.rows,
        columns=tuple(_merge_columns(a, b) for a, b in zip(left.columns, right.columns, strict=True)),
    )


def _merge_columns(a: ColumnProfile, b: ColumnProfile) -> ColumnProfile:
    unseen: dict[Any, int] = {}
    for level, rows in (*a.unseen, *b.unseen):
        unseen[level] = unseen.get(level, 0) + rows
    most = sorted(unseen.items(), key=lambda item: (-item[1], str(item[0])))
    n, m = a.rows - a.missing - a.infinite, b.rows - b.missing - b.infinite
    apart = b.mean - a.mean
    return ColumnProfile(
        name=a.name,
        rows=a.rows + b.rows,
        missing=a.missing + b.missing,
        infinite=a.infinite + b.infinite,
        counts=pack(unpack_ints(a.counts) + unpack_ints(b.counts)) if a.counts else "",
        minimum=_extreme(min, a.minimum, b.minimum),
        maximum=_extreme(max, a.maximum, b.maximum),
        mean=a.mean + apart * m / (n + m) if n + m else 0.0,
        squares=a.squares + b.squares + (apart**2 * n * m / (n + m) if n + m else 0.0),
        above=a.above + b.above,
        below=a.below + b.below,
        level_counts=tuple(x + y for x, y in zip(a.level_counts, b.level_counts, strict=True)),
        unseen=tuple(most[:MOST_UNSEEN]),
        other=a.other + b.other + sum(rows for _, rows in most[MOST_UNSEEN:]),
    )


def _extreme(choose: Callable[[float, float], float], a: float | None, b: float | None) -> float | None:
    if a is None or b is None:
        return b if a is None else a
    return choose(a, b)


def levels_of(one: ColumnReference, found: ColumnProfile) -> tuple[dict[Any, int], dict[Any, int]]:
    """Both sides' counts of each level, the unseen ones included; further unseen ones as one level `(other)`."""
    current = dict(zip(one.levels, found.level_counts, strict=True)) | dict(found.unseen)
    if found.other:
        current["(other)"] = found.other
    return dict(zip(one.levels, one.level_counts, strict=True)), current


def ks_of(reference: Ints, current: Ints) -> float:
    """KS from counts over the same cells: exact at the edges, within 1/1,024 between them.

    >>> ks_of(np.array([1, 1]), np.array([2, 0]))
    0.5
    """
    n, m = int(reference.sum()), int(current.sum())
    if not n or not m:
        return 0.0
    return float(np.abs(np.cumsum(reference) / n - np.cumsum(current) / m).max())


def decile_counts(edges: Floats, deciles: Floats, counts: Ints) -> Floats:
    """The counts over the deciles' cells, of which each edge is an edge of the profile: exact."""
    until = np.searchsorted(edges, deciles, "left") + 1
    below = np.concatenate(([0], np.cumsum(counts)))
    return np.diff(np.concatenate(([0], below[until], [below[-1]]))).astype(np.float64)


def wasserstein_of(edges: Floats, reference: Ints, current: Ints) -> float:
    """Wasserstein-1 from counts: F - G is linear inside a cell. What lies beyond the last edges stands on them."""
    n, m = int(reference.sum()), int(current.sum())
    if not n or not m or len(edges) < 2:
        return 0.0
    gaps = (np.cumsum(reference) / n - np.cumsum(current) / m)[:-1]
    left, right, widths = gaps[:-1], gaps[1:], np.diff(edges)
    size = np.abs(left) + np.abs(right)
    crosses = left * right < 0
    areas = size / 2
    areas[crosses] = (left[crosses] ** 2 + right[crosses] ** 2) / (2 * size[crosses])
    return float((areas * widths).sum())


def quantiles(edges: Floats, counts: Ints, at: Sequence[float]) -> list[float]:
    """Quantiles of what was counted, linear inside a cell; NaN when nothing was.

    >>> quantiles(np.array([0.0, 1.0]), np.array([0, 10, 0]), [0.5])
    [0.5]
    """
    total = int(counts.sum())
    if not total or not len(edges):
        return [math.nan] * len(at)
    return [float(value) for value in np.interp(np.array(at) * total, np.cumsum(counts)[:-1], edges)]


def importance_of(reference: Reference) -> Mapping[str, Importance]:
    """The importance of each column, by name."""
    return {one.column: one for one in reference.importance}


__all__ = [
    "count",
    "decile_counts",
    "empty",
    "importance_of",
    "ks_of",
    "levels_of",
    "merge",
    "pack",
    "quantiles",
    "reference_edges",
    "reference_of",
    "unpack_floats",
    "unpack_ints",
    "wasserstein_of",
]
