"""One connection: uvicorn's protocol with limits before and beside the parser.

A head is cut off while it grows, not when it has been read; whoever sends or takes less than 1 KiB/s is let go; a
body that nobody wants any more is read for one MiB at most. One look a second at every connection does it, so that a
request sets a few attributes and starts no timer. Limits: security facts, section 10.
"""

import asyncio
import contextlib
import enum
import http
from collections.abc import Iterable
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from airside.core.errors import AirsideError, Invalid
from airside.server.guard import MAX_FIELDS, MAX_HEAD_BYTES, MAX_URL_BYTES, HeadTooLarge, UrlTooLong

LEAST_BYTES_A_SECOND = 1024
LINGER_BYTES = 1 << 20
LINGER_S = 5.0
UNUSED_S = 75.0
LOOK_EVERY_S = 1.0


class TooSlow(AirsideError):
    """The request came too slowly: its head within 10 s, its body with 1 KiB/s at least."""

    code, status = "DEADLINE_EXCEEDED", 408


class Phase(enum.Enum):
    """What a connection is at."""

    UNUSED = "unused"
    HEAD = "head"
    BODY = "body"
    ANSWER = "answer"


class Watch:
    """The limits of a server's connections, and the second that all of them go by."""

    def __init__(self, *, head_s: float, stall_s: float, connections: int) -> None:
        self.head_s, self.stall_s, self.connections = head_s, stall_s, connections
        self.now = 0.0

    def protocol(self) -> type["Connection"]:
        """The protocol class for uvicorn."""
        return type("WatchedConnection", (Connection,), {"watch": self})

    async def run(self, connections: Iterable[Any]) -> None:
        """Look at every connection once a second, until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self.now = loop.time()
            for connection in list(connections):
                connection.look(self.now)
            await asyncio.sleep(LOOK_EVERY_S)


class Connection(HttpToolsProtocol):
    """A connection that is let go when it is too slow, too large, or one too many."""

    watch: Watch

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._phase = Phase.UNUSED
        self._since = self.watch.now
        self._head_bytes = 0
        self._body_bytes = 0
        self._lingers = -1
        self._unsent: tuple[float, int] | None = None
        self._closing_since = 0.0
        self._refusal: AirsideError | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.watch.connections:
            transport.abort()

    # --- reading ---

    def data_received(self, data: bytes) -> None:
        """Parse, unless the head has grown too large."""
        if self._refusal is not None:
            return
        if self._phase is not Phase.BODY:
            self._head_bytes += len(data)
            if self._phase is Phase.HEAD and self._head_bytes > 2 * MAX_HEAD_BYTES:
                self._refuse(HeadTooLarge())
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._phase, self._since, self._head_bytes = Phase.HEAD, self.watch.now, 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """The address, or more of it."""
        super().on_url(url)
        if len(self.url) > MAX_URL_BYTES:
            self._stop(UrlTooLong())

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field."""
        super().on_header(name, value)
        if len(self.headers) > MAX_FIELDS:
            self._stop(HeadTooLarge())

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._phase, self._since, self._body_bytes, self._head_bytes = Phase.BODY, self.watch.now, 0, 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body; of one that nobody wants any more, a little is read, so that the answer arrives."""
        self._body_bytes += len(body)
        if self._lingers >= 0:
            self._lingers -= len(body)
            if self._lingers < 0:
                self.transport.close()
            return
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._phase, self._since = Phase.ANSWER, self.watch.now
        if self._lingers >= 0:
            self._lingers = -1
            super().on_response_complete()
            return
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is out: on to the next request, or let what is left of this one come in for a while."""
        if self._phase is Phase.BODY and not self.pipeline and not self.transport.is_closing():
            self._lingers, self._since = LINGER_BYTES, self.watch.now
            self.flow.resume_reading()
            return
        super().on_response_complete()

    def resume_writing(self) -> None:
        """The client takes the answer."""
        self._unsent = None
        super().resume_writing()

    # --- looking ---

    def look(self, now: float) -> None:
        """Let it go if it is too slow."""
        watch, waited_s = self.watch, now - self._since
        if self.transport.is_closing():
            self._closing_since = self._closing_since or now
            if now - self._closing_since > watch.stall_s:
                self.transport.abort()
        elif self.flow.write_paused:
            self._look_at_unsent(now)
        elif self._lingers >= 0:
            if waited_s > LINGER_S:
                self.transport.close()
        elif self._phase is Phase.UNUSED and waited_s > UNUSED_S:
            self.transport.close()
        elif self._phase is Phase.HEAD and waited_s > watch.head_s and self._is_answered():
            self._refuse(TooSlow())
        elif self._phase is Phase.BODY:
            self._look_at_body(now, waited_s)

    def _is_answered(self) -> bool:
        cycle: Any = self.cycle  # None before the first request, whatever its annotation says
        return cycle is None or bool(cycle.response_complete)

    def _look_at_body(self, now: float, waited_s: float) -> None:
        if self.flow.read_paused or self.cycle.waiting_for_100_continue:  # the server is the one who waits
            self._since, self._body_bytes = now, 0
        elif waited_s > self.watch.stall_s:
            if self._body_bytes < LEAST_BYTES_A_SECOND * waited_s:
                self._refuse(TooSlow())
            self._since, self._body_bytes = now, 0

    def _look_at_unsent(self, now: float) -> None:
        size = self.transport.get_write_buffer_size()
        since, before = self._unsent or (now, size)
        waited_s = now - since
        if waited_s > self.watch.stall_s:
            if before - size < LEAST_BYTES_A_SECOND * waited_s:
                self.transport.abort()
                return
            since, before = now, size
        self._unsent = (since, before)

    # --- refusing ---

    def _stop(self, error: AirsideError) -> None:
        """Refuse from within the parser: it stops at an exception, and uvicorn answers with `send_400_response`."""
        self._refusal = error
        raise error

    def send_400_response(self, msg: str) -> None:
        """Tell what the parser stumbled over, in our JSON."""
        self._refuse(self._refusal or Invalid(msg))

    def _refuse(self, error: AirsideError) -> None:
        self._refusal = error
        if self.transport.is_closing():
            return
        if not self._is_answered():
            is_started = self.cycle.response_started
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if is_started:
                self.transport.abort()
                return
        body = msgspec.json.encode(error.body())
        head = (
            f"HTTP/1.1 {error.status} {http.HTTPStatus(error.status).phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
        )
        with contextlib.suppress(OSError):
            self.transport.write(head.encode() + body)
        self.transport.close()
