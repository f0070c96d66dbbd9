"""Live streams: ids and sequence numbers as server-sent events, never data."""

import asyncio
import itertools
from collections.abc import AsyncIterator

import msgspec

from airside.core.errors import Invalid, Overloaded
from airside.core.event import Event
from airside.platform.hub import Hub
from airside.server.message import Answer, Handler, Request

MAX_STREAMS = 1000
MAX_TOPICS = 50
QUEUED = 256
HEARTBEAT_S = 15.0
HEADERS = ((b"content-type", b"text/event-stream"), (b"x-accel-buffering", b"no"))


class Streams:
    """Every open stream of this process."""

    def __init__(self, hub: Hub) -> None:
        self._loop = asyncio.get_running_loop()
        self._open: dict[asyncio.Queue[bytes | None], frozenset[str]] = {}
        self._numbers = itertools.count(1)
        self._stop = hub.listen(self._heard)

    def _heard(self, events: tuple[Event, ...]) -> None:
        topics = {topic for event in events for topic in event.topics()}
        if topics and self._open:
            self._loop.call_soon_threadsafe(self._tell, topics)

    def _tell(self, topics: set[str]) -> None:
        for waiting, wanted in list(self._open.items()):
            for topic in topics & wanted:
                line = b"data: " + msgspec.json.encode({"topic": topic, "seq": next(self._numbers)}) + b"\n\n"
                if waiting.qsize() < QUEUED:
                    waiting.put_nowait(line)
                elif waiting.qsize() == QUEUED:
                    waiting.put_nowait(None)

    def handler(self) -> Handler:
        """`GET /live?topics=a,b`."""

        async def handle(request: Request) -> Answer:
            named = ",".join(request.query().get("topics", []))
            topics = frozenset(topic for topic in named.split(",") if topic)
            if not 1 <= len(topics) <= MAX_TOPICS:
                raise Invalid(f"Name 1 to {MAX_TOPICS} topics: /live?topics=run:ID,alerts")
            if len(self._open) >= MAX_STREAMS:
                raise Overloaded(f"{MAX_STREAMS} live streams are open already.")
            return Answer(200, self._stream(topics), HEADERS)

        return handle

    async def _stream(self, topics: frozenset[str]) -> AsyncIterator[bytes]:
        waiting: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._open[waiting] = topics
        try:
            yield b": open\n\n"
            while True:
                try:
                    line = await asyncio.wait_for(waiting.get(), HEARTBEAT_S)
                except TimeoutError:
                    line = b": still here\n\n"
                if line is None:
                    yield b"event: reload\ndata: {}\n\n"
                    return
                yield line
        finally:
            del self._open[waiting]

    def close(self) -> None:
        """End every stream; browsers come back to the next server."""
        self._stop()
        for waiting in self._open:
            waiting.put_nowait(None)
