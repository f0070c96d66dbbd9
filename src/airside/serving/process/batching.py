"""Micro-batching without a timer: while a batch runs, arrivals queue; the next batch takes all that queued.

An idle model answers at once. A batch that fails is halved, request by request, until only the bad one fails.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from airside.core.errors import AirsideError, DeadlineExceeded, Internal, Overloaded
from airside.inference.records import Prediction

Columns = dict[str, list[Any]]
Predict = Callable[[Columns], Prediction]
MAX_BATCH_ROWS = 1_024
MAX_WAITING_ROWS = 16_384
INLINE_S = 0.005
"""A batch that is expected to take longer runs on a thread, so that the event loop goes on."""
AT_ONCE_S = 0.00004
"""Rows that are expected to take less are not queued: a turn of the event loop costs as much."""
LARGE_ROWS = 64


class Item:
    """A request that waits for its rows' answers."""

    __slots__ = ("columns", "deadline", "future", "rows")

    def __init__(self, columns: Columns, rows: int, deadline: float, future: "asyncio.Future[Prediction]") -> None:
        self.columns = columns
        self.rows = rows
        self.deadline = deadline
        self.future = future


Outcome = tuple[Item, Prediction | None, Exception | None]


class Batcher:
    """Brings the requests for one model together. Used on the event loop only.

    Args:
        predict: answers rows; called on the event loop when it is quick, else on the batcher's own thread.
        thread: who runs slow batches, one at a time.
    """

    def __init__(self, predict: Predict, thread: ThreadPoolExecutor) -> None:
        self._predict = predict
        self._thread = thread
        self._waiting: deque[Item] = deque()
        self._running: list[Item] = []
        self._rows = 0
        self._is_busy = False
        self._row_s = 0.0
        self._batch_s = 0.0
        self._last_s: tuple[float, ...] = ()

    @property
    def waiting_rows(self) -> int:
        """Rows that queue."""
        return self._rows

    def submit(self, columns: Columns, rows: int, deadline_s: float) -> "asyncio.Future[Prediction]":
        """Queue rows; a future of their answers.

        Raises:
            Overloaded: too many rows wait already.
        """
        if self._rows and self._rows + rows > MAX_WAITING_ROWS:
            raise Overloaded(f"{self._rows} rows wait for this model already. Try again in a second.")
        loop = asyncio.get_running_loop()
        item = Item(columns, rows, time.monotonic() + deadline_s, loop.create_future())
        self._waiting.append(item)
        self._rows += rows
        if not self._is_busy:
            self._is_busy = True
            loop.call_soon(self._start)
        return item.future

    def at_once(self, columns: Columns, rows: int) -> Prediction | None:
        """Answer without queueing, when nothing runs and it is a matter of microseconds; else None.

        Raises:
            ModelFailed: the model did. AirsideError: what the model refuses.
        """
        if self._is_busy or self._batch_s + rows * self._row_s > AT_ONCE_S:
            return None
        started = time.perf_counter()
        try:
            return self._predict(columns)
        except AirsideError:
            raise
        except Exception as error:
            raise ModelFailed(error) from error
        finally:
            self._learn(rows, time.perf_counter() - started)

    def expire(self) -> None:
        """Answer those whose time is up, also those whose batch runs; called now and then. What runs is left to end."""
        now = time.monotonic()
        for item in (*self._waiting, *self._running):
            if item.deadline < now and not item.future.done():
                item.future.set_exception(DeadlineExceeded("The prediction took longer than allowed. Send fewer rows."))

    def _start(self) -> None:
        batch = self._take()
        if not batch:
            self._is_busy = False
            return
        rows = sum(item.rows for item in batch)
        if self._batch_s + rows * self._row_s < INLINE_S:
            self._finish(*self._timed(batch))
            return
        loop = asyncio.get_running_loop()
        self._running = batch
        running = loop.run_in_executor(self._thread, self._timed, batch)
        running.add_done_callback(lambda done: self._finish(*done.result()))

    def _take(self) -> list[Item]:
        batch: list[Item] = []
        rows = 0
        while self._waiting and (not batch or rows + self._waiting[0].rows <= MAX_BATCH_ROWS):
            item = self._waiting.popleft()
            self._rows -= item.rows
            if item.future.done():  # its time was up, or its caller has gone away
                continue
            batch.append(item)
            rows += item.rows
        return batch

    def _timed(self, batch: list[Item]) -> tuple[list[Outcome], float, int]:
        started = time.perf_counter()
        outcomes = list(run(self._predict, batch))
        return outcomes, time.perf_counter() - started, sum(item.rows for item in batch)

    def _finish(self, outcomes: list[Outcome], seconds: float, rows: int) -> None:
        self._running = []
        for item, prediction, error in outcomes:
            if item.future.done():
                continue
            if error is not None:
                item.future.set_exception(error)
            elif prediction is not None:
                item.future.set_result(prediction)
        self._learn(rows, seconds)
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._start)
        else:
            self._is_busy = False

    def _learn(self, rows: int, seconds: float) -> None:
        """Keep in mind what a batch takes, and a row of a large one."""
        if rows >= LARGE_ROWS:
            self._row_s = seconds / rows
            return
        self._last_s = (*self._last_s[1:], seconds) if self._last_s else (seconds,) * 3
        self._batch_s = sorted(self._last_s)[1]  # the median: one that was interrupted does not count


def run(predict: Predict, batch: Sequence[Item]) -> list[Outcome]:
    """Answer a batch; halve it when it fails, so that a bad request fails alone."""
    try:
        if len(batch) == 1:
            return [(batch[0], predict(batch[0].columns), None)]
        together = predict(joined([item.columns for item in batch]))
        return list(zip(batch, parted(together, [item.rows for item in batch]), [None] * len(batch), strict=True))
    except Exception as error:  # noqa: BLE001 -- the edge of a model: its caller gets an error of ours
        if len(batch) == 1:
            return [(batch[0], None, error if isinstance(error, AirsideError) else ModelFailed(error))]
    middle = len(batch) // 2
    return [*run(predict, batch[:middle]), *run(predict, batch[middle:])]


class ModelFailed(Internal):
    """The model failed on these rows. The serving process's log has the details under this request's id."""

    def __init__(self, cause: Exception) -> None:
        super().__init__()
        self.__cause__ = cause


def joined(parts: Sequence[Columns]) -> Columns:
    """The rows of several requests as one table; all have the columns of the first.

    >>> joined([{"x": [1]}, {"x": [2, 3]}])
    {'x': [1, 2, 3]}
    """
    return {name: [value for part in parts for value in part[name]] for name in parts[0]}


def parted(prediction: Prediction, rows: Sequence[int]) -> list[Prediction]:
    """The answers cut apart again.

    >>> [part.labels for part in parted(Prediction(labels=[1, 2, 3]), [1, 2])]
    [[1], [2, 3]]
    """
    parts, at = [], 0
    for count in rows:
        end = at + count
        parts.append(
            Prediction(
                labels=prediction.labels[at:end],
                probabilities=prediction.probabilities[at:end] if prediction.probabilities is not None else None,
                scores=prediction.scores[at:end],
                classes=prediction.classes,
            )
        )
        at = end
    return parts
