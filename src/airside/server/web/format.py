"""Numbers, times and sizes as people read them: one place, so that a figure looks the same on every page.

Units always stand beside the figure; differences carry their sign; nothing missing is ever shown as 0.
"""

import math
from collections.abc import Iterable
from datetime import UTC, datetime

from airside.core.estimate import Estimate

MINUS = "\u2212"
DASH = "\u2014"
SPACE = "\u00a0"  # a figure and its unit stay on one line
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def decimals(values: Iterable[float | None]) -> int:
    """How many decimals a column needs for its differences to be visible.

    >>> decimals([0.871, 0.812, 0.934]), decimals([1204.0, 96.0]), decimals([0.8, 0.8]), decimals([])
    (3, 0, 3, 3)
    """
    finite = [value for value in values if value is not None and math.isfinite(value)]
    span = max(finite) - min(finite) if finite else 0.0
    if span <= 0:
        return 3 if not finite or abs(finite[0]) < 100 else 0
    return min(max(2 - math.floor(math.log10(span)), 0), 6)


def number(value: float | None, places: int = 3) -> str:
    """A figure with its decimals and grouped thousands.

    >>> number(-1234.5, 1), number(None), number(float("nan")), number(float("-inf")), number(1.7e308)
    ('−1,234.5', '—', 'not a number', '−∞', '1.7e+308')
    """
    if value is None:
        return DASH
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    text = f"{abs(value):,.{places}f}" if abs(value) < 1e15 else f"{abs(value):.3g}"
    return f"{MINUS}{text}" if value < 0 and text.strip("0.,") else text


def figure(value: float | None) -> str:
    """A figure on its own: four significant digits, an exponent only far away from 1.

    >>> figure(0.81234), figure(12345678.0), figure(0.0000123), figure(3.0), figure(0)
    ('0.8123', '12,345,678', '1.23e−05', '3', '0')
    """
    if value is None or not math.isfinite(value) or value == 0:
        return "0" if value == 0 else number(value)
    size = abs(value)
    if size >= 1e15 or size < 1e-4:
        return f"{value:.3g}".replace("-", MINUS)
    if float(value).is_integer():
        return number(value, 0)
    text = number(value, min(max(3 - math.floor(math.log10(size)), 0), 7))
    return text.rstrip("0").rstrip(".") if "." in text else text


def count(value: float | None) -> str:
    """A whole number with grouped thousands.

    >>> count(98352)
    '98,352'
    """
    return number(value, 0)


def compact(value: float | None) -> str:
    r"""A count for a tile: millions and billions are shortened, the page gives the full number in `title`.

    >>> compact(98352), compact(1_240_000), compact(2.5e9)
    ('98,352', '1.24\xa0M', '2.50\xa0G')
    """
    if value is None or not math.isfinite(value) or abs(value) < 1e6:
        return count(value)
    unit, size = ("G", 1e9) if abs(value) >= 1e9 else ("M", 1e6)
    return f"{number(value / size, 2)}{SPACE}{unit}"


def share(value: float | None, places: int = 1) -> str:
    r"""A share of one, in percent.

    >>> share(0.041), share(None)
    ('4.1\xa0%', '—')
    """
    return DASH if value is None else f"{number(value * 100, places)}{SPACE}%"


def signed(value: float | None, places: int = 3) -> str:
    """A difference: always with its sign.

    >>> signed(0.0214), signed(-0.5, 1), signed(0.0)
    ('+0.021', '−0.5', '±0.000')
    """
    if value is None or math.isnan(value):
        return number(value)
    text = number(abs(value), places)
    if not text.strip("0.,"):
        return f"±{text}"
    return f"{'+' if value > 0 else MINUS}{text}"


def points(difference: float | None, places: int = 1) -> str:
    r"""A difference of two shares, in percentage points.

    >>> points(-0.021)
    '−2.1\xa0pp'
    """
    return DASH if difference is None else f"{signed(difference * 100, places)}{SPACE}pp"


def estimate(value: Estimate | None, places: int | None = None) -> str:
    """A figure with its interval, the decimals chosen so that the interval can be read.

    >>> estimate(Estimate(value=0.8123, low=0.8061, high=0.8184))
    '0.812 [0.806, 0.818]'
    """
    if value is None:
        return DASH
    if value.low is None or value.high is None:
        return number(value.value, 3 if places is None else places)
    shown = max(decimals([value.low, value.high]) - 1, 3 if abs(value.value) < 10 else 0) if places is None else places
    return f"{number(value.value, shown)} [{number(value.low, shown)}, {number(value.high, shown)}]"


def duration(seconds: float | None) -> str:
    r"""A length of time in at most two units.

    >>> [duration(s) for s in (0.95, 12.4, 185, 8040, 273600)]
    ['950\xa0ms', '12.4\xa0s', '3\xa0min\xa005\xa0s', '2\xa0h\xa014\xa0min', '3\xa0d\xa04\xa0h']
    """
    if seconds is None or not math.isfinite(seconds):
        return number(seconds)
    if seconds < 0:
        return MINUS + duration(-seconds)
    if seconds < 0.9995:
        ms = seconds * 1000
        return f"{number(ms, 0 if ms >= 10 or ms == 0 else 1)}{SPACE}ms"
    if seconds < 59.95:
        return f"{number(seconds, 1)}{SPACE}s"
    return _long_duration(seconds)


def _long_duration(seconds: float) -> str:
    """From a minute on: two units."""
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}{SPACE}min{SPACE}{whole % 60:02d}{SPACE}s"
    minutes = round(seconds / 60)
    if minutes < 24 * 60:
        return f"{minutes // 60}{SPACE}h{SPACE}{minutes % 60:02d}{SPACE}min"
    hours = round(seconds / 3600)
    return f"{count(hours // 24)}{SPACE}d{SPACE}{hours % 24}{SPACE}h"


def milliseconds(value: float | None) -> str:
    r"""A length of time given in milliseconds.

    >>> milliseconds(12.04)
    '12\xa0ms'
    """
    return DASH if value is None else duration(value / 1000)


def size(n_bytes: float | None) -> str:
    r"""A size in binary units.

    >>> size(512), size(2048), size(3_500_000)
    ('512\xa0B', '2.0\xa0KiB', '3.3\xa0MiB')
    """
    if n_bytes is None:
        return DASH
    if n_bytes < 1024:
        return f"{count(n_bytes)}{SPACE}B"
    for unit, unit_bytes in (("KiB", 2**10), ("MiB", 2**20), ("GiB", 2**30)):
        if n_bytes < unit_bytes * 1023.95:
            return f"{number(n_bytes / unit_bytes, 1)}{SPACE}{unit}"
    return f"{number(n_bytes / 2**40, 1)}{SPACE}TiB"


def instant(at: datetime | None) -> str:
    """A point in time, in UTC; the zone is named once per page.

    >>> instant(datetime(2026, 11, 20, 14, 2, tzinfo=UTC))
    '20 Nov 2026, 14:02'
    """
    if at is None:
        return DASH
    utc = at.astimezone(UTC)
    return f"{utc.day} {MONTHS[utc.month - 1]} {utc.year}, {utc.hour:02d}:{utc.minute:02d}"


def day(at: datetime) -> str:
    """A day without its year, for the ends of an axis.

    >>> day(datetime(2026, 11, 20, 14, 2, tzinfo=UTC))
    '20 Nov'
    """
    utc = at.astimezone(UTC)
    return f"{utc.day} {MONTHS[utc.month - 1]}"


def since(at: datetime | None, now: datetime) -> str:
    r"""How long ago, under a day; else the point in time.

    >>> noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    >>> since(datetime(2026, 11, 20, 11, 48, tzinfo=UTC), noon), since(noon, noon)
    ('12\xa0min ago', 'just now')
    """
    if at is None:
        return DASH
    seconds = (now - at).total_seconds()
    if seconds < 0 or seconds >= 86_400:
        return instant(at)
    if seconds < 5:
        return "just now"
    if seconds < 60:
        return f"{int(seconds)}{SPACE}s ago"
    if seconds < 3600:
        return f"{int(seconds // 60)}{SPACE}min ago"
    return f"{int(seconds // 3600)}{SPACE}h ago"


def short(identity: str, length: int = 8) -> str:
    """The part of an id that tells it from its neighbours: ids begin with the time, chance is at the end.

    >>> short("al-0123456789ab7000800000001234abcd"), short("b3:" + "c" * 64), short("7")
    ('al-…1234abcd', 'b3:cccccccc…', '7')
    """
    if identity.startswith(("b3:", "sha256:")):
        prefix, _, digest = identity.partition(":")
        return f"{prefix}:{digest[:length]}…" if len(digest) > length else identity
    prefix, dash, rest = identity.rpartition("-")
    return identity if len(rest) <= length + 4 else f"{prefix}{dash}…{rest[-length:]}"


def plural(n: float, one: str, many: str = "") -> str:
    """A count with its noun.

    >>> plural(1, "model"), plural(3, "model"), plural(2, "delivery", "deliveries")
    ('1 model', '3 models', '2 deliveries')
    """
    return f"{count(n)} {one if n == 1 else many or one + 's'}"
