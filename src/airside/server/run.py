"""`airside server`: open the home, listen, answer until SIGTERM, then drain.

The start is two halves. The first opens the home and listens: it imports next to nothing. The second, on a thread,
imports the rooms and opens them (`server.opening`); requests that come meanwhile wait for it.
"""

import asyncio
import gc
import logging
import logging.handlers
import os
import signal
import socket
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from airside.core.aliases import from_server
from airside.core.errors import Conflict, Invalid, WrongUse
from airside.core.hosts import needs_authentication
from airside.core.logs import OneLine
from airside.core.plugin import load
from airside.core.settings import Settings
from airside.platform.home import Home
from airside.platform.places import places_of
from airside.platform.reach import Reach
from airside.server.app import App
from airside.server.connection import Limits
from airside.server.guard import Guard
from airside.server.listener import Listener
from airside.server.login import AdminLogin
from airside.server.settled import check, checked_login, left_behind, tls_of, warn_of
from airside.store.private import opener
from airside.store.sql.bootstrap import prepare
from airside.store.sql.database import database_of

if TYPE_CHECKING:
    from airside.server.opening import Opened
    from airside.server.settled import Tls

GRACE_S = 8
GARBAGE_EVERY = 10_000
LOG_BYTES, LOG_FILES = 20 << 20, 10
Say = Callable[[str], None]


class Start(NamedTuple):
    """What a server starts with."""

    settings: Settings
    login: AdminLogin | None
    tls: "Tls | None"
    say: Say

    @property
    def needs_token(self) -> bool:
        """Whether callers must say who they are."""
        return needs_authentication(self.settings["auth"], self.settings["host"])

    @property
    def asks(self) -> Literal["", "token", "password"]:
        """What callers must show, if anything."""
        if not self.needs_token:
            return ""
        return "password" if self.login else "token"

    def url(self, listening: socket.socket) -> str:
        """Where a caller on this machine reaches the server."""
        prefix: str = self.settings["static_prefix"]
        return _url(listening, "https" if self.tls else "http") + prefix


def serve(
    home: Path, flags: dict[str, Any], say: Say, *, aliases: Mapping[str, Any] | None = None, warn: Say | None = None
) -> None:
    """Run the server until it is told to stop.

    Args:
        home: the folder that everything lives in.
        flags: of the command, by the setting's name.
        say: tells where it answers.
        aliases: flags of `mlflow server`, by their names in `core.aliases`.
        warn: tells what was ignored, and what is dangerous.

    Raises:
        AirsideError: it cannot start; the text says why and what to do.
    """
    gc.disable()  # nothing that a start makes is garbage; looking for some takes a sixth of its time
    path = home.expanduser().resolve()
    taken = from_server(os.environ, aliases or {})
    settings = Settings.load(path, flags=flags, taken=taken)
    start = Start(settings, checked_login(settings, os.environ), tls_of(settings), say)
    check(settings)
    needs_authentication(settings["auth"], settings["host"])
    _level(settings["log_level"])
    warn_of(settings, taken, warn or say)
    with ExitStack() as open_sockets:
        listening = open_sockets.enter_context(_listen(settings["host"], settings["port"]))
        serving = None
        if settings["serving"]:
            serving = open_sockets.enter_context(_listen(settings["host"], settings["serving_port"]))
        owned = Home(path)
        try:
            database = database_of(settings["database"], path, synchronous=settings["synchronous"])
            places_of(settings, path)
            if prepare(database) and not settings["database"] and (line := left_behind(Path.cwd())):
                (warn or say)(line)
            _log_to(path / "logs" / "server.log", settings["log_level"])
            url = start.url(listening)
            owned.announce(url=url, is_starting=True)
            say(f"Airside answers at {url} (home {path}, {database.label})")
            _run_fast(_serve(owned, start, listening, serving))
        finally:
            owned.close()


def _run_fast(main: Any) -> None:
    """On uvloop where it is installed."""
    try:
        import uvloop  # noqa: PLC0415 -- optional
    except ModuleNotFoundError:
        asyncio.run(main)
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main)


async def _serve(owned: Home, start: Start, listening: socket.socket, serving: socket.socket | None) -> None:
    settings = start.settings
    guard = Guard(settings["host"], settings["allowed_hosts"], settings["allowed_origins"])
    app = App(settings, guard, needs_token=start.needs_token, login=start.login)
    limits = Limits(
        connections=settings["connections"], head_s=settings["head_seconds"], stall_s=settings["stall_seconds"]
    )
    listener = Listener(app, limits=limits)
    stopping = asyncio.Event()

    def stop() -> None:
        """The first signal drains; a second one ends at once."""
        if stopping.is_set():
            listener.cut()
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    await listener.listen(listening, tls=start.tls.context if start.tls else None)
    scheme = "https" if start.tls else "http"
    opened: Opened = await asyncio.to_thread(lambda: load("airside.server.opening:Opened")(owned, settings))
    try:
        opened.answer(app, serving, _url(serving, scheme) if serving is not None else "")
        _collect_rarely()
        reach = Reach(start.url(listening), start.tls.fingerprint if start.tls else "")
        user = start.login.user if start.login else ""
        await asyncio.to_thread(partial(opened.start, reach, serving, asks=start.asks, user=user, say=start.say))
        await stopping.wait()
        await opened.drain()
    finally:
        await listener.drain(GRACE_S)
        await asyncio.to_thread(opened.close)


def _collect_rarely() -> None:
    """Collect garbage again, but never look at what the start made: it stays.

    A request leaves next to nothing that counting references does not free, and by Python's own threshold the
    collector would take a tenth of the time of a small write.
    """
    gc.freeze()
    gc.set_threshold(GARBAGE_EVERY)
    gc.enable()


def _url(listening: socket.socket, scheme: str = "http") -> str:
    """Where a caller on this machine reaches a socket."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- compared only
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket on exactly this address."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, OverflowError, UnicodeError) as error:
        raise Invalid(f"'{host}' port {port} is not an address of this machine: {error}.") from error
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise Conflict(
            f"{host} port {port} cannot be listened on: {error.strerror}. Stop what listens there, or name another "
            "with --port (0 takes a free one)."
        ) from error
    listening.setblocking(False)
    return listening


def _level(name: str) -> int:
    """The number of a level.

    Raises:
        WrongUse: there is no such level.
    """
    levels = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
    if name.lower() not in levels:
        raise WrongUse(f"--log-level is '{name}'. It is one of: {', '.join(levels)}.")
    return levels[name.lower()]


class _PrivateLog(logging.handlers.RotatingFileHandler):
    """Log files that only this user may read."""

    def _open(self) -> Any:
        return open(self.baseFilename, self.mode, encoding="utf-8", opener=opener)


def _log_to(path: Path, level: str) -> None:
    """One line for each event, in files that are rotated."""
    handler = _PrivateLog(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES)
    handler.setFormatter(OneLine())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(_level(level))
