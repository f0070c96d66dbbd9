"""What the serving process asks of the control plane: the port that the client fills."""

from pathlib import Path
from typing import Protocol, TypeVar

from airside.core.record import Ask
from airside.serving.records import Arm

T = TypeVar("T")


class ControlPlane(Protocol):
    """The control plane, from a process that has only its address and a token.

    Thread safety: every method from any thread. Errors: those of `core.errors`; `Unavailable` when nobody answers.
    Cost: a request over HTTP.
    """

    def call(self, ask: Ask[T], /, *, idempotency_key: str = "") -> T:
        """Do what is asked."""

    def fetch(self, arm: Arm, path: str, target: Path, /) -> None:
        """Bring one file of a version's model directory into `target`. Its digest is checked by the caller."""
