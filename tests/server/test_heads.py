"""Heads that come again: whatever a client sends, however it is cut, is answered as if no head were ever remembered."""

import asyncio
import re
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.server.connection import Connection, Limits
from airside.server.heads import MAX_BODY_BYTES, MAX_HEADS, Heads
from airside.server.message import Receive, Scope, Send

HEAD = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: %b\r\nAccept: */*\r\n\r\n"
ODD = (
    b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 05\r\nAccept: */*\r\n\r\nhello",
    b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
    b"POST /a HTTP/1.1\r\nHost: x\r\nX-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
    b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi",
    b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nhi",
    b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nhi",
    b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: x\r\nFolded: a\r\n b\r\nContent-Length: 2\r\n\r\nhi",
    b"POST /a HTTP/1.1\nHost: x\nContent-Length: 2\n\nhi\r\n\r\n",
    b"POST /a HTTP/1.0\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi",
    b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\r\nPOST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi",
    b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\nhi",
    b"no HTTP at all\r\n\r\n",
)


def plain(body: bytes) -> bytes:
    return HEAD % str(len(body)).encode() + body


class Wire:
    """A transport that keeps what is written, and gives nothing to a connection that does not read."""

    def __init__(self) -> None:
        self.sent, self.is_closed, self.is_paused = b"", False, False

    def get_extra_info(self, _name: str) -> None:
        return None

    def write(self, data: bytes) -> None:
        self.sent += data

    def writelines(self, pieces: Any) -> None:
        self.sent += b"".join(pieces)

    def can_write_eof(self) -> bool:
        return False

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    abort = close

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    text = repr((scope["method"], scope["path"], scope["http_version"], scope["headers"], body)).encode()
    length = (b"content-length", b"%d" % len(text))
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": text})


def answers(pieces: list[bytes], *, looks_after: int = -1) -> bytes:
    """What a connection says to some pieces, one after another."""

    async def talk() -> bytes:
        connection, wire = Connection(echo, set(), Limits()), Wire()
        connection.connection_made(wire)  # type: ignore[arg-type]  # as much of a transport as it uses
        for number, piece in enumerate(pieces):
            if wire.is_closed or wire.is_paused:
                break
            connection.data_received(piece)
            for _ in range(6):
                await asyncio.sleep(0)
            if number == looks_after:
                connection.look(asyncio.get_running_loop().time())
        connection.connection_lost(None)
        await asyncio.sleep(0)
        return re.sub(rb"date: [^\r]+\r\n", b"", wire.sent)

    return asyncio.run(talk())


def forgetful(pieces: list[bytes]) -> bytes:
    """The same of a connection that remembers nothing."""
    with patch.object(Heads, "find", lambda _self, _data: None):
        return answers(pieces)


REQUESTS = st.lists(st.one_of(st.binary(max_size=30).map(plain), st.sampled_from(ODD)), min_size=2, max_size=6)


@settings(max_examples=50, deadline=None)
@given(requests=REQUESTS, cuts=st.lists(st.integers(0, 400), max_size=6), looks_after=st.integers(-1, 5))
def test_it_answers_as_if_no_head_were_remembered(requests: list[bytes], cuts: list[int], looks_after: int) -> None:
    stream = b"".join(requests)
    ends = sorted({len(stream), *(cut for cut in cuts if 0 < cut < len(stream))})
    pieces = [stream[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    assert forgetful(pieces) == answers(pieces, looks_after=looks_after)


@pytest.mark.parametrize("odd", ODD)
def test_whatever_came_before_the_next_request_is_read_as_it_stands(odd: bytes) -> None:
    pieces = [plain(b"one"), odd, plain(b"two"), odd, HEAD % b"5", b"three"]
    assert forgetful(pieces) == answers(pieces)


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        (b"POST / HTTP/1.1\nx: y\r\nContent-Length: 2\r\n\r\nhi", [(b"x", b"y")]),
        (b"POST / HTTP/1.1\r\nx: y\r\n z\r\nContent-Length: 2\r\n\r\nhi", [(b"x", b"y z")]),
        (b"\r\nPOST / HTTP/1.1\r\nx: y\r\nContent-Length: 2\r\n\r\nhi", [(b"x", b"y")]),
        (b"POST / HTTP/1.1\r\nX-Length: 2\r\nContent-Length: 2\r\n\r\nhi", [(b"x-length", b"2")]),
        (b"POST / HTTP/1.1\r\nExpect: y\r\nContent-Length: 2\r\n\r\nhi", [(b"expect", b"y")]),
        (b"POST / HTTP/1.1\r\nContent-length : 3\r\nContent-Length: 2\r\n\r\nhi", [(b"content-length", b"3")]),
    ],
)
def test_a_head_that_could_be_read_in_two_ways_is_not_kept(data: bytes, fields: list[tuple[bytes, bytes]]) -> None:
    heads = Heads()
    heads.learn(data, {"headers": [*fields, (b"content-length", b"2")]})
    assert heads.find(data) is None


def test_a_head_is_remembered_with_any_length_and_its_body_may_come_apart() -> None:
    with patch.object(Connection, "_parse", autospec=True, side_effect=Connection._parse) as parse:
        said = answers([plain(b"one"), plain(b"longer than ten"), HEAD % b"3", b"two"])
    assert said.count(b"HTTP/1.1 200") == 3
    assert parse.call_count == 1


def test_what_is_held_for_its_body_goes_to_the_parser_when_nothing_follows() -> None:
    with patch.object(Connection, "_parse", autospec=True, side_effect=Connection._parse) as parse:
        answers([plain(b"one"), HEAD % b"3"], looks_after=1)
    assert parse.call_count == 2


def test_few_heads_are_kept_and_no_large_bodies_wait() -> None:
    heads = Heads()
    for number in range(3 * MAX_HEADS):
        name = (b"x", str(number).encode())
        data = b"POST / HTTP/1.1\r\nx: %b\r\nContent-Length: 0\r\n\r\n" % name[1]
        heads.learn(data, {"headers": [name, (b"content-length", b"0")]})
    assert heads.find(data) is not None
    assert heads.find(data.replace(b"h: 0", b"h: %d" % (MAX_BODY_BYTES + 1))) is None
    assert len(heads._known) <= MAX_HEADS
