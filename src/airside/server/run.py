"""`airside server`: open the home, listen, answer until SIGTERM, then drain.

The start is two halves. The first opens the home and listens: it imports next to nothing. The second, on a thread,
imports the rooms and opens them (`server.opening`); requests that come meanwhile wait for it.
"""

import asyncio
import gc
import ipaddress
import logging
import logging.handlers
import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airside.core.errors import Conflict, Invalid
from airside.core.plugin import load
from airside.core.settings import Settings
from airside.platform.home import Home
from airside.server.app import App
from airside.server.guard import Guard
from airside.server.listener import Listener
from airside.store.sql.bootstrap import prepare
from airside.store.sql.database import database_of

if TYPE_CHECKING:
    from airside.server.opening import Opened

GRACE_S = 8
GARBAGE_EVERY = 10_000
LOG_BYTES, LOG_FILES = 20 << 20, 10
Say = Callable[[str], None]


def serve(home: Path, flags: dict[str, Any], say: Say) -> None:
    """Run the server until it is told to stop.

    Raises:
        AirsideError: it cannot start; the text says why and what to do.
    """
    gc.disable()  # nothing that a start makes is garbage; looking for some takes a sixth of its time
    path = home.expanduser().resolve()
    settings = Settings.load(path, flags=flags)
    needs_authentication(settings["auth"], settings["host"])
    _level(settings["log_level"])
    with ExitStack() as open_sockets:
        listening = open_sockets.enter_context(_listen(settings["host"], settings["port"]))
        serving = None
        if settings["serving"]:
            serving = open_sockets.enter_context(_listen(settings["host"], settings["serving_port"]))
        owned = Home(path)
        try:
            database = database_of(settings["database"], path, synchronous=settings["synchronous"])
            prepare(database)
            _log_to(path / "logs" / "server.log", settings["log_level"])
            url = _url(listening) + settings["static_prefix"].rstrip("/")
            owned.announce(url=url, is_starting=True)
            say(f"Airside answers at {url} (home {path}, {database.label})")
            _run_fast(_serve(owned, settings, listening, serving, say))
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


async def _serve(
    owned: Home, settings: Settings, listening: socket.socket, serving: socket.socket | None, say: Say
) -> None:
    needs_token = needs_authentication(settings["auth"], settings["host"])
    guard = Guard(settings["host"], settings["allowed_hosts"], settings["allowed_origins"])
    app = App(settings, guard, needs_token=needs_token)
    listener = Listener(app)
    stopping = asyncio.Event()

    def stop() -> None:
        """The first signal drains; a second one ends at once."""
        if stopping.is_set():
            listener.cut()
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    if not needs_token and not is_loopback(settings["host"]):
        say("WARNING: authentication is off on an address that others can reach.")
    await listener.listen(listening)
    opened: Opened = await asyncio.to_thread(lambda: load("airside.server.opening:Opened")(owned, settings))
    try:
        opened.answer(app, serving, _url(serving) if serving is not None else "")
        _collect_rarely()
        url = _url(listening) + app.prefix
        await asyncio.to_thread(partial(opened.start, url, serving, needs_token=needs_token, say=say))
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


def _url(listening: socket.socket) -> str:
    """Where a caller on this machine reaches a socket."""
    host, port = listening.getsockname()[:2]
    return f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"  # noqa: S104 -- compared only


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def needs_authentication(mode: str, host: str) -> bool:
    """Whether callers must say who they are.

    Raises:
        Invalid: the mode is none of auto, on, off.
    """
    if mode not in ("auto", "on", "off"):
        raise Invalid(f"--auth is '{mode}'. It is one of: auto, on, off.")
    return mode == "on" or (mode == "auto" and not is_loopback(host))


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
        Invalid: there is no such level.
    """
    levels = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
    if name.lower() not in levels:
        raise Invalid(f"--log-level is '{name}'. It is one of: {', '.join(levels)}.")
    return levels[name.lower()]


def _log_to(path: Path, level: str) -> None:
    """One line for each event, in files that are rotated."""
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(_level(level))
