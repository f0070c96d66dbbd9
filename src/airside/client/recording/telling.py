"""What people are told: a line when a run starts and ends, and once what went wrong behind the scenes."""

import os
import sys
import threading

from airside.core.errors import AirsideError, Unauthenticated
from airside.core.ids import RunId

MAX_TROUBLES = 100
MAX_TEXT = 500
PREFIX = "airside: "


def tell(text: str) -> None:
    """Say a line on standard error, unless `AIRSIDE_QUIET` is set or nobody is there to hear it."""
    if os.environ.get("AIRSIDE_QUIET", "").lower() in {"1", "true", "yes", "on"} or sys.stderr is None:
        return
    try:
        sys.stderr.write(f"{PREFIX}{text}\n")
        sys.stderr.flush()
    except (OSError, ValueError):  # closed, or gone with its terminal
        return


class Troubles:
    """What became of the entries of this process: counted, and told once each. Thread-safe.

    Attributes:
        sent: values, files and changes that the server has.
        dropped: values that were lost because neither the server nor the spool took them.
    """

    def __init__(self, address: str, *, is_quiet: bool = False) -> None:
        self._is_quiet = is_quiet
        self._lock = threading.Lock()
        self._address = address
        self._where = address or "the platform"
        self._told: set[str] = set()
        self._refusals: dict[RunId, list[AirsideError]] = {}
        self._is_away = False
        self.sent = 0
        self.dropped = 0

    def fresh(self) -> "Troubles":
        """Another one for a forked child, which begins to count anew."""
        return Troubles(self._address)

    def refused(self, run_id: RunId, error: AirsideError | str) -> None:
        """The server did not take an entry, for what it is."""
        wrong = error if isinstance(error, AirsideError) else AirsideError(error)
        with self._lock:
            mine = self._refusals.setdefault(run_id, [])
            if len(mine) < MAX_TROUBLES:
                mine.append(wrong)
        self._once(f"not recorded: {wrong.message[:MAX_TEXT]}")

    def refusals(self, run_id: RunId) -> tuple[AirsideError, ...]:
        """What was refused of a run, and of no run in particular; of all, when none is named. Forgotten by this."""
        with self._lock:
            if not run_id:
                every = tuple(error for errors in self._refusals.values() for error in errors)
                self._refusals.clear()
                return every
            return (*self._refusals.pop(run_id, ()), *self._refusals.pop(RunId(""), ()))

    def went_away(self, error: AirsideError) -> None:
        """The server does not answer."""
        self._is_away = True
        why = "does not know the token" if isinstance(error, Unauthenticated) else "does not answer"
        self._once(f"{self._where} {why}; what is logged is kept on this machine and sent later. ({error.message})")

    def came_back(self) -> None:
        """The server answers again."""
        if self._is_away:
            self._is_away = False
            if self._is_quiet:
                return
            tell(f"{self._where} answers again; what was kept is being sent.")
            with self._lock:
                self._told = {text for text in self._told if "sent later" not in text}

    def cannot_spool(self, error: OSError) -> None:
        """The spool's disk refuses."""
        self._once(f"the spool cannot be written ({error}); what is logged waits in memory.")

    def lost(self, values: int) -> None:
        """Values that nobody took."""
        self.dropped += values
        self._once(
            "the spool is full: what is logged from now on is lost until the server is back. "
            "AIRSIDE_SPOOL_LIMIT_MIB makes it larger."
        )

    def _once(self, text: str) -> None:
        with self._lock:
            if text in self._told or len(self._told) > MAX_TROUBLES:
                return
            self._told.add(text)
        if not self._is_quiet:
            tell(text)
