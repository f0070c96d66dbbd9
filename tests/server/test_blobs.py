"""Bodies on their way to a disk: slow ones hold up nobody, and however many there are, all end."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from airside.core.errors import Invalid, Overloaded
from airside.server import blobs
from airside.server.blobs import MOST_UPLOADS, pour


def joined(pieces: Iterator[bytes]) -> bytes:
    return b"".join(pieces)


async def paused(until: asyncio.Event, error: Exception | None = None) -> AsyncIterator[bytes]:
    yield b"x" * blobs.GATHERED_BYTES
    await until.wait()
    if error is not None:
        raise error
    yield b"y"


async def crowd(size: int, until: asyncio.Event, error: Exception | None = None) -> list[asyncio.Task[bytes]]:
    """That many bodies that have begun and wait for their clients, while one thread answers everybody else."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    begun = [asyncio.create_task(pour(paused(until, error), joined)) for _ in range(size)]
    await asyncio.sleep(0)
    return begun


def test_slow_bodies_hold_up_nobody_and_all_arrive() -> None:
    async def run() -> None:
        go = asyncio.Event()
        begun = await crowd(20, go)
        assert await asyncio.to_thread(lambda: "answered") == "answered"
        go.set()
        assert {body[-1:] for body in await asyncio.gather(*begun)} == {b"y"}

    asyncio.run(run())


def test_bodies_that_break_off_leave_their_threads_free() -> None:
    async def run() -> None:
        go = asyncio.Event()
        go.set()
        for _ in range(2):
            broken = await crowd(MOST_UPLOADS // 2 + 1, go, Invalid("gone"))
            assert {type(each) for each in await asyncio.gather(*broken, return_exceptions=True)} == {Invalid}
            await asyncio.to_thread(lambda: None)
        while not blobs._FREE.acquire(blocking=False):
            await asyncio.to_thread(lambda: None)
        blobs._FREE.release()

    asyncio.run(run())


def test_of_too_many_bodies_the_last_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        go = asyncio.Event()
        begun = await crowd(3, go)
        with pytest.raises(Overloaded):
            await pour(paused(go), joined)
        go.set()
        await asyncio.gather(*begun)

    monkeypatch.setattr(blobs, "_FREE", threading.BoundedSemaphore(3))
    asyncio.run(run())
