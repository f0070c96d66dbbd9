"""The spark line: 96 × 24, at most 30 points, the last one a dot, the reference a dotted line."""

import math
from collections.abc import Sequence

from airside.core.record import Record

WIDTH, HEIGHT, MARGIN = 96, 24, 3
MAX_POINTS = 30
LEAST_SPAN = 0.02  # of the reference on either side, so that noise does not look like news


class Spark(Record):
    """A drawn spark line.

    Attributes:
        lines: one string of points for each stretch without a gap.
        last: where the last known point is.
        reference_y: where the reference is.
    """

    lines: tuple[str, ...] = ()
    last: tuple[float, float] | None = None
    reference_y: float | None = None
    width: int = WIDTH
    height: int = HEIGHT


def spark(values: Sequence[float | None], reference: float | None = None) -> Spark:
    """Lay out the last values of a series, oldest first. What is unknown or not finite is a gap.

    >>> spark([1.0, 2.0, 3.0]).lines
    ('3.0,21.0 48.0,12.0 93.0,3.0',)
    """
    recent = [value if value is not None and math.isfinite(value) else None for value in values[-MAX_POINTS:]]
    known = [value for value in recent if value is not None]
    if not known:
        return Spark()
    low, high = _range(known, reference)
    step = (WIDTH - 2 * MARGIN) / max(len(recent) - 1, 1)

    def y(value: float) -> float:
        return round(HEIGHT - MARGIN - (value - low) / (high - low) * (HEIGHT - 2 * MARGIN), 1)

    placed = [None if value is None else (round(MARGIN + i * step, 1), y(value)) for i, value in enumerate(recent)]
    return Spark(
        lines=tuple(" ".join(f"{x},{at}" for x, at in stretch) for stretch in _stretches(placed)),
        last=next(point for point in reversed(placed) if point is not None),
        reference_y=None if reference is None or not math.isfinite(reference) else y(reference),
    )


def _range(known: Sequence[float], reference: float | None) -> tuple[float, float]:
    """The values' own range, joined with the reference and 2 % on either side of it."""
    low, high = min(known), max(known)
    if reference is not None and math.isfinite(reference):
        room = abs(reference) * LEAST_SPAN
        low, high = min(low, reference - room), max(high, reference + room)
    if high - low <= 0:
        room = abs(low) * LEAST_SPAN or 1.0
        low, high = low - room, high + room
    return low, high


def _stretches(placed: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    """The runs of known points between gaps."""
    stretches: list[list[tuple[float, float]]] = [[]]
    for point in placed:
        if point is not None:
            stretches[-1].append(point)
        elif stretches[-1]:
            stretches.append([])
    return [stretch for stretch in stretches if len(stretch) > 1]
