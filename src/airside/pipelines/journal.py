"""How a driver tells the control plane: attempts in batches on a thread of their own, the lease on another.

The next step starts before the answer; the run is reported finished only after everything is committed.
"""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from airside.core.errors import AirsideError, Conflict, Internal, Overloaded, Unavailable
from airside.core.ids import PipelineRunId
from airside.core.record import Ask
from airside.pipelines.control import Control
from airside.pipelines.operations.runs import GetRun, RenewLease
from airside.pipelines.operations.steps import Attempt, CommitSteps
from airside.pipelines.values import blobs_of

T = TypeVar("T")
LEASE_S = 30.0
LOOK_EVERY_S = 1.0
BATCH = 200
_TRANSIENT = (Unavailable, Overloaded, Internal)
_log = logging.getLogger("airside.pipelines")


class Stopped(Exception):
    """The driver must stop: somebody else has its run, it was cancelled, or the process is told to end."""


class Journal:
    """The driver's side of one claim. `put` is for the driver's thread; the rest happens behind it."""

    def __init__(self, control: Control, run: PipelineRunId, token: int, path_of: Callable[[str], Path]) -> None:
        self._control = control
        self._run = run
        self._token = token
        self._path_of = path_of
        self._waiting: list[Attempt] = []
        self._busy = False
        self._uploaded: set[str] = set()
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self.steps_total = 0
        self.trouble: BaseException | None = None
        """Why the driver must stop; None while all is well."""
        self._threads = [
            threading.Thread(target=self._commit_all, name="airside-journal", daemon=True),
            threading.Thread(target=self._keep_lease, name="airside-lease", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def put(self, attempt: Attempt) -> None:
        """Tell of an attempt."""
        with self._changed:
            self._waiting.append(attempt)
            self._changed.notify_all()

    def flush(self) -> None:
        """Wait until everything is committed.

        Raises:
            Stopped: it will not be.
        """
        with self._changed:
            self._changed.wait_for(lambda: self.trouble is not None or not (self._waiting or self._busy))
        self.check()

    def check(self) -> None:
        """Raise `Stopped` if the driver must stop."""
        if self.trouble is not None:
            raise Stopped(str(self.trouble)) from self.trouble

    def known(self, blob: str) -> None:
        """A blob that the control plane has already."""
        self._uploaded.add(blob)

    def close(self) -> None:
        """End the threads; what was not committed is not any more."""
        self._closed.set()
        with self._changed:
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _stop(self, why: BaseException) -> None:
        with self._changed:
            self.trouble = why
            self._changed.notify_all()

    def _commit_all(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._waiting or self._closed.is_set())
                if self._closed.is_set():
                    return
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                self._busy = True
            try:
                self._upload(batch)
                ask = CommitSteps(
                    run_id=self._run, token=self._token, attempts=_latest(batch), steps_total=self.steps_total
                )
                patiently(self._control, ask, self._closed)
            except Exception as error:  # noqa: BLE001 -- the edge of a thread: its driver stops with what it says
                self._stop(error)
                return

    def _upload(self, batch: list[Attempt]) -> None:
        values = [value for attempt in batch for value in attempt.step.outputs.values()]
        for blob in {blob for value in values for blob in blobs_of(value)} - self._uploaded:
            repeated(partial(self._control.put_blob, self._path_of(blob)), self._closed)
            self._uploaded.add(blob)

    def _keep_lease(self) -> None:
        renewed = time.monotonic()
        while not self._closed.wait(LOOK_EVERY_S):
            try:
                if time.monotonic() - renewed > LEASE_S / 3:
                    self._control.call(RenewLease(run_id=self._run, token=self._token, lease_s=LEASE_S))
                    renewed = time.monotonic()
                else:
                    run = self._control.call(GetRun(run_id=self._run))
                    if run.attempt != self._token or run.state != "running":
                        self._stop(
                            Conflict(f"The run is {run.state}, claimed {run.attempt} times (we: {self._token}).")
                        )
                        return
            except _TRANSIENT as error:
                _log.warning("lease.late run=%s error=%s", self._run, error.message)
            except AirsideError as error:
                self._stop(error)
                return


def _latest(batch: list[Attempt]) -> tuple[Attempt, ...]:
    """Of each attempt what was told last, in the order in which they were first told."""
    by_attempt = {(attempt.step.step, attempt.step.attempt): attempt for attempt in batch}
    return tuple(by_attempt.values())


def patiently(control: Control, ask: Ask[T], stop: threading.Event) -> T:
    """Ask until there is an answer.

    Raises:
        Stopped: it was told to stop while there was none.
        AirsideError: what waiting does not cure.
    """
    return repeated(lambda: control.call(ask), stop)


def repeated(act: Callable[[], T], stop: threading.Event) -> T:
    """Act again while the control plane is away or busy. Errors as `patiently`."""
    pause = 0.05
    while True:
        try:
            return act()
        except _TRANSIENT as error:
            if stop.wait(pause):
                raise Stopped(error.message) from error
            pause = min(pause * 2, 5.0)
