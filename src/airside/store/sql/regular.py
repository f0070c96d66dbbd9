"""Regular expressions that end in bounded time.

SQLite has none of its own. Python's take a microsecond a row, but some patterns would hold a reader for hours; RE2, as
pyarrow brings it, is linear in the text, but takes a hundred. So patterns that cannot run away (no groups, hardly any
repetition) go to Python's engine while the text is short, all others to RE2, which is loaded when it is needed.
"""

import re
from functools import lru_cache
from typing import Any

from airside.core.errors import Invalid

MAX_PATTERN = 1000
SHORT = {0: 1 << 20, 1: 4000, 2: 300}
"""How long a text may be for Python's engine, by the number of repetitions: at most some 10 million steps."""
_REPEATS = re.compile(r"[*+?{]")


def check_pattern(pattern: str) -> None:
    """Refuse what is no regular expression.

    Raises:
        Invalid: it cannot be compiled, or is too long.

    >>> check_pattern("^a.*b$")
    """
    if len(pattern) > MAX_PATTERN:
        raise Invalid(f"A regular expression has at most {MAX_PATTERN} characters, got {len(pattern)}.")
    if _quick(pattern)[0] is None:
        _compiled(pattern)


def matches(pattern: str, text: object) -> bool:
    """Whether a regular expression is found in a text. SQLite's `REGEXP`.

    >>> matches("b.d", "abcde"), matches("^b", "ab"), matches("a", None)
    (True, False, False)

    Raises:
        Invalid: the pattern cannot be compiled.
    """
    if not isinstance(text, str):
        return False
    quick, longest = _quick(pattern)
    if quick is not None and len(text) <= longest:
        return quick.search(text) is not None
    call, options, scalar = _compiled(pattern)
    found = call("match_substring_regex", [scalar(text)], options)
    return bool(found.as_py())


@lru_cache(maxsize=256)
def _quick(pattern: str) -> tuple[re.Pattern[str] | None, int]:
    """Python's form of a pattern that cannot run away, and how long a text it may search."""
    longest = SHORT.get(len(_REPEATS.findall(pattern)), -1)
    if longest < 0 or any(character in pattern for character in "(\\$[|"):
        return None, -1
    try:
        return re.compile(pattern, re.ASCII), longest
    except re.error:
        return None, -1


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> tuple[Any, Any, Any]:
    import pyarrow as pa  # noqa: PLC0415 -- heavy, and only this adapter of it is used here
    import pyarrow.compute as pc  # noqa: PLC0415

    options = pc.MatchSubstringOptions(pattern)
    try:
        pc.call_function("match_substring_regex", [pa.scalar("")], options)
    except pa.ArrowInvalid as error:
        raise Invalid(f"The regular expression {pattern[:200]!r} cannot be read: {str(error)[:200]}") from error
    return pc.call_function, options, pa.scalar
