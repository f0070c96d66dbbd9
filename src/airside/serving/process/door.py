"""Who may ask this serving process: the tokens of the control plane, followed so that a revoked one ends at once."""

import logging
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import msgspec

from airside.core.credentials import Admissions, Admitted
from airside.core.errors import AirsideError, Denied, Unavailable

ASK_EVERY_S = 0.5
PREDICT: Final = frozenset({"*", "predict"})
LOOK: Final = frozenset({"*", "predict", "read"})
AskAdmitted = Callable[[], tuple[Admitted, ...]]
"""Asks the control plane which tokens hold."""
_LIST = msgspec.json.Decoder(tuple[Admitted, ...])
_log = logging.getLogger("airside.serving.door")


class Door:
    """Lets callers with a token in. While the control plane is away, the tokens that it told last go on.

    Args:
        ask: asks the control plane.
        remembered: the file that keeps the last answer (digests only), for a start while the control plane is away.
    """

    def __init__(self, ask: AskAdmitted, remembered: Path) -> None:
        self._ask = ask
        self._remembered = remembered
        self._admissions: Admissions | None = None
        self._told: tuple[Admitted, ...] = ()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="airside-door", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def close(self) -> None:
        """Stop following."""
        self._closed.set()
        self._thread.join(5.0)

    def check(self, authorization: str, now_ms: int, enough: Iterable[str]) -> None:
        """Let pass, or raise.

        Raises:
            Unauthenticated: no token, or not one that holds. Denied: its role does not let it do this.
            Unavailable: nobody has told which tokens hold.
        """
        if self._admissions is None:
            raise Unavailable("The serving process has not heard from the control plane yet whom it may answer.")
        if not set(self._admissions.verbs_of(authorization, now_ms)) & set(enough):
            raise Denied("This token may not ask endpoints for predictions. One of the role 'caller' may.")

    def look(self) -> None:
        """Ask once.

        Raises:
            AirsideError: the control plane does not answer.
        """
        told = self._ask()
        if told != self._told or self._admissions is None:
            self._admissions, self._told = Admissions(told), told
            self._remember(told)

    def recall(self) -> None:
        """Begin with the tokens that were told last, if there are any."""
        try:
            self._admissions = Admissions(_LIST.decode(self._remembered.read_bytes()))
        except (OSError, msgspec.DecodeError):
            _log.warning("door.nobody_known")

    def _remember(self, told: tuple[Admitted, ...]) -> None:
        part = self._remembered.with_suffix(".part")
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(msgspec.json.encode(told))
            part.replace(self._remembered)
        except OSError:  # a full disk: it only matters at a start without the control plane
            _log.warning("door.not_remembered")

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                self.look()
            except AirsideError as error:
                _log.warning("door.failed error=%s", error.message)
                if self._admissions is None and error.status >= 500:
                    self.recall()
            except Exception:  # noqa: BLE001 -- the edge of the thread: it must go on
                _log.exception("door.failed")
            self._closed.wait(ASK_EVERY_S)
