"""The calendar: five fields, a time zone, the next fire. Pure.

A wall-clock time that does not exist (clocks go forward) fires at the next one that does; one that occurs twice fires
once, the first time.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from airside.core.errors import Invalid
from airside.core.record import Record

_NAMES = {
    name: number
    for names, first in (("jan feb mar apr may jun jul aug sep oct nov dec", 1), ("sun mon tue wed thu fri sat", 0))
    for number, name in enumerate(names.split(), first)
}
_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
_ALIASES = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *"}
HORIZON_DAYS = 366 * 5


class Calendar(Record):
    """A cron expression, read. `either_day` is cron's rule: when day and weekday are both given, one is enough."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool

    def has_day(self, day: datetime) -> bool:
        """Whether it fires on this day at all."""
        by_day, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        wanted = (by_day or by_weekday) if self.either_day else (by_day and by_weekday)
        return day.month in self.months and wanted


@lru_cache(maxsize=256)
def parse(text: str) -> Calendar:
    """Read a cron expression.

    >>> sorted(parse("*/20 9-17 * * mon-fri").minutes)
    [0, 20, 40]

    Raises:
        Invalid: it is none.
    """
    fields = _ALIASES.get(text.strip(), text).split()
    if len(fields) != len(_FIELDS):
        raise Invalid(f"The cron expression '{text[:80]}' has {len(fields)} fields; it needs five, e.g. '0 6 * * mon'.")
    sets = [_field(field, name, low, high, text) for field, (name, low, high) in zip(fields, _FIELDS, strict=True)]
    return Calendar(
        minutes=sets[0],
        hours=sets[1],
        days=sets[2],
        months=sets[3],
        weekdays=frozenset(day % 7 for day in sets[4]),
        either_day=fields[2][0] != "*" and fields[4][0] != "*",
    )


def _field(field: str, name: str, low: int, high: int, text: str) -> frozenset[int]:
    numbers: set[int] = set()
    for part in field.lower().split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        try:
            begin = low if first == "*" else _number(first)
            end = high if first == "*" or (step and not last) else _number(last or first)
            stride = int(step or 1)
        except ValueError:
            begin, end, stride = 1, 0, 1
        if not (low <= begin <= end <= high and stride > 0):
            raise Invalid(f"'{part[:40]}' is no {name} ({low}-{high}) in the cron expression '{text[:80]}'.")
        numbers |= set(range(begin, end + 1, stride))
    return frozenset(numbers)


def _number(text: str) -> int:
    return _NAMES[text] if text in _NAMES else int(text)


def zone(name: str) -> ZoneInfo:
    """A time zone.

    Raises:
        Invalid: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Invalid(f"No time zone '{name[:80]}'. Name one of the IANA database, e.g. Europe/Zurich.") from None


def next_fire(text: str, time_zone: str, after: datetime) -> datetime | None:
    """The first time after an instant; None when there is none within five years (the 30th of February).

    >>> next_fire("0 6 * * *", "UTC", datetime(2026, 1, 1, 6, tzinfo=UTC)).isoformat()
    '2026-01-02T06:00:00+00:00'
    >>> next_fire("30 2 * * *", "Europe/Zurich", datetime(2026, 3, 28, 12, tzinfo=UTC)).isoformat()
    '2026-03-29T01:00:00+00:00'
    """
    calendar, place = parse(text), zone(time_zone)
    day = after.astimezone(place).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    for _ in range(HORIZON_DAYS):
        if calendar.has_day(day):
            for hour in sorted(calendar.hours):
                for minute in sorted(calendar.minutes):
                    instant = _instant(day.replace(hour=hour, minute=minute), place)
                    if instant > after:
                        return instant
        day += timedelta(days=1)
    return None


def _instant(wall: datetime, place: ZoneInfo) -> datetime:
    """The instant of a wall-clock time: the first of two, or the end of the gap in which it does not exist."""
    there = wall.replace(tzinfo=place, fold=0)
    instant = there.astimezone(UTC)
    if instant.astimezone(place).replace(tzinfo=None) == wall:
        return instant
    # In a gap: both folds miss; the clock jumps at the instant where the offset changes.
    low, high = wall.replace(tzinfo=place, fold=1).astimezone(UTC), instant
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        before = middle.astimezone(place).utcoffset() == low.astimezone(place).utcoffset()
        low, high = (middle, high) if before else (low, middle)
    return high.replace(microsecond=0)
