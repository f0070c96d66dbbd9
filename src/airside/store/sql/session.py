"""One connection to the metadata database, used by one thread at a time.

A session is a `core.operation.Transaction` that can also begin and end: only the writer and the readers do that.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from airside.core.operation import Dialect, Row, Transaction

TOO_MUCH = "The query asks for more at once than the database takes. Ask for it in parts."
QUERY_LIMIT_S = 10.0
"""A query that takes longer is interrupted (security facts, section 10)."""


class Session(Transaction, Protocol):
    """A connection with its transaction in hand.

    Not thread-safe: owned by the thread that uses it. Errors of the driver leave as errors of ours
    (`core.errors`), but a broken connection leaves as `ConnectionLost`.
    """

    hooks: list[Callable[[], None]]
    """What `on_commit` collected in the transaction that is open."""
    notes: list[Any]
    """What the works of the open transaction leave for its end (audit records, events); cut back like the hooks."""

    def begin(self) -> None:
        """Open a transaction; one that writes takes the write lock at once."""

    def commit(self) -> None:
        """Make it durable."""

    def rollback(self) -> None:
        """Undo all of it; never raises."""

    def savepoint(self) -> None:
        """Mark a point to go back to. One level only."""

    def release(self) -> None:
        """Forget the point, keep the changes."""

    def rollback_to(self) -> None:
        """Undo what came after the point, hooks included."""

    def mark(self) -> "Mark":
        """Where the transaction stands, at no cost to the database."""

    def is_back_at(self, mark: "Mark") -> bool:
        """Go back to a mark if nothing was written since: hooks and notes are cut. False when something was."""

    def script(self, text: str) -> None:
        """Execute statements separated by `;` at line ends. For DDL only."""

    def close(self) -> None:
        """Close the connection."""


class Database(Protocol):
    """A place that sessions can be opened on."""

    @property
    def dialect(self) -> Dialect:
        """Which database it is."""

    @property
    def label(self) -> str:
        """What it is called in texts for people: no password in it."""

    def open(self, *, readonly: bool) -> Session:
        """A new connection. Raises `Unavailable` when there is none to be had."""

    def tables(self) -> set[str]:
        """The names of the tables where opening would change the file, found without changing a byte; else nothing."""

    def checkpoint(self) -> None:
        """Housekeeping beside the writer, called from a thread of its own; does nothing where there is none."""

    def between_groups(self, session: Session) -> None:
        """Housekeeping that only the writer can do, called on its thread while no transaction is open."""


def tables_of(session: Transaction) -> set[str]:
    """The names of the tables that a connection sees."""
    if session.dialect == "sqlite":
        rows = session.all("SELECT name FROM sqlite_master WHERE type = ?", ("table",))
    else:
        rows = session.all("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    return {name for (name,) in rows}


class ConnectionLost(Exception):
    """The database went away in the middle. What was not committed is gone."""


Mark = tuple[int, int, int]
"""How much was written, how many hooks and notes there were."""


class Hooks:
    """`on_commit`, notes and what was seen, for sessions: collected, and cut back when a savepoint is undone."""

    def __init__(self) -> None:
        self.hooks: list[Callable[[], None]] = []
        self.notes: list[Any] = []
        self.seen: set[tuple[str, int]] = set()
        self._marks = (0, 0)

    def on_commit(self, then: Callable[[], None]) -> None:
        """Call after the commit."""
        self.hooks.append(then)

    def mark(self) -> Mark:
        """Where it stands."""
        return self._written(), len(self.hooks), len(self.notes)

    def is_back_at(self, mark: Mark) -> bool:
        """Cut hooks and notes if nothing was written since."""
        if self._written() != mark[0]:
            return False
        self._cut(mark[1], mark[2])
        return True

    def _written(self) -> int:
        """Another number whenever something was written, or the transaction cannot go on as it is."""
        raise NotImplementedError

    def _clear(self) -> None:
        self._cut(0, 0)
        self.seen.clear()

    def _mark(self) -> None:
        self._marks = (len(self.hooks), len(self.notes))
        self.seen.clear()

    def _undo(self) -> None:
        self._cut(*self._marks)
        self.seen.clear()

    def _cut(self, hooks: int, notes: int) -> None:
        del self.hooks[hooks:]
        del self.notes[notes:]


Args = Sequence[Any]
Rows = list[Row]
