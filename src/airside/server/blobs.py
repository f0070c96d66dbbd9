"""Bytes in motion: blobs up and down, piece by piece."""

import asyncio
import queue
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypeVar

from airside.core.errors import Invalid
from airside.core.ids import BlobId
from airside.platform.access.rights import authorise
from airside.server.message import Answer, Handler, Request, json_answer
from airside.store.blobs.port import BlobStore

T = TypeVar("T")

OCTETS = (b"content-type", b"application/octet-stream")
WAITING_PIECES = 8
GATHERED_BYTES = 1 << 20


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
    """Hand the pieces of a body to a function that reads them on a thread, through a bounded queue."""
    waiting: queue.Queue[bytes | BaseException | None] = queue.Queue(WAITING_PIECES)

    def taken() -> Iterator[bytes]:
        while (piece := waiting.get()) is not None:
            if isinstance(piece, BaseException):
                raise Invalid("The client went away before the end of the body.") from piece
            yield piece

    storing = asyncio.get_running_loop().run_in_executor(None, lambda: into(taken()))
    end: BaseException | None = None
    try:
        async for piece in gathered(pieces):
            if storing.done():  # it was refused: what still comes is not read
                break
            while not storing.done():
                try:
                    waiting.put_nowait(piece)
                    break
                except queue.Full:
                    await asyncio.wait({storing}, timeout=0.005)
    except BaseException as error:
        end = error
        raise
    finally:
        if not storing.done():
            await asyncio.to_thread(waiting.put, end)
    return await storing
