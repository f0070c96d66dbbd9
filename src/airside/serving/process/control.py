"""What the serving process asks of the control plane: the port that the client fills."""

from pathlib import Path
from typing import Protocol, TypeVar

from airside.core.ids import BlobId
from airside.core.record import Ask

T = TypeVar("T")


class ControlPlane(Protocol):
    """The control plane, from a process that has only its address and a token. `airside.client.Client` is one.

    Thread safety: every method from any thread. Errors: those of `core.errors`; `Unavailable` when nobody answers.
    Cost: a request over HTTP.
    """

    def call(self, ask: Ask[T], *, idempotency_key: str = "") -> T:
        """Do what is asked."""

    def save_blob(self, blob: BlobId, target: Path) -> None:
        """Bring a blob into a file."""

    def download_artifact(self, path: str, target: Path | None = None) -> bytes:
        """Bring a file below the proxied artifact root into `target`."""
