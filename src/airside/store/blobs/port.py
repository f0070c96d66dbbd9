"""Bytes by content: a blob's name is the BLAKE3 digest of what it holds, so it can be neither wrong nor changed."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from airside.core.ids import BlobId


class BlobStore(Protocol):
    """A place for blobs.

    Thread safety: every method from any thread, and from several processes on one place at once.
    Durability: what `put` returned is there after a crash. Errors: `NotFound`, `DiskFull`, `Invalid` (a bad id).
    Cost: one copy; `put` of what is there already writes nothing more.
    """

    def put(self, pieces: Iterable[bytes]) -> BlobId:
        """Store the bytes; the same bytes have the same id."""

    def open(self, blob: BlobId) -> Iterator[bytes]:
        """The bytes, piece by piece. Raises `NotFound` before the first piece."""

    def size(self, blob: BlobId) -> int | None:
        """How many bytes; None when there is no such blob."""

    def delete(self, blob: BlobId) -> None:
        """Remove it; nothing happens when there is none."""

    def list(self) -> Iterator[BlobId]:
        """Every blob, in any order."""
