"""Lists in pages: sizes and tokens."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.core.errors import Invalid
from airside.core.paging import cut, number_in, page_size


@pytest.mark.parametrize("asked", [0, -1, 11])
def test_a_page_of_nothing_or_of_too_much_is_refused(asked: int) -> None:
    with pytest.raises(Invalid, match=r"between 1 and 10\."):
        page_size(asked, 10)


@pytest.mark.parametrize("token", ["x", "-1", "1.5", "²", "1" * 19])
def test_a_token_that_is_no_number_is_refused(token: str) -> None:
    with pytest.raises(Invalid, match="is no page token"):
        number_in(token, 0)


@given(items=st.lists(st.integers(0, 99), unique=True, max_size=20).map(sorted), size=st.integers(1, 7))
@settings(max_examples=50, deadline=None)
def test_page_by_page_every_item_comes_once_and_in_order(items: list[int], size: int) -> None:
    seen: list[int] = []
    token = ""
    while True:
        behind = number_in(token, -1)
        page, token = cut([item for item in items if item > behind][: size + 1], size, lambda last: last)
        seen += page
        if not token:
            break
    assert seen == items
