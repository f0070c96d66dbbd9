"""The runner: claims runs over HTTP and drives them, one at a time. Started by `airside worker`, and by the server.

    airside.pipelines.runner.main("http://127.0.0.1:5000", token, home=Path("home"))

Promises: a run whose driver died is taken up again under its own id by the next runner that looks (within half a second
on the same machine, after the lease of 30 s elsewhere); its finished steps are kept, none runs twice; nothing that a
dead driver's worker processes have left behind goes on.
"""

import logging
import os
import queue
import shutil
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from airside.core.errors import AirsideError, Conflict, Unavailable
from airside.core.ids import PipelineRunId
from airside.core.plugin import load
from airside.core.record import Record
from airside.pipelines.captured import RunCapture
from airside.pipelines.control import Control
from airside.pipelines.driver import Driver, Outcome, finish
from airside.pipelines.executors import executor_class
from airside.pipelines.executors.pool import RUN_VARIABLE, WORKER_VARIABLES
from airside.pipelines.executors.port import Ended, Site
from airside.pipelines.journal import LEASE_S, Journal, Stopped
from airside.pipelines.keys import SECRET_BYTES, Keys
from airside.pipelines.lock import RunLock, host_of, processes_with
from airside.pipelines.operations.runs import Claimed, ClaimRun, GetOffers, ReleaseRun
from airside.pipelines.project import unpack
from airside.store import private

POLL_S = 0.3
MAX_DRIVERS = 20
"""A run that has killed so many drivers is failed, not tried again."""
_log = logging.getLogger("airside.pipelines")


class RunnerOptions(Record):
    """How a runner works.

    Attributes:
        executor: `pool` (warm worker processes), `process` (a fresh one for each attempt) or `inline`.
        size: how many bodies may run at once.
    """

    executor: str = "pool"
    size: int = 1


class Runner:
    """Claims and drives runs until `stop` is set.

    Args:
        control: the control plane.
        token: its token, for the steps' own use.
        folder: where runs' folders and locks are; runners that share it see each other's death at once.
    """

    def __init__(
        self, control: Control, folder: Path, options: RunnerOptions, *, token: str, stop: threading.Event
    ) -> None:
        private.folder(folder)
        self._control = control
        self._folder = folder
        self._options = options
        self._token = token
        self._stop = stop
        self._host = host_of(folder)
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._secret = _secret(folder)

    def run(self) -> None:
        """Look for runs and drive them until told to stop."""
        while not self._stop.is_set():
            if not self.step():
                self._stop.wait(POLL_S)

    def step(self) -> bool:
        """Claim one run and drive it to its end; False when there was none."""
        try:
            offers = self._control.call(GetOffers(host=self._host))
        except Unavailable:
            return False
        for run_id in (*offers.here, *offers.queued, *offers.abandoned):
            lock = RunLock.take(self._folder, run_id)
            if lock is None:
                continue
            try:
                ask = ClaimRun(run_id=run_id, worker=self._name, host=self._host, holds_lock=True, lease_s=LEASE_S)
                claimed = self._control.call(ask)
                self._drive(claimed)
            except Conflict:
                continue  # somebody on another machine was faster, or it has ended meanwhile
            except Unavailable:
                return False
            finally:
                lock.release()
            return True
        return False

    def _drive(self, claimed: Claimed) -> None:
        run = claimed.run
        folder = self._folder / run.id
        _end_orphans(run.id)
        for name in ("values", "receipts", "scratch"):
            private.folder(folder / name)
        _log.info("run.claimed run=%s pipeline=%s fence=%s", run.id, run.pipeline, claimed.token)
        journal = Journal(self._control, run.id, claimed.token, lambda blob: folder / "values" / blob[3:])
        try:
            capture = RunCapture(self._control, claimed, variables=WORKER_VARIABLES)
            with closing(journal), closing(capture):
                capture.start()
                outcome = self._outcome(claimed, folder, journal)
                journal.flush()
                finish(self._control, claimed, outcome, self._stop)
            _log.info("run.ended run=%s state=%s error=%s", run.id, outcome.state, outcome.error)
        except Stopped as why:
            _log.info("run.stopped run=%s why=%s", run.id, why)
            if self._stop.is_set() and journal.trouble is None:
                with suppress(AirsideError):
                    self._control.call(ReleaseRun(run_id=run.id, token=claimed.token))
                return  # its receipts are for whoever takes it up again
        shutil.rmtree(folder, ignore_errors=True)

    def _outcome(self, claimed: Claimed, folder: Path, journal: Journal) -> Outcome:
        if claimed.token > MAX_DRIVERS:
            return Outcome(state="failed", error=f"{MAX_DRIVERS} drivers died while they drove this run.")
        try:
            code = self._code(claimed, folder)
            with self._executor(claimed, folder, code) as executor:
                keys = Keys(code, os.environ, self._secret)
                driver = Driver(
                    claimed, self._control, executor, journal, keys, values=folder / "values", stop=self._stop
                )
                driver.recover(_receipts(folder / "receipts"))
                return driver.drive()
        except Stopped:
            raise
        except AirsideError as error:
            return Outcome(state="failed", error=error.message)
        except Exception as error:  # noqa: BLE001 -- the edge of a run: whatever it is, the run must not stay for ever
            _log.exception("run.broken run=%s", claimed.run.id)
            return Outcome(state="failed", error=f"The driver failed: {error!r}. Its log has the details.")

    def _code(self, claimed: Claimed, folder: Path) -> Path:
        place = folder / "code"
        if not place.exists():
            archive = folder / "code.zip"
            self._control.save_blob(claimed.pipeline.code, archive)
            fresh = folder / f"code.{os.getpid()}"
            shutil.rmtree(fresh, ignore_errors=True)
            unpack(archive, fresh)
            fresh.rename(place)
        return place

    @contextmanager
    def _executor(self, claimed: Claimed, folder: Path, code: Path) -> Iterator[Any]:
        site = Site(
            run=claimed.run.id,
            pipeline=claimed.run.pipeline,
            tracking_run=claimed.run.tracking_run,
            code=str(code),
            values=str(folder / "values"),
            receipts=str(folder / "receipts"),
            scratch=str(folder / "scratch"),
            url=self._control.url,
            token=self._token,
        )
        executor = executor_class(self._options.executor)(site, size=self._options.size)
        try:
            yield executor
        finally:
            executor.close()


def _receipts(folder: Path) -> list[Ended]:
    """What attempts have left, in the order in which they ended. One cut short by a power loss is no receipt."""
    found = []
    for path in folder.glob("*.json"):
        with suppress(msgspec.DecodeError, OSError):
            found.append(msgspec.json.decode(path.read_bytes(), type=Ended))
    return sorted(found, key=lambda ended: str(ended.step.ended_at))


def _end_orphans(run: PipelineRunId) -> None:
    """End what a dead driver's worker processes have started and left."""
    for process in processes_with(RUN_VARIABLE, run):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGKILL)


def _secret(folder: Path) -> bytes:
    """The key with which values of environment variables are hashed; made at the first start."""
    path = folder / "environment.key"
    with suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(os.urandom(SECRET_BYTES))
    return path.read_bytes()


def stop_when_told() -> threading.Event:
    """An event that SIGTERM and SIGINT set. To be called in the main thread.

    A thread sets it: the handler may interrupt whoever holds the event's lock, and would wait for it for ever; `put` of
    a `SimpleQueue` may be called from anywhere. And the kernel says that a parent has died once for each thread of it.
    """
    stop = threading.Event()
    told: queue.SimpleQueue[None] = queue.SimpleQueue()

    def watch() -> None:
        told.get()
        stop.set()

    threading.Thread(target=watch, name="airside-stop", daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.put(None))
    return stop


def main(
    url: str,
    token: str = "",
    *,
    home: Path | None = None,
    options: RunnerOptions | None = None,
    connect: Callable[[str, str], Control] | None = None,
) -> None:
    """Run a runner in this process until SIGTERM or SIGINT.

    Args:
        url: the control plane's.
        token: for it; `$AIRSIDE_TOKEN` when it is not given.
        home: the folder below which `run/pipelines/` holds locks and runs' folders: the control plane's own home for a
            runner on its machine, so that each sees the other's runs; else `$AIRSIDE_HOME` or `~/.airside`.
        options: how it works.
        connect: makes the client; `airside.connect` when it is not given.
    """
    place = (home or Path(os.environ.get("AIRSIDE_HOME", "~/.airside"))).expanduser()
    stop = stop_when_told()
    token = token or os.environ.get("AIRSIDE_TOKEN", "")
    control = (connect or load("airside.client.transport:connect"))(url, token)
    Runner(control, place / "run" / "pipelines", options or RunnerOptions(), token=token, stop=stop).run()
