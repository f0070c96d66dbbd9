"""The listening socket: takes connections, looks after slow ones, and ends without cutting an answer off."""

import asyncio
import socket
from typing import TYPE_CHECKING

from airside.server.connection import Connection, Limits
from airside.server.message import Application

if TYPE_CHECKING:
    import ssl

LOOK_EVERY_S = 1.0


class Listener:
    """Answers on a socket until it is drained.

    Args:
        app: what answers.
        limits: how many clients may be connected, and how slow they may be.

    Attributes:
        connections: those that are open.
    """

    def __init__(self, app: Application, *, limits: Limits = Limits()) -> None:  # noqa: B008 -- never changed
        self.connections: set[Connection] = set()
        self._app = app
        self._limits = limits

    async def listen(self, listening: socket.socket, *, tls: "ssl.SSLContext | None" = None) -> None:
        """Begin to answer; with TLS, https."""
        self._loop = asyncio.get_running_loop()
        self._server = await self._loop.create_server(
            lambda: Connection(self._app, self.connections, self._limits), sock=listening, ssl=tls, backlog=2048
        )
        self._timer = self._loop.call_later(LOOK_EVERY_S, self._look)

    def _look(self) -> None:
        now = self._loop.time()
        for connection in list(self.connections):
            connection.look(now)
        self._timer = self._loop.call_later(LOOK_EVERY_S, self._look)

    async def drain(self, within_s: float, *, linger_s: float = 0.0) -> None:
        """Take no more connections; end each when it is answered, and what is left in the end.

        Args:
            within_s: how long answers may take.
            linger_s: how long before that the connections that were taken last may still ask.
        """
        self._timer.cancel()
        self._server.close()
        await self._wait(linger_s)
        for connection in list(self.connections):
            connection.drain()
        await self._wait(within_s)
        self.cut()
        await asyncio.sleep(0)  # what was cut hears of it

    async def _wait(self, most_s: float) -> None:
        deadline = self._loop.time() + most_s
        while self.connections and self._loop.time() < deadline:  # noqa: ASYNC110 -- once, at the end
            await asyncio.sleep(0.01)

    def cut(self) -> None:
        """End every connection at once."""
        for connection in list(self.connections):
            connection.cut()
