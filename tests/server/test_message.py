"""Requests are read and answers sent as they are, whichever way is the quick one."""

import asyncio
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airside.server.message import PIECES_AT_ONCE, Answer, Message, Request, send_answer


def sent(answer: Answer, *, is_head: bool = False) -> tuple[dict[bytes, bytes], list[Message]]:
    """The headers of an answer, and the messages of its body."""
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    asyncio.run(send_answer(answer, send, is_head=is_head))
    return dict(messages[0]["headers"]), messages[1:]


@pytest.mark.parametrize("count", [1, PIECES_AT_ONCE, PIECES_AT_ONCE + 1, 3 * PIECES_AT_ONCE])
def test_pieces_arrive_whole_in_order_and_with_their_length(count: int) -> None:
    pieces = tuple(b"%d," % number for number in range(count))
    headers, body = sent(Answer(200, pieces))
    assert b"".join(pieces) == b"".join(message["body"] for message in body)
    assert b"%d" % len(b"".join(pieces)) == headers[b"content-length"]
    assert [True] * (len(body) - 1) + [False] == [message["more_body"] for message in body]


@pytest.mark.parametrize("body", [b"abc", (b"a", b"bc")])
def test_to_head_the_length_is_told_and_nothing_sent(body: Any) -> None:
    headers, messages = sent(Answer(200, body), is_head=True)
    assert (headers[b"content-length"], [message["body"] for message in messages]) == (b"3", [b""])


@given(st.text("ab=&%+;2é", max_size=12))
def test_a_query_is_read_as_python_reads_it(text: str) -> None:
    query = text.replace("é", "%C3%A9").replace("%+", "%2B")
    scope = {"method": "GET", "headers": [], "query_string": query.encode()}

    async def nothing() -> Message:
        return {}

    expected = parse_qs(query, keep_blank_values=True, errors="replace")
    if "\ufffd" not in str(expected):
        assert expected == Request(scope, nothing, "/", 1).query()
