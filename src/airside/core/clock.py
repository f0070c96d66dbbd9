"""Time and chance, passed in, so that tests own both."""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock:
    """The machine's time. Tests pass a `FixedClock`."""

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC."""
        return time.time_ns() // 1_000_000

    def now(self) -> datetime:
        """The same instant, aware, to the millisecond."""
        return from_ms(self.now_ms())


class FixedClock(Clock):
    """A clock that moves only when told to.

    >>> clock = FixedClock(1_000)
    >>> clock.advance(seconds=2)
    >>> clock.now_ms()
    3000
    """

    def __init__(self, start_ms: int = 1_750_000_000_000) -> None:
        self._now_ms = start_ms

    def now_ms(self) -> int:
        """The instant that the test set."""
        return self._now_ms

    def advance(self, *, seconds: float) -> None:
        """Let time pass."""
        self._now_ms += round(seconds * 1000)


FIRST_MS, LAST_MS = -62_135_510_400_000, 253_402_214_400_000
"""A day inside of what `datetime` can tell, so that every time zone has a date for it; clients name any time."""


def from_ms(ms: int) -> datetime:
    """The instant of an integer of milliseconds; one that no calendar has is the first or the last that has a date.

    >>> from_ms(1500).isoformat()
    '1970-01-01T00:00:01.500000+00:00'
    >>> from_ms(2**63 - 1).year
    9999
    """
    return EPOCH + timedelta(milliseconds=min(max(ms, FIRST_MS), LAST_MS))


def to_ms(instant: datetime) -> int:
    """Milliseconds since 1970 of an aware instant.

    >>> to_ms(from_ms(1_750_000_000_123))
    1750000000123
    """
    return (instant - EPOCH) // timedelta(milliseconds=1)


RandomBytes = Callable[[int], bytes]
system_random: RandomBytes = secrets.token_bytes
