"""One client's connection: HTTP/1.1 by httptools, each request handed to the application as ASGI.

Why not uvicorn's own: it writes head and body apart, checks every header of ours with regular expressions and arms a
timer for each answer; all that costs 0.05 ms a request, as much as everything else of a small write (decision 13).
It also sets no limit to the time of a head or a body (security facts, section 10).
"""

import asyncio
import logging
from collections import deque
from typing import NamedTuple
from urllib.parse import unquote

import httptools
import msgspec

from airside.core.errors import AirsideError, Internal, Invalid
from airside.server.exchange import MAX_UNWANTED_BYTES, Exchange
from airside.server.guard import HeadTooLarge
from airside.server.heads import Heads
from airside.server.message import Application, Header, Scope

MAX_HEAD_BYTES = 128 << 10
"""What is read of a head at all: the guard refuses less than this with a text that says why."""
MAX_PIPELINED = 64
IDLE_S = 75.0
BYTES_PER_S = 1024

_log = logging.getLogger("airside.server")


class Limits(NamedTuple):
    """What a server takes of its clients.

    Attributes:
        connections: how many may be open; one more is closed at once.
        head_s: how long the head of a request may take.
        stall_s: how long a body, or the taking of an answer, may go below 1 KiB/s.
    """

    connections: int = 2000
    head_s: float = 10.0
    stall_s: float = 20.0


class TooSlow(AirsideError):
    """The request came too slowly."""

    code, status = "DEADLINE_EXCEEDED", 408


class Connection(asyncio.Protocol):
    """HTTP/1.1 requests of one client, answered one after another.

    Args:
        app: what answers.
        connections: those that are open; it enters and leaves itself.
        limits: how many may be open, and how slow they may be.

    Attributes:
        is_lost: the client has gone.
        is_full: it does not take what was sent.
        is_read_paused: nothing more is read from it for now.
    """

    def __init__(self, app: Application, connections: "set[Connection]", limits: Limits) -> None:
        self.is_lost = False
        self.is_full = False
        self.is_read_paused = False
        self._app = app
        self._connections = connections
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._heads = Heads()
        self._fresh = b""
        self._held = b""
        self._is_broken = False
        self._fault = ""
        self._last_words: AirsideError | None = None
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
        self._unwanted_bytes = 0
        self._unsent: tuple[float, int] | None = None
        self._closing_since = 0.0
        self._scheme = "http"

    # --- the transport -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # asyncio names the base class
        self._client = transport.get_extra_info("peername")
        if transport.get_extra_info("sslcontext") is not None:
            self._scheme = "https"
        self._connections.add(self)
        if len(self._connections) > self._limits.connections:
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
        if self._held:
            data, self._held = self._held + data, b""
            if not self._is_repeated(data, may_hold=False):
                self._parse(data)
        elif self._in_head or self._reading is not None:
            self._parse(data)
        elif self._answering is not None or not self._is_repeated(data, may_hold=True):
            self._fresh = data
            self._parse(data)

    def _is_repeated(self, data: bytes, *, may_hold: bool) -> bool:
        """Take a request whose head came before; its body may come apart, as most clients send it."""
        found = self._heads.find(data)
        if found is None or len(data) > found.end:
            return False
        if len(data) < found.end:
            self._held = data if may_hold else b""
            return may_hold
        self._since = self._loop.time()
        self._unwanted_bytes = 0
        exchange = Exchange(self, found.scope, keeps_alive=not self._ends, expects_continue=False)
        exchange.feed(data[found.start :])
        exchange.finish()
        self._begin(exchange)
        return True

    def _let_go(self) -> None:
        """Give the parser what was held: more did not come at once."""
        if self._held:
            data, self._held = self._held, b""
            self._parse(data)

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:  # answered as if it had not asked; what follows is not HTTP
            self._is_broken = True
            self.drain()
        except httptools.HttpParserError:
            self._refuse(Invalid(self._fault or "Invalid HTTP request received."))
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(HeadTooLarge())

    def pause_writing(self) -> None:
        """The client does not take what was sent."""
        self.is_full = True
        if self._writable is None:
            self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """It does again."""
        self.is_full = False
        self._unsent = None
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
        self._fault = ""

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
        self._fault = _fault_of(version, url, self._headers)
        if self._fault:
            raise ValueError
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": version,
            "scheme": self._scheme,
            "method": parser.get_method().decode("ascii"),
            "path": unquote(path) if "%" in path else path,
            "raw_path": raw_path,
            "query_string": url.query or b"",
            "headers": self._headers,
            "client": self._client,
        }
        keeps_alive = version == "1.1" and parser.should_keep_alive() and not self._ends
        fresh, self._fresh = self._fresh, b""
        if keeps_alive and fresh:
            self._heads.learn(fresh, scope)
        exchange = Exchange(self, scope, keeps_alive=keeps_alive, expects_continue=self._expects_continue)
        self._reading = exchange
        self._seen_bytes = 0
        if self._answering is None:
            self._begin(exchange)
        elif len(self._pipeline) < MAX_PIPELINED:
            self._pipeline.append(exchange)
            self.pause()
        else:
            self._reading = None
            self._fault = "Too many requests were sent before their answers were taken."
            raise ValueError

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        if self._reading is None:
            return
        self._reading.feed(piece)
        if self._reading.is_answered:
            self._unwanted_bytes += len(piece)
            if self._unwanted_bytes > MAX_UNWANTED_BYTES:
                self._is_broken = True
                self._transport.close()

    def on_message_complete(self) -> None:
        """The request is whole."""
        exchange, self._reading = self._reading, None
        self._since = self._loop.time()
        self._unwanted_bytes = 0
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
        elif exchange.waits_for_us:
            self._transport.close()
        else:  # closing now would throw away, at the client, the answer that it has not read
            if not exchange.keeps_alive and self._transport.can_write_eof():
                self._transport.write_eof()
            self.resume()

    def _next(self, exchange: Exchange) -> None:
        self._answering = None
        if not exchange.keeps_alive or self._ends:
            self._transport.close()
        elif self._pipeline:
            self._begin(self._pipeline.popleft())
            self.resume()
        elif self._last_words is not None:
            self._say(self._last_words)
            self._transport.close()
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
                    self._say(Internal())
                self._transport.close()
        else:
            if not exchange.is_answered:
                self._transport.close()

    @property
    def has_begun(self) -> bool:
        """Whether a request has begun to come, or is being answered."""
        return self._in_head or bool(self._held) or self._answering is not None

    # --- limits and the end ------------------------------------------------------------------------------------

    def look(self, now: float) -> None:
        """End it when it has been idle, or slow in sending or taking, for too long. Called now and then."""
        self._let_go()
        passed = now - self._since
        if self._transport.is_closing():
            self._closing_since = self._closing_since or now
            if now - self._closing_since > self._limits.stall_s:
                self._transport.abort()  # what was sent last is not taken
        elif self.is_full:
            self._look_at_unsent(now)
        elif self._in_head:
            if passed > self._limits.head_s:
                self._refuse(TooSlow("The head of the request took too long."))
        elif self._reading is not None:
            self._look_at_body(self._reading, now)
        elif self._answering is None and passed > IDLE_S:
            self._transport.close()

    def _look_at_body(self, reading: Exchange, now: float) -> None:
        passed = now - self._since
        if self.is_read_paused or reading.waits_for_us:
            self._since, self._seen_bytes = now, reading.taken_bytes
        elif passed > self._limits.stall_s:
            if reading.taken_bytes - self._seen_bytes < BYTES_PER_S * passed:
                self._refuse(TooSlow("The body of the request came too slowly: below 1 KiB/s."))
            self._since, self._seen_bytes = now, reading.taken_bytes

    def _look_at_unsent(self, now: float) -> None:
        """The client takes too little of its answer: whoever waits for it is told that it has gone."""
        size = self._transport.get_write_buffer_size()
        since, before = self._unsent or (now, size)
        passed = now - since
        if passed > self._limits.stall_s:
            if before - size < BYTES_PER_S * passed:
                self._transport.abort()
                return
            since, before = now, size
        self._unsent = (since, before)

    def drain(self) -> None:
        """Answer what was asked, then end."""
        self._ends = True
        self._let_go()
        if self._answering is None or self._answering.is_answered:
            self._transport.close()
        else:
            self._answering.keeps_alive = False

    def cut(self) -> None:
        """End at once."""
        self._transport.abort()
        if self._task is not None:
            self._task.cancel()

    def _refuse(self, error: AirsideError) -> None:
        """Say what is wrong and end: behind the answers to what came before it, never within one that has begun."""
        if self._is_broken:
            return
        self._is_broken = True
        if self._answering is not None and self._answering is not self._reading:
            if self._reading in self._pipeline:
                self._pipeline.pop()
            self._last_words = error
            return
        if self._answering is None or not self._answering.is_started:
            self._say(error)
        self._transport.close()

    def _say(self, error: AirsideError) -> None:
        text = msgspec.json.encode(error.body())
        head = (
            b"HTTP/1.1 %d Refused\r\ncontent-type: application/json\r\nx-content-type-options: nosniff\r\n"
            % error.status
        )
        self.write(head + b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (len(text), text))


def _fault_of(version: str, url: httptools.parser.url_parser.URL, headers: list[Header]) -> str:
    """What is wrong with a head that the parser takes; empty when nothing is (RFC 9112, sections 2.3, 3.2 and 6.1)."""
    known = dict(headers)
    if version not in ("1.0", "1.1"):
        return "This server speaks HTTP/1.1."
    if len(known) != len(headers) and sum(name == b"host" for name, _ in headers) > 1:
        return "The request has more than one Host."
    coding = known.get(b"transfer-encoding")
    if coding is not None and (version == "1.0" or coding.strip().lower() != b"chunked"):
        return "The only Transfer-Encoding that is taken is chunked, in HTTP/1.1."
    if url.fragment is not None:
        return "The address of a request has no fragment ('#')."
    if url.host is not None:
        host = b"[%b]" % url.host if b":" in url.host else url.host
        named = host + (b":%d" % url.port if url.port is not None else b"")
        if named.lower() != known.get(b"host", b"").lower():
            return "The request's address names another server than its Host."
    return ""
