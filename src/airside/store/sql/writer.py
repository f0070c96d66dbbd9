"""One writer, many waiting: group commit.

Everything that waits when the last commit ends is run in one transaction, each undone alone when it fails, and is
answered only after the commit: acknowledged means durable, and one fsync is shared by all. No timer: an idle writer
takes a lone request at once. (Measured: tracking facts, section 6.)
"""

import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from airside.core.errors import AirsideError, Internal, Overloaded, Unavailable
from airside.core.operation import Transaction
from airside.store.sql.session import ConnectionLost, Database, Session
from airside.store.sql.stretch import Outcome, Stretch, Work

T = TypeVar("T")
Reply = Callable[[Any, BaseException | None], None]
"""Called on the writer's thread with the answer or the error; must not block."""

Item = tuple[Work, Reply, bool]
"""What waits: the work, who hears of it, whether it is repeatable."""

MAX_WAITING = 4096
GROUP_BUDGET_S = 0.02
CHECKPOINT_EVERY_S = 1.0

_log = logging.getLogger("airside.store.writer")


def into(future: "Future[Any]") -> Reply:
    """A reply that settles a future."""

    def reply(value: Any, error: BaseException | None) -> None:
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)

    return reply


class Writer:
    """The one thread that writes.

    Thread safety: `submit` and `call` from any thread. Ordering: works run in the order of their submission.
    Errors: a work that raises is undone alone; a commit that fails fails every work of its group.
    """

    def __init__(self, database: Database, *, before_commit: Callable[[Session], None] | None = None) -> None:
        self._database = database
        self._before_commit = before_commit
        self._waiting: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._session: Session | None = database.open(readonly=False)
        self._closed = False
        self._door = threading.Lock()
        self._stop_checkpoints = threading.Event()
        self._thread = threading.Thread(target=self._run, name="airside-writer", daemon=True)
        self._checkpointer = threading.Thread(target=self._checkpoint, name="airside-checkpoint", daemon=True)
        self._thread.start()
        self._checkpointer.start()

    def submit(self, work: Work, reply: Reply, *, is_repeatable: bool = False) -> None:
        """Run `work` in the next group.

        Args:
            work: does what is to be done in the transaction that it is given.
            reply: hears how it ended.
            is_repeatable: it may be run twice in one transaction, the first time undone; then it shares a savepoint.

        Raises:
            Overloaded: too much waits already.
            Unavailable: the writer is closed.
        """
        with self._door:  # nothing comes in behind the end: it would never be answered
            if self._closed:
                raise Unavailable("The server is stopping.")
            if self._waiting.qsize() >= MAX_WAITING:
                raise Overloaded
            self._waiting.put((work, reply, is_repeatable))

    def call(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` and wait until it is durable."""
        future: Future[T] = Future()
        self.submit(work, into(future))
        return future.result()

    @property
    def waiting(self) -> int:
        """How many works wait: for the metrics."""
        return self._waiting.qsize()

    def close(self) -> None:
        """Commit what waits, then end."""
        with self._door:
            self._closed = True
            self._waiting.put(None)
        self._stop_checkpoints.set()
        self._thread.join()
        self._checkpointer.join()
        if self._session is not None:
            self._session.close()

    def _run(self) -> None:
        while True:
            first = self._waiting.get()
            if first is None:
                return
            self._group(first)

    def _group(self, first: Item) -> None:
        """Run what waits in one transaction and answer after its commit."""
        taken = [first]
        outcomes: list[Outcome] = []
        is_end = False
        hooks: list[Callable[[], None]] = []
        try:
            session = self._ready_session()
            session.begin()
            stretch = Stretch(session, outcomes)
            deadline = time.monotonic() + GROUP_BUDGET_S
            while True:
                work, _, is_repeatable = taken[-1]
                stretch.run(work, is_repeatable=is_repeatable)
                if self._waiting.empty() or time.monotonic() > deadline:
                    break
                item = self._waiting.get()
                if item is None:
                    is_end = True
                    break
                taken.append(item)
            stretch.end()
            if self._before_commit is not None:
                self._before_commit(session)
            session.commit()
            hooks = session.hooks.copy()
        except BaseException as error:  # noqa: BLE001 -- whatever it was, everyone in the group must hear of it
            failure = _as_ours(error)
            self._drop_session()
            own = [mistake for _, mistake in outcomes] + [None] * (len(taken) - len(outcomes))
            outcomes = [(None, mistake or failure) for mistake in own]
        for hook in hooks:
            _told(hook)
        for (_, reply, _), (value, mistake) in zip(taken, outcomes, strict=True):
            _told(reply, value, mistake)
        if self._session is not None:
            self._database.between_groups(self._session)
        if is_end:
            self._waiting.put(None)

    def _ready_session(self) -> Session:
        if self._session is None:
            self._session = self._database.open(readonly=False)
        return self._session

    def _drop_session(self) -> None:
        if self._session is not None:
            self._session.rollback()
            self._session.close()
            self._session = None

    def _checkpoint(self) -> None:
        while not self._stop_checkpoints.wait(CHECKPOINT_EVERY_S):
            self._database.checkpoint()


def _told(listener: Callable[..., None], *facts: Any) -> None:
    """Tell of what is done already: a listener that fails must not keep the others from hearing it."""
    try:
        listener(*facts)
    except Exception:  # noqa: BLE001 -- the edge of the writer: its thread must go on
        _log.exception("writer.listener_failed")


def _as_ours(error: BaseException) -> AirsideError:
    if isinstance(error, AirsideError):
        return error
    if isinstance(error, ConnectionLost):
        return Unavailable("The database went away. Nothing of this request was written.")
    _log.error("writer.commit_failed", exc_info=error)
    return Internal()
