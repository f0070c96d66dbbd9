"""The listening socket: takes connections, looks after slow ones, and ends without cutting an answer off."""

import asyncio
import socket

from airside.server.connection import Connection
from airside.server.message import Application

MAX_CONNECTIONS = 2000
LOOK_EVERY_S = 5.0


class Listener:
    """Answers on a socket until it is drained.

    Args:
        app: what answers.
        max_connections: how many clients may be connected; one more is closed at once.

    Attributes:
        connections: those that are open.
    """

    def __init__(self, app: Application, *, max_connections: int = MAX_CONNECTIONS) -> None:
        self.connections: set[Connection] = set()
        self._app = app
        self._limit = max_connections

    async def listen(self, listening: socket.socket) -> None:
        """Begin to answer."""
        self._loop = asyncio.get_running_loop()
        self._server = await self._loop.create_server(
            lambda: Connection(self._app, self.connections, self._limit), sock=listening, backlog=2048
        )
        self._timer = self._loop.call_later(LOOK_EVERY_S, self._look)

    def _look(self) -> None:
        now = self._loop.time()
        for connection in list(self.connections):
            connection.look(now)
        self._timer = self._loop.call_later(LOOK_EVERY_S, self._look)

    async def drain(self, within_s: float) -> None:
        """Take no more connections; end each when it is answered, and what is left in the end."""
        self._timer.cancel()
        self._server.close()
        for connection in list(self.connections):
            connection.drain()
        deadline = self._loop.time() + within_s
        while self.connections and self._loop.time() < deadline:  # noqa: ASYNC110 -- once, at the end
            await asyncio.sleep(0.01)
        self.cut()
        await asyncio.sleep(0)  # what was cut hears of it

    def cut(self) -> None:
        """End every connection at once."""
        for connection in list(self.connections):
            connection.cut()
