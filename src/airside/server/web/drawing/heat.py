"""The heat map, feature × window: classes relative to the threshold, rows by how far they exceed it."""

import math
from collections.abc import Mapping, Sequence

from airside.core.record import Record

MAX_ROWS, MAX_COLUMNS = 60, 240
CLASSES = (0.25, 0.5, 1.0, 2.0, 4.0)  # upper ends of h0 … h4, in thresholds; h5 is above


class HeatRow(Record):
    """A feature: its values by window, and their classes 0 … 5; None is missing."""

    name: str
    values: tuple[float | None, ...]
    classes: tuple[int | None, ...]
    exceedance: float


class Heat(Record):
    """A heat map, ready to be drawn.

    Attributes:
        columns: a label for each window; where windows were merged, that of the last.
        merged: how many windows one column holds, by their maximum.
        n_hidden: the rows beyond the limit, all below those shown.
    """

    columns: tuple[str, ...]
    rows: tuple[HeatRow, ...]
    merged: int = 1
    n_hidden: int = 0


def heat_class(value: float | None, threshold: float) -> int | None:
    """The class of a value: below the threshold 0, 1, 2 (blue), from it on 3, 4, 5 (orange).

    >>> [heat_class(v, 0.1) for v in (0.0, 0.03, 0.09, 0.1, 0.25, 0.4, None)]
    [0, 1, 2, 3, 4, 5, None]
    """
    if value is None or math.isnan(value):
        return None
    if threshold <= 0:
        return 0 if value <= 0 else 5
    return sum(value >= end * threshold for end in CLASSES)


def heat(columns: Sequence[str], rows: Mapping[str, Sequence[float | None]], threshold: float) -> Heat:
    """Arrange a heat map.

    Args:
        columns: the windows' labels, oldest first.
        rows: for each feature a value for each window.
        threshold: where orange begins.
    """
    merged = max(math.ceil(len(columns) / MAX_COLUMNS), 1)
    made = [_row(name, _merge(values, merged), threshold) for name, values in rows.items()]
    made.sort(key=lambda row: (-row.exceedance, row.name))
    ends = [columns[min(i + merged, len(columns)) - 1] for i in range(0, len(columns), merged)]
    return Heat(columns=tuple(ends), rows=tuple(made[:MAX_ROWS]), merged=merged, n_hidden=max(len(made) - MAX_ROWS, 0))


def _row(name: str, values: Sequence[float | None], threshold: float) -> HeatRow:
    over = sum(max(value - threshold, 0.0) for value in values if value is not None and math.isfinite(value))
    classes = tuple(heat_class(value, threshold) for value in values)
    return HeatRow(name=name, values=tuple(values), classes=classes, exceedance=over)


def _merge(values: Sequence[float | None], size: int) -> list[float | None]:
    """Neighbours joined by their maximum."""
    groups = [[v for v in values[i : i + size] if v is not None] for i in range(0, len(values), size)]
    return [max(group) if group else None for group in groups]
