"""The connection: what is read, how answers leave, and when it ends. Against a small application, on raw sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from airside.server.connection import IDLE_S, MAX_HEAD_BYTES, Connection, Limits
from airside.server.exchange import MAX_UNWANTED_BYTES
from airside.server.listener import Listener
from airside.server.message import Receive, Scope, Send

GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
TYPE = (b"content-type", b"text/plain")


async def whole_body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError
        body += message["body"]
        more = message["more_body"]
    return body


async def tell(send: Send, text: bytes, *, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    length = (b"content-length", str(len(text)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [TYPE, length, *headers]})
    await send({"type": "http.response.body", "body": text})


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Say the method, the path and the body."""
    body = await whole_body(receive)
    text = b"%b %b %b" % (scope["method"].encode(), scope["path"].encode(), body)
    await tell(send, b"" if scope["method"] == "HEAD" else text)


async def pieces(_scope: Scope, receive: Receive, send: Send) -> None:
    """An answer whose length is not known."""
    await whole_body(receive)
    await send({"type": "http.response.start", "status": 200, "headers": [TYPE]})
    for piece in (b"one", b"", b"two"):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


class Client:
    """A raw client, and the listener that it talks to."""

    def __init__(self, listener: Listener, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.listener, self.reader, self.writer = listener, reader, writer

    @property
    def connection(self) -> Connection:
        return next(iter(self.listener.connections))

    async def ask(self, sent: bytes) -> bytes:
        """Send; the head and the body of one answer with a length."""
        self.writer.write(sent)
        return await self.answer()

    async def answer(self) -> bytes:
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        return head + await self.reader.readexactly(length)

    async def rest(self) -> bytes:
        """Everything until the connection ends."""
        return await asyncio.wait_for(self.reader.read(), 20)


async def until(holds: Callable[[], bool]) -> None:
    """Let the others work until something holds."""
    while not holds():  # noqa: ASYNC110 -- what is waited for tells nobody
        await asyncio.sleep(0.001)


async def ended(reader: asyncio.StreamReader) -> bool:
    """Whether the connection ends without a byte."""
    try:
        return await reader.read() == b""
    except ConnectionResetError:
        return True


@asynccontextmanager
async def client_of(app: Any, *, max_connections: int = 10) -> AsyncIterator[Client]:
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setblocking(False)
    listener = Listener(app, limits=Limits(connections=max_connections))
    await listener.listen(listening)
    reader, writer = await asyncio.open_connection(*listening.getsockname())
    await until(lambda: bool(listener.connections))
    try:
        yield Client(listener, reader, writer)
    finally:
        writer.close()
        await listener.drain(5)


def talk(app: Any, talking: Callable[[Client], Awaitable[None]], **options: int) -> None:
    async def run() -> None:
        async with client_of(app, **options) as client:
            await asyncio.wait_for(talking(client), 30)

    asyncio.run(run())


def test_a_kept_connection_answers_one_request_after_another() -> None:
    async def talking(client: Client) -> None:
        for number in range(3):
            sent = b"POST /n%d HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi" % number
            assert (await client.ask(sent)).endswith(b"\r\n\r\nPOST /n%d hi" % number)

    talk(echo, talking)


def test_an_answer_has_a_date_and_leaves_in_one_write() -> None:
    async def talking(client: Client) -> None:
        client.writer.write(GET)
        first = await client.reader.read(65536)
        assert b"\r\ndate: " in first
        assert first.endswith(b"GET /a ")

    talk(echo, talking)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_request_may_come_in_pieces_of_any_size(size: int) -> None:
    sent = b"PUT /a%20b HTTP/1.1\r\nHost: x\r\nX-Long: " + b"y" * 500 + b"\r\nContent-Length: 5\r\n\r\nhello"

    async def talking(client: Client) -> None:
        for start in range(0, len(sent), size):
            client.writer.write(sent[start : start + size])
            await client.writer.drain()
            await asyncio.sleep(0)
        assert (await client.answer()).endswith(b"PUT /a b hello")

    talk(echo, talking)


def test_requests_sent_ahead_are_answered_in_their_order() -> None:
    async def talking(client: Client) -> None:
        client.writer.write(b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(20)))
        for number in range(20):
            assert (await client.answer()).endswith(b"GET /%d " % number)

    talk(echo, talking)


def test_more_requests_ahead_than_may_wait_end_the_connection() -> None:
    async def talking(client: Client) -> None:
        client.writer.write(GET * 500)
        await client.rest()

    talk(echo, talking)


def test_an_answer_of_unknown_length_is_chunked() -> None:
    async def talking(client: Client) -> None:
        client.writer.write(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        answer = await client.rest()
        assert b"transfer-encoding: chunked\r\n" in answer
        assert answer.endswith(b"\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")

    talk(pieces, talking)


def test_to_an_old_client_the_end_of_the_connection_tells_the_length() -> None:
    async def talking(client: Client) -> None:
        client.writer.write(b"GET /a HTTP/1.0\r\nHost: x\r\n\r\n")
        assert (await client.rest()).endswith(b"connection: close\r\n\r\nonetwo")

    talk(pieces, talking)


def test_head_has_the_length_and_no_body() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        await send({"type": "http.response.body", "body": b""})

    async def talking(client: Client) -> None:
        client.writer.write(GET.replace(b"GET", b"HEAD") * 2)
        for _ in range(2):
            assert b"content-length: 5\r\n" in await client.reader.readuntil(b"\r\n\r\n")

    talk(app, talking)


def test_a_body_waits_for_whoever_takes_it() -> None:
    go = asyncio.Event()

    async def slow(_scope: Scope, receive: Receive, send: Send) -> None:
        await go.wait()
        await tell(send, b"%d" % len(await whole_body(receive)))

    async def talking(client: Client) -> None:
        size = 16 << 20
        client.writer.write(b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size)
        client.writer.write(b"x" * size)
        await until(lambda: client.connection.is_read_paused)
        go.set()
        assert (await client.answer()).endswith(b"%d" % size)

    talk(slow, talking)


def test_an_early_answer_is_heard_and_the_rest_of_the_body_is_dropped() -> None:
    async def refusing(_scope: Scope, _receive: Receive, send: Send) -> None:
        await tell(send, b"no")

    async def talking(client: Client) -> None:
        client.writer.write(b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n")
        assert (await client.answer()).endswith(b"no")
        client.writer.write(b"x" * 300_000)
        assert (await client.ask(GET)).endswith(b"no")

    talk(refusing, talking)


@pytest.mark.parametrize(
    ("asked", "rest"),
    [
        (b"Content-Length: 3000000", b"x" * 3_000_000),
        (b"Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n"),
        (b"Content-Length: 3000000\r\nExpect: 100-continue", b""),
    ],
)
def test_an_early_answer_to_a_body_that_may_be_long_ends_the_connection(asked: bytes, rest: bytes) -> None:
    async def refusing(_scope: Scope, _receive: Receive, send: Send) -> None:
        await tell(send, b"no")

    async def talking(client: Client) -> None:
        client.writer.write(b"PUT /a HTTP/1.1\r\nHost: x\r\n" + asked + b"\r\n\r\n")
        answer = await client.answer()
        assert b"connection: close\r\n" in answer
        assert answer.endswith(b"no")
        client.writer.write(rest)
        assert await ended(client.reader)

    talk(refusing, talking)


def test_continue_is_said_when_the_body_is_wanted() -> None:
    async def talking(client: Client) -> None:
        client.writer.write(b"PUT /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert (await client.ask(b"hi")).endswith(b"PUT /a hi")

    talk(echo, talking)


@pytest.mark.parametrize(
    "sent",
    [
        b"NOT HTTP\r\n\r\n",
        b"GET /a HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET /a HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET a HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_and_the_connection_ends(sent: bytes) -> None:
    async def talking(client: Client) -> None:
        client.writer.write(sent)
        assert (await client.rest()).startswith(b"HTTP/1.1 400 ")

    talk(echo, talking)


def test_a_head_without_end_is_refused() -> None:
    async def talking(client: Client) -> None:
        client.writer.write(b"GET /a HTTP/1.1\r\nX: " + b"y" * (MAX_HEAD_BYTES + 1))
        assert (await client.rest()).startswith(b"HTTP/1.1 431 ")

    talk(echo, talking)


def test_a_request_to_speak_another_protocol_is_answered_and_the_connection_ends() -> None:
    async def talking(client: Client) -> None:
        client.writer.write(b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        answer = await client.rest()
        assert b"connection: close\r\n" in answer
        assert answer.endswith(b"GET /a ")

    talk(echo, talking)


def test_a_line_break_in_a_header_of_ours_never_leaves() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await tell(send, b"", headers=((b"x-name", b"a\r\nset-cookie: b"),))

    async def talking(client: Client) -> None:
        client.writer.write(GET)
        answer = await client.rest()
        assert answer.startswith(b"HTTP/1.1 500 ")
        assert b"set-cookie" not in answer

    talk(app, talking)


@pytest.mark.parametrize(("announced", "given"), [(b"5", b"abc"), (b"2", b"abc")])
def test_an_answer_of_another_length_than_announced_ends_the_connection(announced: bytes, given: bytes) -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", announced)]})
        await send({"type": "http.response.body", "body": given})

    async def talking(client: Client) -> None:
        client.writer.write(GET)
        await client.rest()

    talk(app, talking)


def test_an_application_that_fails_in_the_middle_cuts_the_connection() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"6")]})
        await send({"type": "http.response.body", "body": b"abc", "more_body": True})
        raise ValueError

    async def talking(client: Client) -> None:
        client.writer.write(GET)
        assert (await client.rest()).endswith(b"abc")

    talk(app, talking)


def test_an_application_hears_that_its_client_has_gone() -> None:
    heard: list[str] = []
    done = asyncio.Event()

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await whole_body(receive)
        heard.append((await receive())["type"])
        try:
            await tell(send, b"too late")
        except ConnectionResetError:
            heard.append("reset")
        done.set()

    async def talking(client: Client) -> None:
        client.writer.write(GET)
        await client.writer.drain()
        client.writer.close()
        await done.wait()
        assert heard == ["http.disconnect", "reset"]

    talk(app, talking)


def test_an_answer_waits_for_a_client_that_does_not_take_it() -> None:
    sent: list[int] = []
    size, count = 1 << 20, 24

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        length = str(size * count).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
        for number in range(count):
            await send({"type": "http.response.body", "body": b"x" * size, "more_body": number < count - 1})
            sent.append(number)

    async def talking(client: Client) -> None:
        client.writer.write(GET)
        await until(lambda: client.connection.is_full)
        assert len(sent) < count
        assert len((await client.answer()).partition(b"\r\n\r\n")[2]) == size * count

    talk(app, talking)


@pytest.mark.parametrize(
    ("sent", "after_s", "told"),
    [
        (b"", IDLE_S, b""),
        (b"GET /a HT", Limits().head_s, b"HTTP/1.1 408 "),
        (b"PUT /a HTTP/1.1\r\nContent-Length: 9\r\n\r\nx", Limits().stall_s, b"HTTP/1.1 408 "),
    ],
)
def test_a_client_that_takes_too_long_is_let_go(sent: bytes, after_s: float, told: bytes) -> None:
    async def talking(client: Client) -> None:
        client.writer.write(sent)
        await client.writer.drain()
        await until(lambda: client.connection.has_begun is bool(sent))
        now = asyncio.get_running_loop().time()
        client.connection.look(now + after_s - 1)
        assert not client.reader.at_eof()
        client.connection.look(now + after_s + 1)
        assert (await client.rest()).startswith(told)

    talk(echo, talking)


def test_a_client_that_does_not_take_its_answer_is_let_go() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        size = 32 << 20
        length = str(size).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
        await send({"type": "http.response.body", "body": b"x" * size})

    async def talking(client: Client) -> None:
        client.writer.write(GET)
        await until(lambda: client.connection.is_full)
        now = asyncio.get_running_loop().time()
        client.connection.look(now)
        client.connection.look(now + Limits().stall_s - 1)
        assert not client.connection.is_lost
        client.connection.look(now + Limits().stall_s + 100_000)
        await until(lambda: not client.listener.connections)

    talk(app, talking)


def test_a_body_that_nobody_wants_ends_the_connection_after_a_while() -> None:
    async def refusing(_scope: Scope, _receive: Receive, send: Send) -> None:
        await tell(send, b"no")

    async def talking(client: Client) -> None:
        client.writer.write(b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
        assert (await client.answer()).endswith(b"no")
        client.writer.write(b"x" * (MAX_UNWANTED_BYTES + 1))
        await until(lambda: not client.listener.connections)

    talk(refusing, talking)


def test_one_client_more_than_may_be_connected_is_let_go() -> None:
    async def talking(client: Client) -> None:
        assert (await client.ask(GET)).endswith(b"GET /a ")
        reader, writer = await asyncio.open_connection(*client.writer.get_extra_info("peername"))
        assert await ended(reader)
        writer.close()
        assert (await client.ask(GET)).endswith(b"GET /a ")

    talk(echo, talking, max_connections=1)


def test_draining_answers_what_was_asked_and_lets_idle_clients_go() -> None:
    go = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await go.wait()
        await echo(scope, receive, send)

    async def talking(client: Client) -> None:
        client.writer.write(GET)
        await until(lambda: client.connection.has_begun)
        draining = asyncio.create_task(client.listener.drain(10))
        await asyncio.sleep(0)
        go.set()
        answer = await client.rest()
        assert b"connection: close\r\n" in answer
        assert answer.endswith(b"GET /a ")
        await draining

    talk(slow, talking)


def test_what_does_not_end_in_time_is_cut() -> None:
    async def stuck(_scope: Scope, _receive: Receive, _send: Send) -> None:
        await asyncio.Event().wait()

    async def talking(client: Client) -> None:
        client.writer.write(GET)
        await until(lambda: client.connection.has_begun)
        await client.listener.drain(0)
        assert await ended(client.reader)
        assert not client.listener.connections

    talk(stuck, talking)
