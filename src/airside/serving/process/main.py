"""Runs a serving process: listen, follow, answer, drain."""

import asyncio
import fcntl
import importlib
import logging
import os
import signal
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from airside.core.errors import Conflict, Unavailable
from airside.serving.operations.predictions import AppendPredictions
from airside.serving.process.app import ServingApp
from airside.serving.process.control import ControlPlane
from airside.serving.process.door import AskAdmitted, Door
from airside.serving.process.follow import Follower
from airside.serving.process.models import ModelFolders
from airside.serving.process.spool import Spool
from airside.serving.process.table import Table
from airside.serving.records import NewBatch

GRACE_S = 2.0
"""After SIGTERM, how long kept connections are still answered, each answer closing its connection."""
START_S = 30.0
"""How long a start waits for the first routing; connections wait meanwhile, and none is refused."""
LINGER_S = 1.0
FINISH_S = 8
HOUSEKEEPING_S = 0.25
_log = logging.getLogger("airside.serving")


class Listening(Protocol):
    """What takes connections: `server.listener.Listener`, with its limits to heads, bodies and slow clients."""

    async def listen(self, listening: socket.socket, *, tls: ssl.SSLContext | None = None) -> None:
        """Begin to answer; with TLS, https."""

    async def drain(self, within_s: float, *, linger_s: float = 0.0) -> None:
        """Take no more connections, and end each when it is answered."""

    def cut(self) -> None:
        """End every connection at once."""


class Serving(NamedTuple):
    """How a serving process answers.

    Attributes:
        listener: makes what takes connections for an application.
        allow_pickle: whether models that could not be compiled may run, in worker processes.
        allowed_hosts: further Host names than this machine's own.
        admitted: asks which tokens may call; None: whoever reaches the process may.
        tls: of https.
    """

    listener: Callable[[ServingApp], Listening]
    allow_pickle: bool = False
    allowed_hosts: tuple[str, ...] = ()
    admitted: AskAdmitted | None = None
    tls: ssl.SSLContext | None = None


def serve(
    control: ControlPlane,
    listening: socket.socket,
    spool: Path,
    how: Serving,
    *,
    say: Callable[[str], None] = print,
) -> None:
    """Answer predictions until SIGTERM.

    Args:
        control: the control plane.
        listening: a bound socket.
        spool: the folder for what is not handed over yet, and for the files of models. One process uses it at a time.
        how: whom it answers, and how.
        say: tells where it answers.

    Raises:
        Conflict: another process uses the spool.
    """
    spool.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = _lock(spool)
    try:
        _runner()(_serve(control, listening, spool, how, say))
    finally:
        os.close(lock)


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes any that is free.

    Raises:
        Unavailable: the address is taken.
    """
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise Unavailable(
            f"Cannot listen on {host}:{port}: {error.strerror}. Take another with --serving-port, or 0 for a free one."
        ) from error
    return listening


async def _serve(
    control: ControlPlane, listening: socket.socket, folder: Path, how: Serving, say: Callable[[str], None]
) -> None:
    followers: list[Follower] = []

    def deliver(batches: tuple[NewBatch, ...]) -> None:
        taken = control.call(AppendPredictions(batches=batches))
        for follower in followers:
            follower.told(taken.revision)

    spool = Spool(folder / "log", deliver)
    door = Door(how.admitted, folder / "admitted.json") if how.admitted is not None else None
    app = ServingApp(spool, allowed_hosts=how.allowed_hosts, door=door)

    def swap(table: Table) -> None:
        app.table = table

    folders = ModelFolders(folder / "models", control, allow_pickle=how.allow_pickle)
    follower = Follower(control, folders, swap, folder / "routing.json")
    followers.append(follower)
    listener = how.listener(app)
    stopping = _stopping(app, listener)
    housekeeping = asyncio.create_task(_keep_house(app))
    if door is not None:
        door.start()
    follower.start()
    await asyncio.to_thread(follower.has_begun.wait, START_S)
    host, port = listening.getsockname()[:2]
    say(f"Airside serves predictions at {'https' if how.tls else 'http'}://{host}:{port}")
    try:
        await listener.listen(listening, tls=how.tls)
        await stopping.wait()
        await listener.drain(FINISH_S, linger_s=LINGER_S)
        await app.scorer.finish()
    finally:
        housekeeping.cancel()
        with suppress(asyncio.CancelledError):
            await housekeeping
        if door is not None:
            await asyncio.to_thread(door.close)
        await asyncio.to_thread(follower.close)
        await asyncio.to_thread(spool.close)


def _stopping(app: ServingApp, listener: Listening) -> asyncio.Event:
    """Set when it is time to stop listening: some time after SIGTERM, at once with a second one."""
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()

    def drain() -> None:
        """Begin to end: not ready, answers close their connections, then stop listening."""
        if app.draining:
            listener.cut()
            stopping.set()
            return
        app.draining = True
        _log.info("drain.started")
        loop.call_later(GRACE_S, stopping.set)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, drain)
    return stopping


async def _keep_house(app: ServingApp) -> None:
    while True:
        await asyncio.sleep(HOUSEKEEPING_S)
        for live in app.table.routes.values():
            for arm in (*live.arms, *((live.shadow,) if live.shadow else ())):
                arm.model.batcher.expire()


def _runner() -> Callable[[Any], Any]:
    try:
        uvloop = importlib.import_module("uvloop")
    except ModuleNotFoundError:
        return asyncio.run
    run: Callable[[Any], Any] = uvloop.run
    return run


def _lock(folder: Path) -> int:
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise Conflict(
            f"Another serving process uses the spool '{folder.name}'. Give this one another folder."
        ) from None
    return handle
