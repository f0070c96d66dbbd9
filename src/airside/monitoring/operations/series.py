"""Series: figures that anybody pushes, with dimensions."""

import math
from datetime import datetime

from airside.core.clock import to_ms
from airside.core.errors import Invalid, NotFound, TooLarge
from airside.core.operation import Context, operation
from airside.core.record import Ask
from airside.monitoring import queries
from airside.monitoring.records import SeriesInfo, SeriesPage, SeriesPoint, SeriesPoints

MAX_POINTS = 10_000
MAX_NAME = 250
FOREVER_MS = 2**62


class PushSeries(Ask[SeriesInfo]):
    """Points of a series. The first push gives the series its unit."""

    name: str
    unit: str = "1"
    points: tuple[SeriesPoint, ...]


@operation("series.push", needs="series:write", audit="measure")
def push_series(ctx: Context, ask: PushSeries) -> SeriesInfo:
    """Append points to a series.

    Raises:
        Invalid: there is no name, no point, a value is not finite, or the unit is another than before.
        TooLarge: more points than one push may hold.
    """
    if not 0 < len(ask.name) <= MAX_NAME:
        raise Invalid(f"A series' name has 1 to {MAX_NAME} characters; this one has {len(ask.name)}.")
    if not ask.points:
        raise Invalid(f"No points were sent for the series '{ask.name}'. Send at least one.")
    if len(ask.points) > MAX_POINTS:
        raise TooLarge(f"{len(ask.points)} points were sent; one push holds at most {MAX_POINTS}.")
    wrong = next((point for point in ask.points if not math.isfinite(point.value)), None)
    if wrong is not None:
        raise Invalid(f"The series '{ask.name}' was sent {wrong.value} at {wrong.at.isoformat()}; values are finite.")
    unit = queries.put_series(ctx.tx, ask.name, ask.unit)
    if unit != ask.unit:
        raise Invalid(f"The series '{ask.name}' is in '{unit}'; the points were sent in '{ask.unit}'.")
    queries.add_points(ctx.tx, ask.name, ask.points)
    instants = sorted(point.at for point in ask.points)
    return SeriesInfo(name=ask.name, unit=unit, points=len(ask.points), first_at=instants[0], last_at=instants[-1])


class ListSeries(Ask[SeriesPage]):
    """All series."""


@operation("series.list", needs="series:read")
def list_series(ctx: Context, ask: ListSeries) -> SeriesPage:  # noqa: ARG001 -- it asks for all
    """The pushed series, by name."""
    return SeriesPage(items=tuple(queries.series_infos(ctx.tx)))


class ReadSeries(Ask[SeriesPoints]):
    """The newest points of a series in a span."""

    name: str
    from_at: datetime | None = None
    to_at: datetime | None = None
    max_results: int = 1_000


@operation("series.read", needs="series:read")
def read_series(ctx: Context, ask: ReadSeries) -> SeriesPoints:
    """Points of a series, oldest first.

    Raises:
        NotFound: there is no such series.
        Invalid: too many points are asked for.
    """
    if not 1 <= ask.max_results <= MAX_POINTS:
        raise Invalid(f"max_results is {ask.max_results}; it must be within 1 and {MAX_POINTS}.")
    unit = queries.series_unit(ctx.tx, ask.name)
    if unit is None:
        raise NotFound(f"No series '{ask.name}'. List them with: series.list")
    low = 0 if ask.from_at is None else to_ms(ask.from_at)
    high = FOREVER_MS if ask.to_at is None else to_ms(ask.to_at)
    found = queries.points(ctx.tx, ask.name, low, high, ask.max_results + 1)
    items = tuple(found[-ask.max_results :])
    return SeriesPoints(name=ask.name, unit=unit, items=items, is_complete=len(found) == len(items))
