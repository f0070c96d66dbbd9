"""What the first answer does not need: the rooms, their routes, what runs beside the socket.

Imported by a thread while the server listens already (it takes as long as all the rest of the start); requests that
need it wait for it. See `server.run`.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Literal

from airside.core.operation import SERVICE, Actor
from airside.core.settings import Settings
from airside.platform.access.tokens import CreateToken, ListTokens, RevokeToken
from airside.platform.courier import Courier
from airside.platform.home import Home
from airside.platform.loops import Loops
from airside.platform.reach import Reach
from airside.platform.reacting import Reactor
from airside.platform.reactions.table import REACTIONS
from airside.platform.wiring import Platform
from airside.server.app import App
from airside.server.children import Children, kinds_of
from airside.server.live import Streams
from airside.server.login import VARIABLE
from airside.server.replies import Replies
from airside.server.routes import pages, routes

CHILDREN = "airside children"
Say = Callable[[str], None]
Asks = Literal["", "token", "password"]


class Opened:
    """An open platform behind a listening server: its routes, reactions, loops and children."""

    def __init__(self, owned: Home, settings: Settings) -> None:
        self.platform = Platform.open(owned.path, settings=settings, owned=owned)
        self._streams: Streams | None = None
        self._background: list[Reactor | Loops | Courier | Children] = []
        self._token = ""

    def answer(self, app: App, serving: socket.socket | None, serving_url: str) -> None:
        """Hang the routes into the application: from now on it answers everything. On the event loop."""
        if serving is not None:
            self.platform.memory["serving_url"] = serving_url
        self._streams = Streams(self.platform.hub)
        programs = routes(self.platform, Replies(self.platform), self._streams)
        app.open(self.platform, programs, later=lambda: pages(self.platform))

    def start(self, reach: Reach, serving: socket.socket | None, *, asks: Asks, user: str, say: Say) -> None:
        """Start what runs beside the socket, and tell this machine where the server answers. On a thread.

        Args:
            reach: where it answers.
            serving: what the serving process listens on.
            asks: what callers must show, if anything.
            user: whose password it is.
            say: tells the person who starts it.
        """
        if asks:
            self._forget_tokens()
            made = self.platform.call(SERVICE, CreateToken(name=CHILDREN, role="owner", days=0))
            self._token = made.text
        if asks == "token":
            self._say_owner_token(say)
        if asks == "password":
            say(f"Authentication is on. Sign in as '{user}' with the password of {VARIABLE}, or with a token.")
        self.platform.announce(url=reach.url, token=self._token, fingerprint=reach.fingerprint)
        self._background = [
            Reactor(self.platform, REACTIONS),
            Loops(self.platform),
            Courier(self.platform),
            Children(self.platform, reach, self._token, kinds_of(self.platform, serving, needs_token=bool(asks))),
        ]

    async def drain(self) -> None:
        """End the children first, while what they hand over is still answered; then the streams."""
        for part in reversed(self._background):
            await asyncio.to_thread(part.close)
        if self._streams is not None:
            self._streams.close()

    def close(self) -> None:
        """Commit what waits and give the home up. When nobody asks any more."""
        if self._token:
            self._forget_tokens()
        self.platform.close()

    def _forget_tokens(self) -> None:
        """End the tokens of children: of this run when it ends, of one that was killed at the next start."""
        for token in self.platform.call(SERVICE, ListTokens()).items:
            if token.name == CHILDREN:
                self.platform.call(SERVICE, RevokeToken(token_id=token.id))

    def _say_owner_token(self, say: Say) -> None:
        """Make the owner's token at the first start, and show it once."""
        owner = Actor(name="operator", role="owner")
        if any(token.name == "owner" for token in self.platform.call(owner, ListTokens()).items):
            say("Authentication is on. Use the owner's token that the first start printed, or one made with it.")
            return
        made = self.platform.call(owner, CreateToken(name="owner", role="owner", days=0))
        say(f"Authentication is on. The owner's token, shown this once: {made.text}")
