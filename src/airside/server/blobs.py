"""Bytes in motion: blobs up and down, piece by piece."""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from airside.core.errors import Invalid, Overloaded
from airside.core.ids import BlobId
from airside.platform.access.rights import authorise
from airside.server.message import Answer, Handler, Request, json_answer
from airside.store.blobs.port import BlobStore

T = TypeVar("T")

OCTETS = (b"content-type", b"application/octet-stream")
WAITING_PIECES = 4
GATHERED_BYTES = 1 << 18
MOST_UPLOADS = 256
"""Bodies that may be on their way to a disk at once, which is 320 MiB in memory; of one more the client is told to come
again."""
_FREE = threading.BoundedSemaphore(MOST_UPLOADS)
_STORING = ThreadPoolExecutor(MOST_UPLOADS, thread_name_prefix="airside-store")


def put_blob(blobs: BlobStore) -> Handler:
    """`PUT /api/v1/blobs`: store the body, answer its id."""

    async def handle(request: Request) -> Answer:
        authorise(request.actor, "blob", "write")
        blob = await pour(request.stream(), blobs.put)
        return json_answer({"blob": blob})

    return handle


def get_blob(blobs: BlobStore) -> Handler:
    """`GET /api/v1/blobs/{blob}`: the bytes."""

    async def handle(request: Request) -> Answer:
        authorise(request.actor, "blob", "read")
        blob = BlobId(request.args["blob"])
        pieces = await asyncio.to_thread(blobs.open, blob)
        size = await asyncio.to_thread(blobs.size, blob)
        headers = (OCTETS, (b"content-length", str(size).encode()), (b"etag", f'"{blob}"'.encode()))
        return Answer(200, drawn(pieces), headers)

    return handle


async def drawn(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Pieces that a thread reads, one at a time."""
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece


async def gathered(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Pieces joined to larger ones: handing one to another thread costs the same whatever its size."""
    parts: list[bytes] = []
    size = 0
    async for piece in pieces:
        parts.append(piece)
        size += len(piece)
        if size >= GATHERED_BYTES:
            yield b"".join(parts)
            parts, size = [], 0
    if parts:
        yield b"".join(parts)


async def pour(pieces: AsyncIterator[bytes], into: Callable[[Iterator[bytes]], T]) -> T:
    """Hand the pieces of a body to a function that reads them on a thread of its own.

    It holds that thread for as long as the client takes to send, so it is none of those that answer everybody else;
    and nothing here waits for a second one.

    Raises:
        Overloaded: too many bodies come at once. Invalid: the client went away before the end.
    """
    if not _FREE.acquire(blocking=False):
        raise Overloaded
    waiting: queue.SimpleQueue[bytes | BaseException | None] = queue.SimpleQueue()
    loop, room = asyncio.get_running_loop(), asyncio.Semaphore(WAITING_PIECES)

    def taken() -> Iterator[bytes]:
        while (piece := waiting.get()) is not None:
            if isinstance(piece, BaseException):
                raise Invalid("The client went away before the end of the body.") from piece
            yield piece
            loop.call_soon_threadsafe(room.release)

    def store() -> T:
        try:
            return into(taken())
        finally:
            _FREE.release()

    storing = loop.run_in_executor(_STORING, store)
    storing.add_done_callback(lambda _stored: room.release())
    try:
        async for piece in gathered(pieces):
            await room.acquire()
            if storing.done():  # it was refused: what still comes is not read
                break
            waiting.put(piece)
    except BaseException as error:
        storing.add_done_callback(lambda stored: stored.cancelled() or stored.exception())  # nobody else asks for it
        waiting.put(error)
        raise
    waiting.put(None)
    return await storing
