"""Ranges and conditions, as RFC 9110 has them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.server.ranges import MAX_RANGES, NoSuchRange, is_failed, is_unchanged, spans


@given(st.integers(0, 50), st.integers(0, 60), st.integers(0, 60))
@settings(max_examples=50)
def test_a_range_lies_in_the_file_or_there_is_none(size: int, first: int, length: int) -> None:
    try:
        found = spans(f"bytes={first}-{first + length}", size)
    except NoSuchRange:
        assert first >= size
    else:
        assert found == ((first, min(size, first + length + 1)),)


WHOLE = ["bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "lines=1-2", "bytes=1-2;3-4", "bytes=--1", "bytes=+1-2"]


@pytest.mark.parametrize("header", [*WHOLE, "bytes=" + ",".join("0-0" for _ in range(MAX_RANGES + 1)), "bytes=0-5,3-9"])
def test_what_is_no_range_or_too_many_is_the_whole(header: str) -> None:
    assert spans(header, 10) == ()


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=-0", "bytes=99-100,50-"])
def test_behind_the_end_there_is_nothing(header: str) -> None:
    with pytest.raises(NoSuchRange):
        spans(header, 10)


def test_several_ranges_keep_their_order() -> None:
    assert spans("bytes=5-6,0-1,-2", 10) == ((5, 7), (0, 2), (8, 10))


@pytest.mark.parametrize(
    ("headers", "is_same"),
    [
        ({b"if-none-match": b'"a"'}, True),
        ({b"if-none-match": b'W/"a", "b"'}, True),
        ({b"if-none-match": b"*"}, True),
        ({b"if-none-match": b'"b"'}, False),
        ({b"if-modified-since": b"Thu, 01 Jan 1970 00:01:40 GMT"}, True),
        ({b"if-modified-since": b"Thu, 01 Jan 1970 00:01:39 GMT"}, False),
        ({b"if-modified-since": b"yesterday"}, False),
        ({b"if-none-match": b'"b"', b"if-modified-since": b"Thu, 01 Jan 1970 00:01:40 GMT"}, False),
        ({}, False),
    ],
)
def test_what_a_caller_has_already_is_not_sent_again(headers: dict[bytes, bytes], is_same: bool) -> None:
    assert is_unchanged(headers, '"a"', 100) is is_same


@pytest.mark.parametrize(
    ("headers", "fails"),
    [
        ({b"if-match": b'"a"'}, False),
        ({b"if-match": b"*"}, False),
        ({b"if-match": b'W/"a"'}, True),
        ({b"if-match": b'"b"'}, True),
        ({b"if-unmodified-since": b"Thu, 01 Jan 1970 00:01:39 GMT"}, True),
        ({b"if-unmodified-since": b"Thu, 01 Jan 1970 00:01:40 GMT"}, False),
        ({b"if-unmodified-since": b"?"}, False),
    ],
)
def test_a_caller_that_wants_another_content_is_told(headers: dict[bytes, bytes], fails: bool) -> None:
    assert is_failed(headers, '"a"', 100) is fails
