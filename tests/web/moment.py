"""The time, the names and the ids of the records by hand."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from airside.core.clock import to_ms

NOW = datetime(2026, 11, 20, 14, 2, tzinfo=UTC)
HOSTILE = """"><script>alert(1)</script><img src=x onerror=alert(1)>'{{7*7}}${7*7}"""
RUN = "0191c0ffee7abc8d9e0f112233445566"
BLOB = "b3:" + "4f" * 32

Answer = Callable[[Any], Any]


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def ms(**span: float) -> int:
    return to_ms(ago(**span))
