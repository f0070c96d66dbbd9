"""One client's connection: HTTP/1.1 by httptools, each request handed to the application as ASGI.

Why not uvicorn's own: it writes head and body apart, checks every header of ours with regular expressions and arms a
timer for each answer; all that costs 0.05 ms a request, as much as everything else of a small write (decision 13).
It also sets no limit to the time of a head or a body (security facts, section 10).
"""

import asyncio
import logging
from collections import deque
from urllib.parse import unquote

import httptools

from airside.server.exchange import Exchange
from airside.server.message import Application, Header, Scope

MAX_HEAD_BYTES = 128 << 10
"""What is read of a head at all: the guard refuses less than this with a text that says why."""
MAX_PIPELINED = 64
HEAD_S, IDLE_S = 10.0, 75.0
BODY_GRACE_S, BODY_BYTES_PER_S = 20.0, 1024

_log = logging.getLogger("airside.server")


class Connection(asyncio.Protocol):
    """HTTP/1.1 requests of one client, answered one after another.

    Args:
        app: what answers.
        connections: those that are open; it enters and leaves itself.
        limit: how many may be open; one more is closed at once.

    Attributes:
        is_lost: the client has gone.
        is_full: it does not take what was sent.
        is_read_paused: nothing more is read from it for now.
    """

    def __init__(self, app: Application, connections: "set[Connection]", limit: int) -> None:
        self.is_lost = False
        self.is_full = False
        self.is_read_paused = False
        self._app = app
        self._connections = connections
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._is_broken = False
        self._ends = False
        self._reading: Exchange | None = None
        self._answering: Exchange | None = None
        self._task: asyncio.Task[None] | None = None
        self._pipeline: deque[Exchange] = deque()
        self._writable: asyncio.Future[None] | None = None
        self._in_head = False
        self._head_bytes = 0
        self._since = self._loop.time()
        self._seen_bytes = 0

    # --- the transport -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # asyncio names the base class
        self._client = transport.get_extra_info("peername")
        self._connections.add(self)
        if len(self._connections) > self._limit:
            self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        """It has gone: whoever waits for it hears so."""
        del error
        self.is_lost = True
        self._connections.discard(self)
        self._pipeline.clear()
        self.resume_writing()
        if self._answering is not None:
            self._answering.wake()

    def data_received(self, data: bytes) -> None:
        """Bytes of a request, or of several."""
        if self._is_broken:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:  # answered as if it had not asked; what follows is not HTTP
            self._is_broken = True
            self.drain()
        except httptools.HttpParserError:
            self._refuse(400, b"Invalid HTTP request received.")
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(431, b"The head of the request is too large.")

    def pause_writing(self) -> None:
        """The client does not take what was sent."""
        self.is_full = True
        if self._writable is None:
            self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """It does again."""
        self.is_full = False
        waiting, self._writable = self._writable, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    # --- the parser --------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._since = self._loop.time()
        self._in_head = True
        self._head_bytes = 0
        self._url = b""
        self._headers: list[Header] = []
        self._expects_continue = False

    def on_url(self, url: bytes) -> None:
        """A piece of the address."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field; one that comes behind the body is not taken."""
        if not self._in_head:
            return
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self._expects_continue = True
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is whole: the application begins."""
        self._in_head = False
        parser = self._parser
        url = httptools.parse_url(self._url)
        raw_path: bytes = url.path or b"/"
        path = raw_path.decode("ascii")
        version: str = parser.get_http_version()
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": version,
            "scheme": "http",
            "method": parser.get_method().decode("ascii"),
            "path": unquote(path) if "%" in path else path,
            "raw_path": raw_path,
            "query_string": url.query or b"",
            "headers": self._headers,
            "client": self._client,
        }
        exchange = Exchange(
            self,
            scope,
            keeps_alive=version == "1.1" and parser.should_keep_alive() and not self._ends,
            expects_continue=self._expects_continue,
        )
        self._reading = exchange
        self._seen_bytes = 0
        if self._answering is None:
            self._begin(exchange)
        elif len(self._pipeline) < MAX_PIPELINED:
            self._pipeline.append(exchange)
            self.pause()
        else:
            raise ValueError("too many requests at once")

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        if self._reading is not None:
            self._reading.feed(piece)

    def on_message_complete(self) -> None:
        """The request is whole."""
        exchange, self._reading = self._reading, None
        self._since = self._loop.time()
        if exchange is not None:
            exchange.finish()
            if exchange.is_answered:
                self._next(exchange)

    # --- the exchange ------------------------------------------------------------------------------------------

    def write(self, *pieces: bytes) -> None:
        """Send bytes."""
        if len(pieces) == 1:
            self._transport.write(pieces[0])
        else:
            self._transport.writelines(pieces)

    async def drained(self) -> None:
        """Wait until the client has taken most of what was sent."""
        while self._writable is not None and not self.is_lost:
            await asyncio.shield(self._writable)

    def pause(self) -> None:
        """Read no further for now."""
        if not self.is_read_paused:
            self.is_read_paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self.is_read_paused and not self._pipeline and not self.is_lost:
            self.is_read_paused = False
            self._transport.resume_reading()

    def answered(self, exchange: Exchange) -> None:
        """The answer is whole; the rest of a request that was answered early is read and dropped."""
        self._since = self._loop.time()
        if exchange.is_whole:
            self._next(exchange)
        elif exchange.keeps_alive:
            self.resume()
        else:
            self._transport.close()

    def _next(self, exchange: Exchange) -> None:
        self._answering = None
        if not exchange.keeps_alive or self._ends:
            self._transport.close()
        elif self._pipeline:
            self._begin(self._pipeline.popleft())
            self.resume()
        else:
            self.resume()

    def _begin(self, exchange: Exchange) -> None:
        self._answering = exchange
        self._task = self._loop.create_task(self._answer(exchange))

    async def _answer(self, exchange: Exchange) -> None:
        try:
            await self._app(exchange.scope, exchange.receive, exchange.send)
        except Exception:  # noqa: BLE001 -- the edge: half an answer must not look like a whole one
            if not self.is_lost:
                _log.exception("connection.cut path=%s", exchange.scope["path"])
                if not exchange.is_started:
                    self._say(500, b"Internal Server Error")
                self._transport.close()
        else:
            if not exchange.is_answered:
                self._transport.close()

    @property
    def has_begun(self) -> bool:
        """Whether a request has begun to come, or is being answered."""
        return self._in_head or self._answering is not None

    # --- limits and the end ------------------------------------------------------------------------------------

    def look(self, now: float) -> None:
        """End it when it has been idle, or slow in sending a request, for too long. Called now and then."""
        passed = now - self._since
        reading = self._reading
        if self._in_head:
            if passed > HEAD_S:
                self._refuse(408, b"The head of the request took too long.")
        elif reading is not None:
            if passed > BODY_GRACE_S and not self.is_read_paused:
                if reading.taken_bytes - self._seen_bytes < BODY_BYTES_PER_S * BODY_GRACE_S:
                    self._refuse(408, b"The body of the request came too slowly.")
                self._since, self._seen_bytes = now, reading.taken_bytes
        elif self._answering is None and passed > IDLE_S:
            self._transport.close()

    def drain(self) -> None:
        """Answer what was asked, then end."""
        self._ends = True
        if self._answering is None:
            self._transport.close()
        else:
            self._answering.keeps_alive = False

    def cut(self) -> None:
        """End at once."""
        self._transport.abort()
        if self._task is not None:
            self._task.cancel()

    def _refuse(self, status: int, text: bytes) -> None:
        """Say what is wrong and end; behind a request that is being answered there is nothing to say."""
        if self._is_broken:
            return
        self._is_broken = True
        if self._answering is None:
            self._say(status, text)
        self._transport.close()

    def _say(self, status: int, text: bytes) -> None:
        head = b"HTTP/1.1 %d Refused\r\ncontent-type: text/plain; charset=utf-8\r\n" % status
        self.write(head + b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (len(text), text))
