"""Runs as people handle them: start one, log to it, leave.

with start_run(client, experiment="churn", name="lgbm") as run:
    run.log_params({"depth": 7})
    for step, loss in enumerate(losses):
        run.log({"loss": loss}, step=step)

`log` costs microseconds: what is logged is kept in memory, sent in batches from a thread of the run's own, and is
all there when the `with` ends. When memory is full, `log` waits.
"""

import atexit
import math
import secrets
import sys
import threading
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from airside.client.transport import Client
from airside.core.clock import Clock
from airside.core.errors import AirsideError, AlreadyExists, NotFound
from airside.core.ids import ExperimentId, LoggedModelId, RunId
from airside.tracking.operations.experiments import CreateExperiment, GetExperimentByName
from airside.tracking.operations.logging import LogBatch
from airside.tracking.operations.runs import CreateRun, UpdateRun
from airside.tracking.records import LoggedMetric, Param, RunInfo, RunStatus, Tag
from airside.tracking.rules import checked_points

MAX_BATCH = 1000
MAX_WAITING = 100_000
"""Points that may wait in memory; about 30 MB."""
MAX_PARAMS = 100
NO_MODEL = LoggedModelId("")


def start_run(
    client: Client, *, experiment: str = "Default", name: str = "", tags: Mapping[str, str] | None = None
) -> "ActiveRun":
    """Start a run in an experiment, which is made when it is not there.

    Raises:
        AirsideError: the server refuses, or does not answer.
    """
    clock = Clock()
    made = client.call(
        CreateRun(
            experiment_id=experiment_named(client, experiment),
            name=name,
            start_time_ms=clock.now_ms(),
            tags=tuple(Tag(key=key, value=value) for key, value in (tags or {}).items()),
        ),
        idempotency_key=secrets.token_hex(16),
    )
    return ActiveRun(client, made.info, clock)


def experiment_named(client: Client, name: str) -> ExperimentId:
    """The id of the experiment of that name, which is made when it is not there."""
    try:
        return client.call(GetExperimentByName(name=name)).experiment_id
    except NotFound:
        pass
    try:
        return client.call(CreateExperiment(name=name)).experiment_id
    except AlreadyExists:  # another process was faster
        return client.call(GetExperimentByName(name=name)).experiment_id


class ActiveRun:
    """A run that is being logged to. Thread-safe. Ends FINISHED, or FAILED when its `with` is left by an error."""

    def __init__(self, client: Client, info: RunInfo, clock: Clock) -> None:
        self.info = info
        self._client = client
        self._clock = clock
        self._points: deque[LoggedMetric] = deque()
        self._sending = 0
        self._changed = threading.Condition()
        self._is_ended = False
        self._error: AirsideError | None = None
        self._thread = threading.Thread(target=self._send, name=f"airside-run-{info.run_id[:8]}", daemon=True)
        self._thread.start()
        atexit.register(self._leave)

    @property
    def run_id(self) -> RunId:
        """Its id."""
        return self.info.run_id

    def log(self, metrics: Mapping[str, float], *, step: int = 0, model_id: LoggedModelId = NO_MODEL) -> None:
        """Log a point of each metric. Returns at once; waits only when too many points wait already.

        Raises:
            Invalid: a metric's name breaks a rule; none of these is logged.
            AirsideError: an earlier batch was refused.
        """
        now_ms = self._clock.now_ms()
        points = [
            LoggedMetric(key=key, value=_sendable(value), timestamp_ms=now_ms, step=step, model_id=model_id)
            for key, value in metrics.items()
        ]
        checked_points(points)
        with self._changed:
            while len(self._points) + len(metrics) > MAX_WAITING and self._points and self._error is None:
                self._changed.wait()
            self._complain()
            self._points.extend(points)
            self._changed.notify_all()

    def log_params(self, params: Mapping[str, object]) -> None:
        """Log parameters: each is written once."""
        pairs = [Param(key=key, value=str(value)) for key, value in params.items()]
        for first in range(0, len(pairs), MAX_PARAMS):
            self._client.call(LogBatch(run_id=self.run_id, params=tuple(pairs[first : first + MAX_PARAMS])))

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags."""
        pairs = [Tag(key=key, value=value) for key, value in tags.items()]
        for first in range(0, len(pairs), MAX_PARAMS):
            self._client.call(LogBatch(run_id=self.run_id, tags=tuple(pairs[first : first + MAX_PARAMS])))

    def flush(self) -> None:
        """Wait until all that was logged is durable.

        Raises:
            AirsideError: a batch was refused, or the server does not answer.
        """
        with self._changed:
            while (self._points or self._sending) and self._error is None:
                self._changed.wait()
            self._complain()

    def end(self, status: RunStatus = "FINISHED") -> None:
        """Send what waits and end the run.

        Raises:
            AirsideError: something of it could not be stored.
        """
        try:
            self.flush()
        finally:
            self._stop()
            self._client.call(UpdateRun(run_id=self.run_id, status=status, end_time_ms=self._clock.now_ms()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end("FINISHED" if kind is None else "FAILED")

    def _complain(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _stop(self) -> None:
        with self._changed:
            self._is_ended = True
            self._changed.notify_all()
        self._thread.join()
        atexit.unregister(self._leave)

    def _leave(self) -> None:
        """The interpreter ends and the run was not: send what waits, leave the run as it is."""
        try:
            self.flush()
        finally:
            self._stop()

    def _send(self) -> None:
        while True:
            with self._changed:
                while not self._points and not self._is_ended:
                    self._changed.wait()
                batch = [self._points.popleft() for _ in range(min(MAX_BATCH, len(self._points)))]
                self._sending = len(batch)
                if not batch:
                    return
            try:
                self._client.call(LogBatch(run_id=self.run_id, metrics=tuple(batch)))
                refused = None
            except AirsideError as error:
                refused = error
            with self._changed:
                self._sending = 0
                self._error = refused or self._error
                self._changed.notify_all()


def _sendable(value: float) -> float | None:
    """A double that JSON can carry: not a number is None, infinities are the greatest finite doubles.

    >>> _sendable(float("nan")) is None, _sendable(float("inf")) == sys.float_info.max
    (True, True)
    """
    number = float(value)
    if math.isnan(number):
        return None
    return max(-sys.float_info.max, min(sys.float_info.max, number))
