"""One request and its answer, as ASGI sees them: `receive` gives the body, `send` takes the answer.

The head of an answer is kept until the first piece of its body: both leave in one write.
"""

import asyncio
import http
import time
from collections import deque
from email.utils import formatdate
from functools import lru_cache
from typing import NamedTuple, Protocol

from airside.server.message import Header, Message, Scope

HIGH_WATER_BYTES = 64 << 10
"""A body that nobody takes is not read beyond this."""
MAX_UNWANTED_BYTES = 1 << 20
"""What is read of a body that was answered early: the client hears the answer, and does not send on for ever."""
JOIN_BYTES = 64 << 10
"""A body up to this size is copied behind its head; a larger one is handed over beside it."""

_STATUS = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in http.HTTPStatus}
_BODILESS = (204, 304)


class Wire(Protocol):
    """The connection that an exchange lives on."""

    is_lost: bool
    is_full: bool

    def write(self, *pieces: bytes) -> None:
        """Send bytes."""

    async def drained(self) -> None:
        """Wait until the client has taken most of what was sent."""

    def resume(self) -> None:
        """Read on."""

    def pause(self) -> None:
        """Read no further for now."""

    def answered(self, exchange: "Exchange") -> None:
        """The answer is whole."""


class _Clock:
    """The `date` header, made once a second."""

    def __init__(self) -> None:
        self._second = 0
        self._line = b""

    def line(self) -> bytes:
        now = int(time.time())
        if now != self._second:
            self._second = now
            self._line = f"date: {formatdate(now, usegmt=True)}\r\n".encode()
        return self._line


_CLOCK = _Clock()


class _Start(NamedTuple):
    """How an answer begins, but for its date and its length.

    Attributes:
        lines: the status and the headers.
        closes: whether the connection ends after it.
        announced: the length of the body, if a header in the midst of them tells it.
    """

    lines: bytes
    closes: bool
    announced: int | None


@lru_cache(maxsize=512)
def _start(status: int, headers: tuple[Header, ...]) -> _Start:
    """The first lines of an answer: nearly all answers have the same.

    Raises:
        RuntimeError: a header has a line break in it.
    """
    lines = [_STATUS.get(status) or f"HTTP/1.1 {status} \r\n".encode(), *(b"%b: %b\r\n" % pair for pair in headers)]
    text = b"".join(lines)
    if text.count(b"\n") != len(lines):
        raise RuntimeError("A header of the answer has a line break in it.")
    length = next((int(value) for name, value in headers if name == b"content-length"), None)
    return _Start(text, (b"connection", b"close") in headers, length)


class Exchange:
    """A request on a connection.

    Attributes:
        is_whole: the request has been read to its end.
        is_answered: so has the answer been given.
        keeps_alive: whether the connection serves another request after this one.
        taken_bytes: how much of the body has come.
    """

    __slots__ = (
        "_announced",
        "_arrived",
        "_expects_continue",
        "_has_body",
        "_head",
        "_is_chunked",
        "_is_told",
        "_pieces",
        "_waiting_bytes",
        "_wire",
        "is_answered",
        "is_started",
        "is_whole",
        "keeps_alive",
        "scope",
        "taken_bytes",
    )

    def __init__(self, wire: Wire, scope: Scope, *, keeps_alive: bool, expects_continue: bool) -> None:
        self.scope = scope
        self.keeps_alive = keeps_alive
        self.is_whole = self.is_started = self.is_answered = False
        self.taken_bytes = 0
        self._wire = wire
        self._expects_continue = expects_continue
        self._pieces: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._arrived: asyncio.Future[None] | None = None
        self._is_told = False
        self._head = b""
        self._announced: int | None = None
        self._is_chunked = False
        self._has_body = scope["method"] != "HEAD"

    # --- what the connection tells -----------------------------------------------------------------------------

    def feed(self, piece: bytes) -> None:
        """A piece of the body; after the answer it is read and dropped, so that the client hears the answer."""
        self.taken_bytes += len(piece)
        if self.is_answered:
            return
        self._pieces.append(piece)
        self._waiting_bytes += len(piece)
        if self._waiting_bytes > HIGH_WATER_BYTES:
            self._wire.pause()
        self.wake()

    def finish(self) -> None:
        """The body is whole."""
        self.is_whole = True
        self.wake()

    def wake(self) -> None:
        """Let `receive` look again."""
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)

    @property
    def waits_for_us(self) -> bool:
        """Whether the client sends the body only when it is told to, and has not been told yet."""
        return self._expects_continue

    # --- what the application calls ----------------------------------------------------------------------------

    async def receive(self) -> Message:
        """What has come of the body since the last call; waits if that is nothing."""
        if self._expects_continue and not self.is_started:
            self._expects_continue = False
            self._wire.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        while not self._wire.is_lost and not self.is_answered:
            if self._pieces or (self.is_whole and not self._is_told):
                body = self._pieces.popleft() if len(self._pieces) == 1 else b"".join(self._pieces)
                self._pieces.clear()
                self._waiting_bytes = 0
                self._is_told = self.is_whole
                return {"type": "http.request", "body": body, "more_body": not self.is_whole}
            self._wire.resume()
            self._arrived = asyncio.get_running_loop().create_future()
            await self._arrived
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """The head of the answer, then its body.

        Raises:
            ConnectionResetError: the client has gone away.
        """
        if message["type"] == "http.response.start":
            if not self.is_whole and not self._ends_soon():
                self.keeps_alive = False
            self._head = self._head_of(message["status"], message["headers"])
            self.is_started = True
            return
        if self._wire.is_full:
            await self._wire.drained()
        if self._wire.is_lost:
            raise ConnectionResetError
        body: bytes = message.get("body", b"")
        is_last = not message.get("more_body", False)
        self._write(body, is_last=is_last)
        if is_last:
            self.is_answered = True
            if self._announced:
                self.keeps_alive = False  # less came than was announced: only the end of the connection tells it
            self.wake()
            self._wire.answered(self)

    def _ends_soon(self) -> bool:
        """Whether so little of the body is still to come that it may be read and dropped."""
        if self._expects_continue:  # it may never come
            return False
        length = next((value for name, value in self.scope["headers"] if name == b"content-length"), b"")
        return length.isdigit() and int(length) - self.taken_bytes <= MAX_UNWANTED_BYTES

    def _write(self, body: bytes, *, is_last: bool) -> None:
        head, self._head = self._head, b""
        if not self._has_body:
            self._wire.write(head)
            return
        if self._is_chunked:
            framed = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            self._wire.write(head + framed + (b"0\r\n\r\n" if is_last else b""))
            return
        if self._announced is not None:
            if len(body) > self._announced:
                raise RuntimeError("The answer is longer than its Content-Length.")
            self._announced -= len(body)
        if len(body) <= JOIN_BYTES:
            self._wire.write(head + body)
        else:
            self._wire.write(head, body)

    def _head_of(self, status: int, headers: list[Header]) -> bytes:
        """The head as bytes; decides how the body's end is told."""
        last = headers[-1] if headers else (b"", b"")
        if last[0] == b"content-length":  # it differs from answer to answer, the others do not
            start = _start(status, tuple(headers[:-1]))
            self._announced = int(last[1])
            end = b"content-length: %d\r\n" % self._announced
        else:
            start = _start(status, tuple(headers))
            self._announced, end = start.announced, b""
        if start.closes:
            self.keeps_alive = False
        if status in _BODILESS:
            self._has_body = False
        if not self._has_body:
            self._announced = None
        elif self._announced is None:
            self._is_chunked = self.scope["http_version"] == "1.1"
            if self._is_chunked:
                end += b"transfer-encoding: chunked\r\n"
            else:
                self.keeps_alive = False
        if not self.keeps_alive:
            end += b"connection: close\r\n"
        return b"%b%b%b\r\n" % (start.lines, _CLOCK.line(), end)
