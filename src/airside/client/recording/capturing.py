"""Capturing behind a run: once for each process, on a thread of its own, so that a start costs nothing."""

import os
import socket
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airside.client.recording.entries import Question, Upload
from airside.client.recording.monitor import Monitor
from airside.client.recording.outbox import Outbox
from airside.client.recording.telling import tell
from airside.core.plugin import load
from airside.tracking.capture.kinds import KINDS
from airside.tracking.capture.operations import KeepCapture
from airside.tracking.capture.records import Capture, CodeState, Command, Environment, Machine
from airside.tracking.capture.taking import TAKEN, Taken, take, threads_and_seeds
from airside.tracking.operations.logging import LogBatch
from airside.tracking.records import Run as StoredRun
from airside.tracking.records import Tag

if TYPE_CHECKING:
    from airside.client.recording.run import Run

JOIN_S = 30.0
_lock = threading.Lock()
_taken: dict[tuple[int, str], Any] = {}
"""What this process has captured already, by process and kind: its code does not change while it runs."""


class Capturing:
    """What is captured of one run, from `start` to `stop`."""

    def __init__(
        self,
        run: "Run",
        outbox: Outbox,
        kinds: frozenset[str],
        tags: Mapping[str, str],
        stored: StoredRun | None,
    ) -> None:
        self._run = run
        self._outbox = outbox
        self._kinds = kinds
        self._set = {*tags, *((tag.key for tag in stored.tags) if stored is not None else ())}
        self._thread = threading.Thread(target=self._work, name="airside-capture", daemon=True)
        is_child = load("airside.client.recording.start:PARENT_TAG") in self._set
        self._monitor = Monitor(run) if "metrics" in kinds and not is_child else None

    def start(self) -> None:
        """Note what changes from now on; the rest is taken behind."""
        self._threads, self._seeds = threads_and_seeds(self._kinds)
        self._at_ms = time.time_ns() // 1_000_000
        self._thread.start()
        if self._monitor is not None:
            self._monitor.start()

    def stop(self, status: str) -> None:
        """End the sampling; wait for what is being captured."""
        del status
        if self._monitor is not None:
            self._monitor.stop()
        self._thread.join(JOIN_S)

    def _work(self) -> None:
        try:
            self._capture()
        except Exception as error:  # noqa: BLE001 -- the edge of a thread: training goes on, and is told
            tell(f"what run {self._run.name} was made with could not be captured: {error!r}")

    def _capture(self) -> None:
        taken = {kind: self._once(kind) for kind in TAKEN if kind in self._kinds}
        code: Taken[CodeState] | None = taken.get("code")
        environment: Taken[Environment] | None = taken.get("environment")
        command: Command | None = taken["command"].fact if "command" in taken else None
        machine: Machine | None = taken["machine"].fact if "machine" in taken else None
        capture = Capture(
            source=f"{socket.gethostname()}:{os.getpid()}",
            at_ms=self._at_ms,
            code=code.fact if code else None,
            command=command,
            environment=environment.fact if environment else None,
            machine=machine,
            seeds=self._seeds,
            threads=self._threads,
            omitted=tuple(kind for kind in KINDS if kind not in self._kinds),
        )
        for found in (code, environment):
            if found is not None and found.content:
                self._outbox.put(Upload(found.content, blob=found.blob))
        tags = [Tag(key=key, value=value) for key, value in _tags(capture).items() if value and key not in self._set]
        self._outbox.put(
            Question(KeepCapture(run_id=self._run.run_id, capture=capture)),
            *([Question(LogBatch(run_id=self._run.run_id, tags=tuple(tags)))] if tags else []),
        )

    def _once(self, kind: str) -> Any:
        place = (os.getpid(), kind)
        with _lock:
            if place not in _taken:
                _taken[place] = take(kind)
            return _taken[place]


def _tags(capture: Capture) -> dict[str, str]:
    """What MLflow's clients look for, and the names of our blobs."""
    code = capture.code or CodeState()
    command = capture.command or Command()
    return {
        "mlflow.source.name": command.notebook or command.entry,
        "mlflow.source.type": "NOTEBOOK" if command.notebook else "LOCAL" if capture.command else "",
        "mlflow.source.git.commit": code.commit,
        "mlflow.source.git.branch": code.branch,
        "mlflow.source.git.repoURL": code.remote,
        "mlflow.source.git.dirty": str(code.is_dirty).lower() if code.commit else "",
        "airside.code": code.bundle,
        "airside.environment": capture.environment.lock if capture.environment else "",
    }
