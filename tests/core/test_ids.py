"""Ids: of one form, sortable by time, never the same twice."""

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airside.core.clock import system_random
from airside.core.ids import PREFIXES, is_blob_id, new_hex, new_id

MILLIS = st.integers(0, 2**48 - 1)


@given(MILLIS, st.binary(min_size=10, max_size=10))
def test_an_id_is_a_uuid_of_version_7_that_holds_its_time(now_ms: int, chance: bytes) -> None:
    made = UUID(hex=new_hex(now_ms, lambda _: chance))
    assert (made.version, made.variant, made.int >> 80) == (7, "specified in RFC 4122", now_ms)


@given(MILLIS, MILLIS, st.binary(min_size=10, max_size=10), st.binary(min_size=10, max_size=10))
def test_ids_sort_by_the_time_they_were_made(a_ms: int, b_ms: int, a: bytes, b: bytes) -> None:
    first, second = new_hex(a_ms, lambda _: a), new_hex(b_ms, lambda _: b)
    if a_ms != b_ms:
        assert (first < second) == (a_ms < b_ms)


def test_ids_of_one_millisecond_differ() -> None:
    assert len({new_hex(1, system_random) for _ in range(1000)}) == 1000


@pytest.mark.parametrize("kind", PREFIXES)
def test_each_kind_is_told_by_its_prefix(kind: str) -> None:
    assert re.fullmatch(rf"{PREFIXES[kind]}-[0-9a-f]{{32}}", new_id(kind, 1, system_random))


def test_no_two_kinds_share_a_prefix() -> None:
    assert len(set(PREFIXES.values())) == len(PREFIXES)


@pytest.mark.parametrize(
    "text", ["", "b3:", "b3:" + "0" * 63, "b3:" + "A" * 64, "b3:" + "0" * 64 + "\n", "x" + "b3:" + "0" * 64]
)
def test_what_only_looks_like_a_blobs_id_is_none(text: str) -> None:
    assert not is_blob_id(text)
