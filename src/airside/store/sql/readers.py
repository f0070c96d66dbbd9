"""Reader threads, each with a connection of its own."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from airside.core.errors import AirsideError, Overloaded, Unavailable
from airside.core.operation import Transaction
from airside.store.sql.session import ConnectionLost, Database, Session
from airside.store.sql.stretch import Work
from airside.store.sql.writer import Reply, into

T = TypeVar("T")
MAX_WAITING = 1024


class Readers:
    """A few threads that run queries, each in a read transaction.

    Thread safety: `submit` and `call` from any thread. A query sees everything that was acknowledged before it began.
    """

    def __init__(self, database: Database, *, threads: int) -> None:
        self._database = database
        self._waiting: queue.SimpleQueue[tuple[Work, Reply] | None] = queue.SimpleQueue()
        self._closed = False
        self._door = threading.Lock()
        self._here = threading.Lock()
        self._glancing: Session | None = None
        self._threads = [
            threading.Thread(target=self._run, name=f"airside-reader-{n}", daemon=True) for n in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, work: Work, reply: Reply) -> None:
        """Run a query on the next free reader; `reply` is called on its thread."""
        with self._door:  # nothing comes in behind the end: it would never be answered
            if self._closed:
                raise Unavailable("The server is stopping.")
            if self._waiting.qsize() >= MAX_WAITING:
                raise Overloaded
            self._waiting.put((work, reply))

    def call(self, work: Callable[[Transaction], T]) -> T:
        """Run a query and wait for its answer."""
        future: Future[T] = Future()
        self.submit(work, into(future))
        return future.result()

    def glance(self, work: Callable[[Transaction], T | None]) -> T | None:
        """Run a query of some look-ups here and now; None when that cannot be, or the query itself answers None.

        For a thread that must not wait. It is not done where the database is another process, and an error is not
        told: whoever asks a reader next hears of it.
        """
        if self._database.dialect != "sqlite" or not self._here.acquire(blocking=False):
            return None
        try:
            if self._closed:
                return None
            session = self._glancing = self._glancing or self._database.open(readonly=True)
            session.begin()
            value = work(session)
            session.commit()
        except Exception:  # noqa: BLE001 -- a reader is asked instead
            _close(self._glancing)
            self._glancing = None
            return None
        else:
            return value
        finally:
            self._here.release()

    def close(self) -> None:
        """Finish what waits, then end."""
        with self._door:
            self._closed = True
            for _ in self._threads:
                self._waiting.put(None)
        for thread in self._threads:
            thread.join()
        with self._here:
            _close(self._glancing)
            self._glancing = None

    def _run(self) -> None:
        session: Session | None = None
        while (item := self._waiting.get()) is not None:
            work, reply = item
            try:
                session = session or self._database.open(readonly=True)
                session.begin()
                value = work(session)
                session.commit()
            except ConnectionLost:
                _close(session)
                session = None
                reply(None, Unavailable("The database went away. Try again."))
            except BaseException as error:  # noqa: BLE001 -- the caller gets it
                if session is not None:
                    session.rollback()
                    if not isinstance(error, AirsideError):
                        session.close()
                        session = None
                reply(None, error)
            else:
                reply(value, None)
        _close(session)


def _close(session: Session | None) -> None:
    if session is not None:
        session.close()
