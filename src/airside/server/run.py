"""`airside server`: open the home, listen, answer until SIGTERM, then drain."""

import asyncio
import ipaddress
import logging
import logging.handlers
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from airside.core.errors import Conflict, Invalid
from airside.core.operation import SERVICE, Actor
from airside.core.settings import Settings
from airside.platform.access.tokens import CreateToken, ListTokens, RevokeToken
from airside.platform.loops import Loops
from airside.platform.reacting import Reactor
from airside.platform.reactions.table import REACTIONS
from airside.platform.wiring import Platform
from airside.server.app import App
from airside.server.children import Children, Kind, kinds_of
from airside.server.guard import Guard
from airside.server.live import Streams
from airside.server.replies import Replies
from airside.server.routes import routes

GRACE_S = 8
LOG_BYTES, LOG_FILES = 20 << 20, 10
CHILDREN = "airside children"
Say = Callable[[str], None]


class Server(uvicorn.Server):
    """uvicorn's server, without its signal handlers: a SIGTERM that was obeyed ends with status 0."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The event loop's own handlers do it."""
        yield


def serve(home: Path, flags: dict[str, Any], say: Say) -> None:
    """Run the server until it is told to stop.

    Raises:
        AirsideError: it cannot start; the text says why and what to do.
    """
    settings = Settings.load(home.expanduser(), flags=flags)
    with ExitStack() as open_sockets:
        listening = open_sockets.enter_context(_listen(settings["host"], settings["port"]))
        serving = None
        if settings["serving"]:
            serving = open_sockets.enter_context(_listen(settings["host"], settings["serving_port"]))
        platform = Platform.open(home, settings=settings)
        _run(platform, listening, serving, say)


def _run(platform: Platform, listening: socket.socket, serving: socket.socket | None, say: Say) -> None:
    try:
        _log_to(platform.path / "logs" / "server.log", platform.settings["log_level"])
        _run_fast(_serve(platform, listening, serving, say))
    finally:
        platform.close()


def _run_fast(main: Any) -> None:
    """On uvloop where it is installed."""
    try:
        import uvloop  # noqa: PLC0415 -- optional
    except ModuleNotFoundError:
        asyncio.run(main)
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main)


async def _serve(platform: Platform, listening: socket.socket, serving: socket.socket | None, say: Say) -> None:
    settings = platform.settings
    needs_token = needs_authentication(settings["auth"], settings["host"])
    guard = Guard(settings["host"], settings["allowed_hosts"], settings["allowed_origins"])
    app = App(platform, guard, needs_token=needs_token)
    streams = Streams(platform.hub)
    app.router.add(routes(platform, Replies(platform), streams))
    server = Server(
        uvicorn.Config(
            app,
            http="httptools",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            timeout_keep_alive=75,
            timeout_graceful_shutdown=GRACE_S,
        )
    )
    loop = asyncio.get_running_loop()

    background: list[Any] = []
    stopping = asyncio.Event()

    def stop() -> None:
        """The first signal drains; a second one ends at once."""
        server.force_exit = stopping.is_set()
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    url = _url(listening) + app.prefix
    if serving is not None:
        platform.memory["serving_url"] = _url(serving)
    token = _service_token(platform) if needs_token else ""
    platform.announce(url=url, token=token)
    say(f"Airside answers at {url} (home {platform.path}, {platform.database.label})")
    if needs_token:
        _say_owner_token(platform, say)
    elif settings["auth"] == "off" and not is_loopback(settings["host"]):
        say("WARNING: authentication is off on an address that others can reach.")
    kinds = kinds_of(platform, serving)
    starting = loop.run_in_executor(None, lambda: background.extend(_start(platform, url, token, kinds)))

    async def drain() -> None:
        """The children end first: what they still hand over is answered."""
        await stopping.wait()
        await starting
        await asyncio.to_thread(lambda: [part.close() for part in reversed(background)])
        streams.close()
        server.should_exit = True

    draining = asyncio.create_task(drain())
    try:
        await server.serve(sockets=[listening])
    finally:
        stopping.set()
        await draining
        if token:
            await asyncio.to_thread(_forget_service_tokens, platform)


def _start(platform: Platform, url: str, token: str, kinds: tuple[Kind, ...]) -> tuple[Any, ...]:
    """What runs beside the socket, started after it listens."""
    return Reactor(platform, REACTIONS), Loops(platform), Children(platform, url, token, kinds)


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


def _service_token(platform: Platform) -> str:
    """A token for the children of this server, for as long as it runs."""
    _forget_service_tokens(platform)
    return platform.call(SERVICE, CreateToken(name=CHILDREN, role="owner", days=0)).text


def _forget_service_tokens(platform: Platform) -> None:
    """End the tokens of children: of this run when it ends, of one that was killed at the next start."""
    for token in platform.call(SERVICE, ListTokens()).items:
        if token.name == CHILDREN:
            platform.call(SERVICE, RevokeToken(token_id=token.id))


def _say_owner_token(platform: Platform, say: Say) -> None:
    """Make the owner's token at the first start, and show it once."""
    owner = Actor(name="operator", role="owner")
    if any(token.name == "owner" for token in platform.call(owner, ListTokens()).items):
        say("Authentication is on. Use the owner's token that the first start printed, or one made with it.")
        return
    made = platform.call(owner, CreateToken(name="owner", role="owner", days=0))
    say(f"Authentication is on. The owner's token, shown this once: {made.text}")


def _log_to(path: Path, level: str) -> None:
    """One line for each event, in files that are rotated."""
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
