"""Regular expressions that end in time linear in the text: RE2, as pyarrow brings it.

Python's own would let one search hold a reader for hours; SQLite has none. Loaded at the first `RLIKE`.
"""

from functools import lru_cache
from typing import Any

from airside.core.errors import Invalid

MAX_PATTERN = 1000


def check_pattern(pattern: str) -> None:
    """Refuse what is no regular expression.

    Raises:
        Invalid: it cannot be compiled, or is too long.

    >>> check_pattern("^a.*b$")
    """
    if len(pattern) > MAX_PATTERN:
        raise Invalid(f"A regular expression has at most {MAX_PATTERN} characters, got {len(pattern)}.")
    matches(pattern, "")


def matches(pattern: str, text: object) -> bool:
    """Whether a regular expression is found in a text. SQLite's `REGEXP`.

    >>> matches("b.d", "abcde"), matches("^b", "ab"), matches("a", None)
    (True, False, False)

    Raises:
        Invalid: the pattern cannot be compiled.
    """
    if not isinstance(text, str):
        return False
    call, options, scalar = _compiled(pattern)
    found = call("match_substring_regex", [scalar(text)], options)
    return bool(found.as_py())


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
