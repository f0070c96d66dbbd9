"""The outbox: what is logged waits here in memory and is sent by one thread, in order.

One for each client and process. `put` costs microseconds. A forked child starts with an empty one and a thread of its
own; the parent's queue stays the parent's.
"""

import atexit
import logging
import os
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Sequence

from airside.client.recording.delivery import Delivery
from airside.client.recording.entries import Entry, Question, Roots
from airside.client.recording.telling import Troubles
from airside.client.transport import Client
from airside.core.ids import LoggedModelId, RunId
from airside.tracking.operations.logging import LogBatch
from airside.tracking.records import LoggedMetric
from airside.tracking.rules import MAX_BATCH

Point = tuple[RunId, str, float | None, int, int, LoggedModelId]
"""A point of a metric: run, key, value, time in ms, step, logged model."""
MAX_WAITING = 100_000
"""Points that may wait in memory; about 30 MB."""
LINGER_S = 0.1
"""How long a first point waits for company."""
GROUP = 64
IDLE_S = 1.0
"""How long the thread stays when no run uses it."""
_log = logging.getLogger("airside.recording")
CLOSE_S = 3.0


class Outbox:
    """The queue of a process for one platform, and the thread that empties it. Thread-safe."""

    def __init__(self, client: Client, address: str) -> None:
        self.client = client.impatient()
        self.troubles = Troubles(client.url)
        self.roots = Roots()
        self._delivery = Delivery(self.client, address, self.troubles, self.roots)
        self._queue: deque[Point | Entry] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_waiting = self._is_busy = self._is_stuck = self._is_closing = False
        self._hurry = 0
        self._users = 0
        self._is_finalized = False
        _ALL.add(self)
        # Registered after the client was opened, so it runs before an embedded one is closed.
        atexit.register(_settle_at_exit, weakref.ref(self))

    def put_points(self, points: Sequence[Point]) -> None:
        """Take points of metrics. Waits only when too many wait already."""
        if len(self._queue) + len(points) > MAX_WAITING and not self._has_room(len(points)):
            self.troubles.lost(len(points))
            return
        self._queue.extend(points)
        if self._is_waiting or self._thread is None:
            self._wake()

    def put(self, *entries: Entry) -> None:
        """Take entries."""
        self._queue.extend(entries)
        self._wake()

    def enter(self) -> None:
        """A run begins to use it: the thread stays."""
        with self._changed:
            self._users += 1

    def leave(self) -> None:
        """A run has ended; without any, the thread ends when nothing waits."""
        with self._changed:
            self._users = max(0, self._users - 1)
            self._changed.notify_all()

    def settle(self, patience_s: float = 0.0) -> bool:
        """Wait until all that was put is durable: at the server, or in the spool. Whether the server has it all.

        Args:
            patience_s: how long to wait for a server that is away, once everything is on the disk.
        """
        until = time.monotonic() + patience_s
        with self._changed:
            self._hurry += 1
        try:
            self._wake()
            with self._changed:
                while self._is_served() and not self._is_settled(is_over=time.monotonic() >= until):
                    self._changed.wait(0.2)
            if not self._is_served():
                self._serve_here(until)
            return not self._delivery.is_away and not self._queue
        finally:
            with self._changed:
                self._hurry -= 1

    def close(self) -> None:
        """End the thread; what could not be sent stays in the spool for others."""
        self.settle()
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(CLOSE_S)
        if not self._is_served():
            self._delivery.close()

    # The thread ----------------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        with self._changed:
            if self._thread is None or not self._thread.is_alive():
                self._start()
            self._changed.notify_all()

    def _start(self) -> None:
        self._is_closing = False
        thread = threading.Thread(target=self._work, name="airside-outbox", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the interpreter ends: `settle` does the work itself
            return
        self._thread = thread
        self._finalize_in_child()

    def _is_served(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _serve_here(self, until: float) -> None:
        """Send from the caller's thread, when no other can be started any more."""
        while self._queue and not self._is_stuck:
            self._send(self._taken())
        while self._delivery.is_away and time.monotonic() < until:
            time.sleep(max(0.0, min(self._delivery.retry_at, until) - time.monotonic()))
            self._delivery.retry()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._is_busy = False
                self._changed.notify_all()
                task = self._next_task()
                if task == "end":
                    if self._thread is threading.current_thread():
                        self._thread = None
                    self._delivery.close()
                    self._changed.notify_all()
                    return
                self._is_busy = task == "send"
                entries = self._taken() if task == "send" else ()
            try:
                self._do(task, entries)
            except Exception as error:  # noqa: BLE001 -- the edge of a thread: the next entries must still go out
                _log.exception("recording.broken")
                self.troubles.refused(RunId(""), f"Something logged could not be sent: {error!r}")
                self._delivery.has_strays = False

    def _do(self, task: str, entries: Sequence[Entry]) -> None:
        if task == "send":
            self._send(entries)
        elif task == "retry":
            self._delivery.retry()
        else:
            self._delivery.send_stray()

    def _next_task(self) -> str:
        """Wait for something to do: `send`, `retry`, `stray` or `end`. The lock is held."""
        lingered = False
        while True:
            if self._is_closing and (not self._queue or self._is_stuck):
                return "end"
            self._is_waiting = True  # before the queue is looked at: whoever adds to it then wakes us
            task = self._task()
            if task == "send" and not (lingered or self._hurry or len(self._queue) >= MAX_BATCH):
                self._is_waiting, lingered = False, True
                self._changed.wait(LINGER_S)
            elif task:
                self._is_waiting = False
                return task
            elif not self._changed.wait(self._pause_s()) and not self._users and not self._hurry and not self._task():
                self._is_waiting = False
                return "end"

    def _task(self) -> str:
        """What is to be done now; empty when nothing is."""
        delivery = self._delivery
        may_retry = delivery.is_away and time.monotonic() >= delivery.retry_at
        if self._queue and (may_retry or not self._is_stuck):
            return "send"
        if may_retry:
            return "retry"
        return "stray" if delivery.has_strays and not delivery.is_away else ""

    def _pause_s(self) -> float | None:
        if self._delivery.is_away:
            return max(0.0, self._delivery.retry_at - time.monotonic())
        return None if self._users else IDLE_S

    def _taken(self) -> tuple[Entry, ...]:
        """The next entries of the queue; points of one run become a batch."""
        entries: list[Entry] = []
        queue = self._queue
        while queue and len(entries) < GROUP:
            first = queue.popleft()
            if not isinstance(first, tuple):
                entries.append(first)
                continue
            run_id = first[0]
            points = [first]
            while queue and len(points) < MAX_BATCH and isinstance(queue[0], tuple) and queue[0][0] == run_id:
                points.append(queue.popleft())  # type: ignore[arg-type]  # looked at the line before
            entries.append(Question(LogBatch(run_id=run_id, metrics=tuple(map(_metric, points)))))
        return tuple(entries)

    def _send(self, entries: Sequence[Entry]) -> None:
        if self._is_stuck:
            self._delivery.retry()
        left = self._delivery.deliver(entries)
        self._is_stuck = bool(left)
        if left:
            self._queue.extendleft(reversed(left))

    def _is_settled(self, *, is_over: bool) -> bool:
        if self._queue or self._is_busy:
            return self._is_stuck and is_over
        return is_over or not (self._delivery.is_away or self._delivery.has_strays)

    def _has_room(self, more: int) -> bool:
        """Wait for room; False when there will be none: neither server nor spool takes anything."""
        with self._changed:
            while len(self._queue) + more > MAX_WAITING and self._queue and not self._is_stuck:
                self._hurry += 1
                self._changed.notify_all()
                self._changed.wait(1.0)
                self._hurry -= 1
                if not self._is_served():
                    return True
            return not self._is_stuck

    # Processes -----------------------------------------------------------------------------------------------------

    def _finalize_in_child(self) -> None:
        """`multiprocessing` ends its forked children without `atexit`: it has finalizers of its own."""
        util = sys.modules.get("multiprocessing.util")
        if util is None or self._is_finalized or sys.modules["multiprocessing.process"].parent_process() is None:
            return
        util.Finalize(None, _settle_all, exitpriority=100)
        self._is_finalized = True

    def before_fork(self) -> None:
        """Hold still while the process is copied."""
        self._changed.acquire()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._changed.release()

    def after_fork_in_child(self) -> None:
        """Begin anew: what waits is sent by the parent."""
        self._changed = threading.Condition()
        self._queue = deque()
        self._thread = None
        self._is_waiting = self._is_busy = self._is_stuck = self._is_closing = self._is_finalized = False
        self._hurry = 0
        self.troubles = self.troubles.fresh()
        self._delivery.abandon()
        self._delivery = Delivery(self.client, self._delivery.address, self.troubles, self.roots)
        self._delivery.has_strays = False  # they are the parent's care


def _metric(point: Point) -> LoggedMetric:
    _, key, value, at_ms, step, model_id = point
    return LoggedMetric(key=key, value=value, timestamp_ms=at_ms, step=step, model_id=model_id)


_ALL: "weakref.WeakSet[Outbox]" = weakref.WeakSet()
_OF: "weakref.WeakKeyDictionary[Client, Outbox]" = weakref.WeakKeyDictionary()
_held: list[Outbox] = []
_lock = threading.Lock()


def outbox_of(client: Client, address: str) -> Outbox:
    """The outbox of this process for a client."""
    with _lock:
        found = _OF.get(client)
        if found is None:
            found = _OF[client] = Outbox(client, address)
        return found


def _settle_all() -> None:
    for box in list(_ALL):
        box.close()


def _settle_at_exit(reference: "weakref.ref[Outbox]") -> None:
    box = reference()
    if box is not None:
        box.close()


def _before_fork() -> None:
    _lock.acquire()
    _held.extend(_ALL)
    for box in _held:
        box.before_fork()


def _after_fork_in_parent() -> None:
    for box in _held:
        box.after_fork_in_parent()
    _held.clear()
    _lock.release()


def _after_fork_in_child() -> None:
    global _lock  # noqa: PLW0603 -- the child needs a lock that nobody holds
    _lock = threading.Lock()
    for box in _held:
        box.after_fork_in_child()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
