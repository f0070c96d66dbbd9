"""The processes that the server starts when they are first needed, and keeps alive: serving, the local runner.

The serving process inherits a socket that this process listens on and keeps: while a serving process is started
again, connections wait in the socket's queue and none is refused.
"""

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from airside.core.event import Event
from airside.core.operation import SERVICE
from airside.core.record import Record
from airside.pipelines.operations.runs import ListRuns
from airside.pipelines.records import RunState
from airside.platform.reach import Reach
from airside.platform.wiring import Platform
from airside.server.login import VARIABLE
from airside.serving.operations.endpoints import ListEndpoints
from airside.store.private import opener

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 30.0
QUICK_DEATH_S = 5.0
TERM_S = 6.0
LIMITS = ("connections", "head_seconds", "stall_seconds")
CERTIFICATE = ("ssl_certfile", "ssl_keyfile")
UNFINISHED: tuple[RunState, ...] = ("queued", "running", "interrupted")

_log = logging.getLogger("airside.children")


class Kind(Record):
    """A kind of child.

    Attributes:
        name: the command that it runs (`airside NAME`), and its log file.
        is_needed: whether there is work for it; asked until it is, then it stays.
        wakes: events that may make it needed.
        arguments: of the command.
    """

    name: str
    is_needed: Callable[[Platform], bool]
    wakes: frozenset[str]
    arguments: tuple[str, ...] = ()
    descriptors: tuple[int, ...] = ()


class Children:
    """Supervises one child of each kind until it is closed.

    A child that dies is started again at once; one that dies within seconds, only with growing pauses.
    """

    def __init__(self, platform: Platform, reach: Reach, token: str, kinds: tuple[Kind, ...]) -> None:
        self._platform = platform
        self._environment = {
            **{name: value for name, value in os.environ.items() if name != VARIABLE},
            "AIRSIDE_URL": reach.url,
            "AIRSIDE_FINGERPRINT": reach.fingerprint,
            "AIRSIDE_ALLOWED_HOSTS": ",".join((*platform.settings["allowed_hosts"], platform.settings["host"])),
            "AIRSIDE_TOKEN": token,
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }
        self._closed = threading.Event()
        self._wakes = {kind.name: threading.Event() for kind in kinds}
        self._kinds = kinds
        self._stop = platform.hub.listen(self._heard)
        self._threads = [
            threading.Thread(target=self._watch, args=(kind,), name=f"airside-child-{kind.name}", daemon=True)
            for kind in kinds
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End every child: SIGTERM, then SIGKILL."""
        self._stop()
        self._closed.set()
        for wake in self._wakes.values():
            wake.set()
        for thread in self._threads:
            thread.join()

    def _heard(self, events: tuple[Event, ...]) -> None:
        names = {event.NAME for event in events}
        for kind in self._kinds:
            if names & kind.wakes:
                self._wakes[kind.name].set()

    def _watch(self, kind: Kind) -> None:
        """Start, wait for its end, start again. Lives as long as the server: the child dies with this thread."""
        wake = self._wakes[kind.name]
        while not self._closed.is_set() and not self._is_needed(kind):
            wake.wait()
            wake.clear()
        pause_s = FIRST_PAUSE_S
        while not self._closed.is_set():
            started = time.monotonic()
            child = self._start(kind)
            while child.poll() is None and not self._closed.wait(0.1):
                pass
            if self._closed.is_set():
                _end(child)
                return
            lived_s = time.monotonic() - started
            pause_s = FIRST_PAUSE_S if lived_s > QUICK_DEATH_S else min(pause_s * 2, LONGEST_PAUSE_S)
            _log.warning("child.died name=%s status=%s lived_s=%.1f", kind.name, child.returncode, lived_s)
            self._closed.wait(pause_s)

    def _is_needed(self, kind: Kind) -> bool:
        try:
            return kind.is_needed(self._platform)
        except Exception:  # noqa: BLE001 -- the edge of a supervisor: it asks again when the next event comes
            _log.exception("child.not_asked name=%s", kind.name)
            return False

    def _start(self, kind: Kind) -> "subprocess.Popen[bytes]":
        log = self._platform.path / "logs" / f"{kind.name}.log"
        if log.exists() and log.stat().st_size > 20 << 20:
            log.replace(log.with_suffix(".log.1"))
        command = [sys.executable, "-m", "airside", kind.name, *kind.arguments, "--parent", str(os.getpid())]
        with open(log, "ab", opener=opener) as output:
            return subprocess.Popen(  # noqa: S603 -- our own interpreter and command
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment,
                pass_fds=kind.descriptors,
                start_new_session=True,
            )


def _end(child: "subprocess.Popen[bytes]") -> None:
    child.terminate()
    try:
        child.wait(TERM_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def kinds_of(platform: Platform, serving: socket.socket | None, *, needs_token: bool) -> tuple[Kind, ...]:
    """The children that the settings ask for; whoever needs a token here needs one at the serving process too."""
    wanted: list[Kind] = []
    if serving is not None:
        descriptor = serving.fileno()
        wanted.append(
            Kind(
                name="serve",
                is_needed=_has_endpoint,
                wakes=frozenset({"EndpointChanged", "RolloutStarted"}),
                arguments=(
                    "--descriptor",
                    str(descriptor),
                    "--spool",
                    str(platform.path / "spool"),
                    "--auth",
                    "on" if needs_token else "off",
                    *(("--allow-pickle",) if platform.settings["allow_pickle"] else ()),
                    *_flags(platform, *LIMITS, *CERTIFICATE),
                ),
                descriptors=(descriptor,),
            )
        )
    if platform.settings["runner"]:
        wanted.append(
            Kind(
                name="worker",
                is_needed=_has_run,
                wakes=frozenset({"PipelineRunStarted"}),
                arguments=("--home", str(platform.path)),
            )
        )
    return tuple(wanted)


def _flags(platform: Platform, *names: str) -> tuple[str, ...]:
    """The same settings as the control plane's, where they have a value."""
    given = [(f"--{name.replace('_', '-')}", platform.settings[name]) for name in names]
    return tuple(part for flag, value in given if value for part in (flag, str(value)))


def _has_endpoint(platform: Platform) -> bool:
    return bool(platform.call(SERVICE, ListEndpoints(max_results=1)).items)


def _has_run(platform: Platform) -> bool:
    return bool(platform.call(SERVICE, ListRuns(states=UNFINISHED, max_results=1)).items)
