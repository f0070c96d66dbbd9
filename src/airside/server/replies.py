"""From the platform's threads back to the event loop: many answers, one wake-up."""

import asyncio
from collections import deque
from typing import Any

from airside.core.operation import Actor
from airside.core.record import Ask
from airside.platform.wiring import Platform


class Replies:
    """Asks the platform from a coroutine.

    The writer answers a whole group at once; each answer settles its future in the loop, which is woken once for all
    of them: a wake-up is a system call, and 32 of them would cost as much as the commit.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._loop = asyncio.get_running_loop()
        self._ready: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._is_woken = False

    def ask(self, actor: Actor, ask: Ask[Any], *, idempotency_key: str = "") -> "asyncio.Future[Any]":
        """A future of the answer.

        Raises:
            AirsideError: it was refused at once (no right, too much waits).
        """
        future: asyncio.Future[Any] = self._loop.create_future()
        found = self._platform.glance(actor, ask)
        if found is not None:
            future.set_result(found)
            return future

        def reply(value: Any, error: BaseException | None) -> None:
            self._ready.append((future, value, error))
            if not self._is_woken:
                self._is_woken = True
                self._loop.call_soon_threadsafe(self._settle)

        self._platform.submit(actor, ask, reply, idempotency_key=idempotency_key)
        return future

    def _settle(self) -> None:
        self._is_woken = False
        while self._ready:
            future, value, error = self._ready.popleft()
            if future.done():  # the client has gone away
                continue
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(error)
