"""Runs a serving process: listen, follow, answer, drain."""

import asyncio
import fcntl
import importlib
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import uvicorn

from airside.core.errors import Conflict, Unavailable
from airside.serving.operations.predictions import AppendPredictions
from airside.serving.process.app import ServingApp
from airside.serving.process.control import ControlPlane
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


class DrainingServer(uvicorn.Server):
    """uvicorn, but that SIGTERM first lets kept connections end well. A second signal ends it at once."""

    def __init__(self, config: uvicorn.Config, app: ServingApp) -> None:
        super().__init__(config)
        self._app = app

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Listen to SIGTERM and SIGINT while serving."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.drain)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    def drain(self) -> None:
        """Begin to end: not ready, answers close their connections, then stop listening."""
        if self._app.draining:
            self.force_exit = self.should_exit = True
            return
        self._app.draining = True
        _log.info("drain.started")
        asyncio.get_running_loop().call_later(GRACE_S, self._stop)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, and let the connections that were accepted last have their answers before they close."""
        for server in self.servers:
            server.close()
        until = time.monotonic() + LINGER_S
        while self.server_state.connections and time.monotonic() < until and not self.force_exit:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        await super().shutdown(sockets)

    def _stop(self) -> None:
        self.should_exit = True


def serve(
    control: ControlPlane,
    listening: socket.socket,
    spool: Path,
    *,
    allow_pickle: bool = False,
    allowed_hosts: tuple[str, ...] = (),
    say: Callable[[str], None] = print,
) -> None:
    """Answer predictions until SIGTERM.

    Args:
        control: the control plane.
        listening: a bound socket.
        spool: the folder for what is not handed over yet, and for the files of models. One process uses it at a time.
        allow_pickle: whether models that could not be compiled may run, in worker processes.
        allowed_hosts: further Host names than this machine's own.
        say: tells where it answers.

    Raises:
        Conflict: another process uses the spool.
    """
    spool.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = _lock(spool)
    try:
        _runner()(_serve(control, listening, spool, allow_pickle=allow_pickle, allowed_hosts=allowed_hosts, say=say))
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
    control: ControlPlane,
    listening: socket.socket,
    folder: Path,
    *,
    allow_pickle: bool,
    allowed_hosts: tuple[str, ...],
    say: Callable[[str], None],
) -> None:
    followers: list[Follower] = []

    def deliver(batches: tuple[NewBatch, ...]) -> None:
        taken = control.call(AppendPredictions(batches=batches))
        for follower in followers:
            follower.told(taken.revision)

    spool = Spool(folder / "log", deliver)
    app = ServingApp(spool, allowed_hosts=allowed_hosts)

    def swap(table: Table) -> None:
        app.table = table

    folders = ModelFolders(folder / "models", control, allow_pickle=allow_pickle)
    follower = Follower(control, folders, swap, folder / "routing.json")
    followers.append(follower)
    config = uvicorn.Config(
        app,
        http="httptools",
        lifespan="off",
        access_log=False,
        server_header=False,
        date_header=False,
        log_config=None,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=FINISH_S,
    )
    server = DrainingServer(config, app)
    housekeeping = asyncio.create_task(_keep_house(app))
    host, port = listening.getsockname()[:2]
    follower.start()
    await asyncio.to_thread(follower.has_begun.wait, START_S)
    say(f"Airside serves predictions at http://{host}:{port}")
    try:
        await server.serve(sockets=[listening])
        await app.scorer.finish()
    finally:
        housekeeping.cancel()
        with suppress(asyncio.CancelledError):
            await housekeeping
        await asyncio.to_thread(follower.close)
        await asyncio.to_thread(spool.close)


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
