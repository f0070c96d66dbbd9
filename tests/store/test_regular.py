"""Regular expressions: the same answers from both engines, and none that runs away."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.core.errors import Invalid
from airside.store.sql import regular
from airside.store.sql.regular import check_pattern, matches

patterns = st.text("ab.^*+?{}1,-]", max_size=6)


@given(patterns, st.text("ab\nc", max_size=12))
@settings(max_examples=50, deadline=None)
def test_both_engines_agree(pattern: str, text: str) -> None:
    try:
        check_pattern(pattern)
        re.compile(pattern)
    except (Invalid, re.error):
        return
    call, options, scalar = regular._compiled(pattern)

    assert matches(pattern, text) == call("match_substring_regex", [scalar(text)], options).as_py()


def test_a_pattern_that_would_run_away_goes_to_the_engine_that_cannot() -> None:
    for pattern in ("(a+)+b", "a*a*a*b", "a?a?a?b", "[a-z]+", "a|b", r"\d", "a$"):
        assert regular._quick(pattern) == (None, -1)
    assert not matches("(a+)+b", "a" * 50_000)
    assert matches("a*b", "a" * 50_000 + "b")


def test_patterns_that_cannot_be_read_are_told() -> None:
    for pattern in ("(", "*a", "a" * (regular.MAX_PATTERN + 1), "(?<name"):
        with pytest.raises(Invalid):
            check_pattern(pattern)
