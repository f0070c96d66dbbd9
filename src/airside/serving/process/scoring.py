"""From decoded rows to an answer, a line of the log, and a shadow behind it."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from airside.core.clock import from_ms
from airside.core.errors import AirsideError, Overloaded
from airside.core.ids import PredictionId
from airside.inference.records import Prediction, Signature
from airside.serving import log, rules
from airside.serving.process.batching import Columns, ModelFailed
from airside.serving.process.meters import Meters
from airside.serving.process.spool import Spool
from airside.serving.process.table import LiveArm, LiveRoute
from airside.serving.records import LoggedColumns, NewBatch, Role

DEADLINE_S = 60.0
MAX_SHADOW_ROWS = 20_000
"""Rows that wait for the shadow. Beyond it they are dropped, and counted."""

_log = logging.getLogger("airside.serving")
NewId = Callable[[int], str]


class Caller(NamedTuple):
    """Who asks, and when."""

    request_id: str
    key: str
    delivery: str
    received_ms: int
    started: float


class Rows(NamedTuple):
    """The rows of a request, and how to read them for a model that takes others."""

    columns: Columns
    number: int
    signature: Signature
    decode: Callable[[Signature], tuple[Columns, int]]


class Answered(NamedTuple):
    """An answer and what it came from."""

    prediction: Prediction
    arm: LiveArm
    prediction_id: str


class Line(NamedTuple):
    """A line of the log to be: made into a record on the spool's thread."""

    id: str
    live: LiveRoute
    arm: LiveArm
    role: Role
    caller: Caller
    columns: Columns
    rows: int
    prediction: Prediction | None
    latency_ms: float
    error: str
    paired_id: str
    is_counted: bool

    def to_batch(self) -> NewBatch:
        """The record that is kept."""
        route, answered = self.live.route, self.prediction
        body = LoggedColumns(
            inputs=self.columns,
            labels=answered.labels if answered else [],
            probabilities=(answered.probabilities or []) if answered else [],
        )
        return NewBatch(
            id=PredictionId(self.id),
            request_id=self.caller.request_id,
            endpoint=route.endpoint,
            model=route.model,
            version=self.arm.arm.version,
            role=self.role,
            rollout_id=route.rollout_id if self.is_counted else "",
            phase=route.phase if self.is_counted else "",
            delivery=self.caller.delivery,
            received_at=from_ms(self.caller.received_ms),
            rows=self.rows,
            labels=tuple(answered.labels) if answered else (),
            latency_ms=self.latency_ms,
            error=self.error,
            paired_id=self.paired_id,
            transform=self.arm.arm.transform,
            body=log.encode_body(body),
        )


class _Shadow(NamedTuple):
    live: LiveRoute
    arm: LiveArm
    caller: Caller
    rows: Rows
    paired_id: str


class Scorer:
    """Scores rows, logs every answer, and lets shadows answer afterwards. Used on the event loop only."""

    def __init__(self, spool: Spool, meters: Meters, new_id: NewId) -> None:
        self._spool = spool
        self._meters = meters
        self._new_id = new_id
        self._shadows: deque[_Shadow] = deque()
        self._shadow_rows = 0
        self._working: asyncio.Task[None] | None = None

    async def score(
        self, live: LiveRoute, arm: LiveArm, caller: Caller, rows: Rows, *, is_counted: bool = True
    ) -> Answered:
        """Answer rows by an arm, and log it.

        Args:
            live: the endpoint.
            arm: which of its versions.
            caller: who asks.
            rows: what is asked.
            is_counted: whether the rollout's judge counts it; not when the caller chose the version itself.

        Raises:
            Overloaded: too much waits. DeadlineExceeded: it took too long. ModelFailed: the model did.
            Invalid: a value does not fit the model.
        """
        if self._spool.is_full:
            raise Overloaded("The prediction log cannot keep up, and every answer must be logged. Try again shortly.")
        batch_id = self._new_id(caller.received_ms)
        prediction, error = await self._predict(arm, rows.columns, rows.number)
        seconds = time.perf_counter() - caller.started
        if error is not None and error.status < 500:
            raise error
        role = arm.arm.role
        told = "" if error is None else type(error).__name__
        self._spool.put(
            Line(
                batch_id,
                live,
                arm,
                role,
                caller,
                rows.columns,
                rows.number,
                prediction,
                seconds * 1000,
                told,
                "",
                is_counted,
            )
        )
        key = (live.route.endpoint, arm.arm.version, role)
        if prediction is None:
            self._meters.failed[key] += 1
            _log.error("prediction.failed id=%s request=%s", batch_id, caller.request_id, exc_info=error)
            raise error or ModelFailed(ValueError("no answer"))
        self._meters.answered(key, rows.number, seconds)
        return Answered(prediction, arm, batch_id)

    def shadow(self, live: LiveRoute, caller: Caller, rows: Rows, paired_id: str) -> None:
        """Let the shadow answer too, after the caller has its answer."""
        if live.shadow is None:
            return
        if self._shadow_rows + rows.number > MAX_SHADOW_ROWS:
            self._meters.dropped_shadows += 1
            return
        self._shadow_rows += rows.number
        self._shadows.append(_Shadow(live, live.shadow, caller, rows, paired_id))
        if self._working is None or self._working.done():
            self._working = asyncio.get_running_loop().create_task(self._work())

    async def finish(self) -> None:
        """Wait for the shadows that are under way."""
        if self._working is not None:
            await self._working

    async def _work(self) -> None:
        while self._shadows:
            job = self._shadows.popleft()
            self._shadow_rows -= job.rows.number
            started = time.perf_counter()
            columns, count, error = job.rows.columns, job.rows.number, None
            prediction: Prediction | None = None
            try:
                signature = job.arm.model.predictor.signature
                if signature != job.rows.signature:
                    columns, count = job.rows.decode(signature)
                prediction, error = await self._predict(job.arm, columns, count)
            except AirsideError as refused:
                error = refused
            if isinstance(error, Overloaded):
                self._meters.dropped_shadows += 1
                continue
            seconds = time.perf_counter() - started
            key = (job.live.route.endpoint, job.arm.arm.version, "shadow")
            if error is None:
                self._meters.answered(key, count, seconds)
            else:
                self._meters.failed[key] += 1
                _log.error("shadow.failed request=%s", job.caller.request_id, exc_info=error)
            told = "" if error is None else f"{type(error).__name__}: {error.message[:200]}"
            self._spool.put(
                Line(
                    self._new_id(job.caller.received_ms),
                    job.live,
                    job.arm,
                    "shadow",
                    job.caller,
                    columns,
                    count,
                    prediction,
                    seconds * 1000,
                    told,
                    job.paired_id,
                    is_counted=True,
                )
            )

    async def _predict(
        self, arm: LiveArm, columns: Columns, rows: int
    ) -> tuple[Prediction | None, AirsideError | None]:
        transform = arm.arm.transform
        try:
            fed = columns if transform is None else rules.apply_transform(transform, columns)
            batcher = arm.model.batcher
            return batcher.at_once(fed, rows) or await batcher.submit(fed, rows, DEADLINE_S), None
        except AirsideError as error:
            return None, error
