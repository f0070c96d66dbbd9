"""Delivering entries: to the server, or into the spool while it is away, in order, each once.

Not thread-safe: belongs to the thread that sends. What a fork leaves in the child is dropped by `abandon`.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

from airside.client.recording.entries import Entry, Question, Roots
from airside.client.recording.spool import Parcel, left_over, shelf_of
from airside.client.recording.telling import Troubles
from airside.client.transport import Client
from airside.core.errors import (
    AirsideError,
    DeadlineExceeded,
    DiskFull,
    Internal,
    Invalid,
    Overloaded,
    Unauthenticated,
    Unavailable,
)
from airside.core.ids import RunId

AWAY = (Unavailable, Overloaded, DeadlineExceeded, DiskFull, Unauthenticated, Internal)
PAUSES_S = (0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 5.0)
RETRY_GROUP = 100
MAX_INTERNAL = 5
"""So often the server may fail on the same entry with an error of its own before it is given up."""
_log = logging.getLogger("airside.recording")


class Delivery:
    """The way from this process to a server.

    Attributes:
        retry_at: when, on the monotonic clock, a server that is away is asked again.
        trouble: why the server did not take the last entry; empty when it did.
        has_strays: whether dead processes may have left something to send.
    """

    def __init__(self, client: Client, address: str, troubles: Troubles, roots: Roots) -> None:
        self.address = address
        self.retry_at = 0.0
        self.has_strays = True
        self.trouble = ""
        self._client = client
        self._troubles = troubles
        self._roots = roots
        self._parcel: Parcel | None = None
        self._is_stalled = False
        self._strays: Iterator[Parcel] | None = None
        self._stray: Parcel | None = None
        self._failures = 0
        self._internal = 0

    @property
    def is_away(self) -> bool:
        """Whether something waits in the spool, or could not even be put there: the server is to be asked again."""
        return self._parcel is not None or self._is_stalled

    @property
    def waiting(self) -> int:
        """How many entries are in this process's parcel."""
        return self._parcel.entries if self._parcel is not None else 0

    def deliver(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Send entries in order; from the first that cannot be sent on, put them into the spool.

        Returns:
            What could neither be sent nor spooled: to be kept in memory.
        """
        for at, entry in enumerate(entries):
            if self.is_away or not self._sent(entry):
                return self._keep(entries[at:])
        return ()

    def retry(self) -> None:
        """Ask again whether the server is there, and send some of what waits in the spool."""
        self._is_stalled = False
        for _ in range(RETRY_GROUP):
            if self._parcel is None or not self._first_sent(self._parcel):
                return
            if self._parcel.is_empty():
                self._parcel.close()
                self._parcel = None
        self.retry_at = 0.0

    def send_stray(self) -> None:
        """Send one entry that a dead process has left; `has_strays` says whether there may be more."""
        if self._strays is None:
            self._strays = left_over(shelf_of(self.address))
        if self._stray is None:
            self._stray = next(self._strays, None)
        if self._stray is None:
            self._strays, self.has_strays = None, False
        elif self._stray.is_empty():
            self._stray.close()
            self._stray = None
        elif not self._first_sent(self._stray):
            self._stray.close()
            self._stray, self._strays, self.has_strays = None, None, False

    def close(self) -> None:
        """Give the parcels up: others may send them."""
        self.has_strays = self.has_strays or self.is_away
        for parcel in (self._parcel, self._stray):
            if parcel is not None:
                parcel.close()
        self._parcel = self._stray = self._strays = None

    def abandon(self) -> None:
        """In a forked child: the parcels are the parent's."""
        for parcel in (self._parcel, self._stray):
            if parcel is not None:
                parcel.abandon()
        self._parcel = self._stray = self._strays = None

    def _first_sent(self, parcel: Parcel) -> bool:
        """Send the first entry of a parcel; False when the server is away."""
        try:
            entry = parcel.first()
        except (Invalid, OSError) as error:
            self._troubles.refused(RunId(""), f"An entry of the spool is passed over: {error}")
            entry = None
        else:
            if entry is None:
                return True
        if entry is not None and not self._sent(entry):
            return False
        parcel.drop()
        return True

    def _sent(self, entry: Entry) -> bool:
        """Send; False when the server is away. A refusal is told, and the entry is done with."""
        run_id: RunId = getattr(entry.ask, "run_id", RunId("")) if isinstance(entry, Question) else entry.run_id
        try:
            entry.send(self._client, self._roots)
        except AWAY as error:
            self._internal = self._internal + 1 if isinstance(error, Internal) else 0
            if self._internal < MAX_INTERNAL:
                self._went_away(error)
                return False
            self._troubles.refused(run_id, error)
        except AirsideError as error:
            self._troubles.refused(run_id, error)
        except Exception as error:  # noqa: BLE001 -- the edge of a thread: training goes on, and is told
            _log.exception("recording.broken run=%s", run_id)
            self._troubles.refused(run_id, f"Something logged could not be sent: {error!r}")
        else:
            self._troubles.sent += entry.n_values
        entry.forget()
        if self._failures:
            self._troubles.came_back()
        self._failures = self._internal = 0
        self.trouble = ""
        return True

    def _went_away(self, error: AirsideError) -> None:
        pause = PAUSES_S[min(self._failures, len(PAUSES_S) - 1)]
        self._failures += 1
        self.trouble = error.message
        self.retry_at = time.monotonic() + pause
        if self._failures > 1:  # a single failure, such as a restart within a tenth of a second, is nobody's worry
            self._troubles.went_away(error)

    def _keep(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        try:
            if self._parcel is None:
                self._parcel = Parcel.opened(self.address)
            kept = self._parcel.add(entries)
        except OSError as error:
            self._troubles.cannot_spool(error)
            self._is_stalled = self._parcel is None
            return entries
        if kept < len(entries) and not self._parcel.entries:  # not even the first had room
            self._parcel.close()
            self._parcel = None
        for entry in entries[kept:]:
            self._troubles.lost(entry.n_values)
            with suppress(OSError):
                entry.forget()
        return ()
