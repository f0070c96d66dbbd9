"""Works of one group, one after another: each is undone alone when it fails.

A savepoint for each would do that, but SQLite copies every page that is changed behind it, as much work as the change
itself. So neighbours that may be run again share one, a *stretch*; the one that begins a transaction needs none, for
it can be undone with the transaction. A work that fails before it has written anything has nothing to undo. One that
fails later takes the stretch with it, which is run again, each work in a savepoint of its own. (Measured:
docs/decisions/0016.)
"""

from collections.abc import Callable
from typing import Any

from airside.core.operation import Transaction
from airside.store.sql.session import ConnectionLost, Session

Work = Callable[[Transaction], Any]
Outcome = tuple[Any, BaseException | None]
"""The answer, or what went wrong."""


class Stretch:
    """Runs works in the open transaction of a session.

    Args:
        session: the transaction.
        outcomes: filled in the order of the works; those of an open stretch may still change until `end`.
    """

    def __init__(self, session: Session, outcomes: list[Outcome]) -> None:
        self._session = session
        self._outcomes = outcomes
        self._works: list[Work] = []
        self._is_first = False

    def run(self, work: Work, *, is_repeatable: bool) -> None:
        """Run a work.

        Raises:
            ConnectionLost: the database went away, and the whole group with it.
        """
        if not is_repeatable:
            self.end()
            self._outcomes.append(self._alone(work))
            return
        session = self._session
        if not self._works:
            self._is_first = not self._outcomes
            if not self._is_first:
                session.savepoint()
        self._works.append(work)
        mark = session.mark()
        try:
            self._outcomes.append((work(session), None))
        except ConnectionLost:
            raise
        except Exception as error:  # noqa: BLE001 -- the caller gets it; its neighbours go on
            if session.is_back_at(mark):
                self._outcomes.append((None, error))
            else:
                self._again()

    def end(self) -> None:
        """Keep what the open stretch did."""
        if self._works:
            self._works = []
            if not self._is_first:
                self._session.release()

    def _again(self) -> None:
        works, self._works = self._works, []
        if self._is_first:
            self._session.rollback()
            self._session.begin()
        else:
            self._session.rollback_to()
        del self._outcomes[len(self._outcomes) - len(works) + 1 :]
        for work in works:
            self._outcomes.append(self._alone(work))

    def _alone(self, work: Work) -> Outcome:
        """Run a work in a savepoint of its own."""
        session = self._session
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
