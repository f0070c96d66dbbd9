"""One writer, many waiting: group commit.

Everything that waits when the last commit ends is run in one transaction, each in its savepoint, and is answered
only after the commit: acknowledged means durable, and one fsync is shared by all. No timer: an idle writer takes a
lone request at once. (Measured: tracking facts, section 6.)
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

T = TypeVar("T")
Work = Callable[[Transaction], Any]
Reply = Callable[[Any, BaseException | None], None]
"""Called on the writer's thread with the answer or the error; must not block."""

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
        self._waiting: queue.SimpleQueue[tuple[Work, Reply] | None] = queue.SimpleQueue()
        self._session: Session | None = database.open(readonly=False)
        self._closed = False
        self._door = threading.Lock()
        self._stop_checkpoints = threading.Event()
        self._thread = threading.Thread(target=self._run, name="airside-writer", daemon=True)
        self._checkpointer = threading.Thread(target=self._checkpoint, name="airside-checkpoint", daemon=True)
        self._thread.start()
        self._checkpointer.start()

    def submit(self, work: Work, reply: Reply) -> None:
        """Run `work` in the next group.

        Raises:
            Overloaded: too much waits already.
            Unavailable: the writer is closed.
        """
        with self._door:  # nothing comes in behind the end: it would never be answered
            if self._closed:
                raise Unavailable("The server is stopping.")
            if self._waiting.qsize() >= MAX_WAITING:
                raise Overloaded
            self._waiting.put((work, reply))

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

    def _group(self, first: tuple[Work, Reply]) -> None:
        """Run what waits in one transaction and answer after its commit."""
        taken = [first]
        outcomes: list[tuple[Any, BaseException | None]] = []
        is_end = False
        hooks: list[Callable[[], None]] = []
        try:
            session = self._ready_session()
            session.begin()
            deadline = time.monotonic() + GROUP_BUDGET_S
            while True:
                outcomes.append(_run_one(session, taken[-1][0]))
                if self._waiting.empty() or time.monotonic() > deadline:
                    break
                item = self._waiting.get()
                if item is None:
                    is_end = True
                    break
                taken.append(item)
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
        for (_, reply), (value, mistake) in zip(taken, outcomes, strict=True):
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


def _run_one(session: Session, work: Work) -> tuple[Any, BaseException | None]:
    """Run a work in a savepoint of its own; what it did is undone when it fails."""
    session.savepoint()
    try:
        value = work(session)
    except ConnectionLost:
        raise
    except Exception as error:  # noqa: BLE001 -- the caller gets it; its neighbours go on
        session.rollback_to()
        return None, error
    session.release()
    return value, None


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
