"""The port through which a driver asks the control plane: filled by the client, over HTTP or in this process."""

from pathlib import Path
from typing import Protocol, TypeVar

from airside.core.ids import BlobId
from airside.core.record import Ask

T = TypeVar("T")


class Control(Protocol):
    """A platform as its drivers see it. Thread-safe. Errors are those of `airside.core.errors`."""

    @property
    def url(self) -> str:
        """Where it is; empty when it is in this process."""

    def call(self, ask: Ask[T], *, idempotency_key: str = "") -> T:
        """Ask, and wait for the durable answer."""

    def put_blob(self, source: Path | bytes) -> BlobId:
        """Store bytes by content."""

    def save_blob(self, blob: BlobId, target: Path) -> None:
        """The bytes of a blob into a file, whole or not at all."""
