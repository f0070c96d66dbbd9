"""What is captured of the process that drives a run, and the machine's metrics meanwhile: kept with the tracked run.

The bodies of the steps run in this process or in children of it, with the same interpreter on the same machine. All of
it happens on a thread of its own: no step waits for it.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from airside.core.errors import AirsideError
from airside.core.ids import RunId
from airside.core.plugin import load
from airside.pipelines.control import Control
from airside.pipelines.operations.runs import Claimed
from airside.tracking.capture.kinds import chosen
from airside.tracking.capture.operations import KeepCapture
from airside.tracking.capture.records import Capture, CodeState, Environment, Fact
from airside.tracking.capture.system import Sampler
from airside.tracking.capture.taking import Taken, take, threads_and_seeds
from airside.tracking.operations.logging import LogBatch
from airside.tracking.records import LoggedMetric, Tag

INTERVAL_S, FIRST_S = 10.0, 1.0
PREFIX = "system/"
JOIN_S = 5.0
_log = logging.getLogger("airside.pipelines")
_environment: dict[int, Taken[Environment]] = {}
"""The environment of this process: it is looked at once."""


class RunCapture:
    """Captures behind one driven run, from `start` to `close`.

    Args:
        control: the control plane.
        claimed: the run.
        variables: of the processes that the steps run in, beyond this one's own.
        root: the folder of the code, where the steps run as they stand there; what was captured at the registration
            counts when it is not given.
    """

    def __init__(
        self,
        control: Control,
        claimed: Claimed,
        *,
        variables: Mapping[str, str] | None = None,
        root: Path | None = None,
    ) -> None:
        self._control = control
        self._run_id = RunId(claimed.run.tracking_run)
        self._made_with = claimed.pipeline.made_with
        self._variables = dict(variables or {})
        self._root = root
        self._stop = threading.Event()
        self._kinds = chosen(None)
        self._thread = threading.Thread(target=self._work, name="airside-run-capture", daemon=True)

    def start(self) -> None:
        """Begin, unless nothing is to be captured."""
        if self._kinds and self._run_id:
            self._thread.start()

    def close(self) -> None:
        """End."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(JOIN_S)

    def _work(self) -> None:
        try:
            self._keep()
            if "metrics" in self._kinds:
                self._sample()
        except AirsideError as error:  # the run was deleted, or the control plane is away: nothing depends on this
            _log.info("capture.missed run=%s error=%s", self._run_id, error.message)
        except Exception:  # noqa: BLE001 -- the edge of a thread: the run goes on
            _log.exception("capture.broken run=%s", self._run_id)

    def _keep(self) -> None:
        code = self._code()
        environment = self._environment() if "environment" in self._kinds else None
        threads, seeds = threads_and_seeds(self._kinds)
        told = {fact.name for fact in threads}
        more = [Fact(name=name, value=value) for name, value in self._variables.items() if name not in told]
        capture = Capture(
            source=f"driver {socket.gethostname()}:{os.getpid()}",
            at_ms=time.time_ns() // 1_000_000,
            code=code.fact if code else None,
            command=take("command").fact if "command" in self._kinds else None,
            environment=environment.fact if environment else None,
            machine=take("machine").fact if "machine" in self._kinds else None,
            seeds=seeds,
            threads=(*threads, *more) if "threads" in self._kinds else (),
        )
        for found in (code, environment):
            if found is not None and found.content:
                self._control.put_blob(found.content)
        self._control.call(KeepCapture(run_id=self._run_id, capture=capture))
        tags = tuple(Tag(key=key, value=value) for key, value in _tags(capture).items() if value)
        if tags:
            self._control.call(LogBatch(run_id=self._run_id, tags=tags))

    def _code(self) -> Taken[CodeState] | None:
        if "code" not in self._kinds:
            return None
        if self._root is not None:
            found: Taken[CodeState] = load("airside.tracking.capture.code:taken")(self._root)
            return found
        return None if self._made_with is None else Taken(self._made_with)

    def _environment(self) -> Taken[Environment]:
        process = os.getpid()
        if process not in _environment:
            _environment[process] = take("environment")
        return _environment[process]

    def _sample(self) -> None:
        sampler, step, pause = Sampler(), 0, FIRST_S
        sampler.begin()
        while not self._stop.wait(pause):
            now_ms = time.time_ns() // 1_000_000
            points = tuple(
                LoggedMetric(key=f"{PREFIX}{name}", value=value, timestamp_ms=now_ms, step=step)
                for name, value in sampler.sample().items()
            )
            self._control.call(LogBatch(run_id=self._run_id, metrics=points))
            step, pause = step + 1, INTERVAL_S


def _tags(capture: Capture) -> dict[str, str]:
    code = capture.code or CodeState()
    return {
        "mlflow.source.git.commit": code.commit,
        "mlflow.source.git.branch": code.branch,
        "mlflow.source.git.repoURL": code.remote,
        "airside.code": code.bundle,
        "airside.environment": capture.environment.lock if capture.environment else "",
    }
