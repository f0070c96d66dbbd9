"""A figure with what is known about its uncertainty."""

from airside.core.record import Record


class Estimate(Record):
    """A figure, its interval and what it rests on.

    Attributes:
        value: the figure, in `unit`.
        low, high: the ends of its interval at `level`; None where no interval is known.
        level: the coverage of the interval, e.g. 0.95.
        n: the rows (or entities) that it rests on.
        unit: `1` for a share or a pure number, else `s`, `ms`, `rows`, …
    """

    value: float
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    n: int = 0
    unit: str = "1"
