"""Blobs in a folder: `b3/ab/abcdef…`, written beside and renamed into place."""

import errno
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from blake3 import blake3

from airside.core.errors import DiskFull, Invalid, NotFound
from airside.core.ids import BlobId, is_blob_id
from airside.store import private
from airside.store.files import PIECE, free_to_write, sync


class LocalBlobs:
    """A `BlobStore` in a folder of the local file system.

    Args:
        root: the folder.
        free_bytes: how much may still be written: a blob that would take more is refused.
    """

    def __init__(self, root: Path, *, free_bytes: Callable[[Path], int] = free_to_write) -> None:
        self._root = root
        self._free_bytes = free_bytes
        self._incoming = root / "incoming"
        private.folder(self._incoming)
        for left in self._incoming.iterdir():  # what a crash interrupted
            with suppress(OSError):
                if left.stat().st_mtime < self._incoming.stat().st_mtime - 3600:
                    left.unlink()

    def put(self, pieces: Iterable[bytes]) -> BlobId:
        """Temporary file, fsync, rename, fsync of the folder."""
        try:
            return self._put(pieces)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFull from error
            raise

    def _put(self, pieces: Iterable[bytes]) -> BlobId:
        digest = blake3()
        room = self._free_bytes(self._root)
        handle, name = tempfile.mkstemp(dir=self._incoming)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                for piece in pieces:
                    room -= len(piece)
                    if room < 0:
                        raise DiskFull
                    digest.update(piece)
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            blob = BlobId(f"b3:{digest.hexdigest()}")
            place = self._place(blob)
            if place.exists():
                return blob
            private.folder(place.parent)
            temporary.replace(place)
            sync(place.parent)
            return blob
        finally:
            temporary.unlink(missing_ok=True)

    def open(self, blob: BlobId) -> Iterator[bytes]:
        """The bytes."""
        try:
            file = self._place(blob).open("rb")
        except FileNotFoundError:
            raise NotFound(f"No blob '{blob}'.") from None
        return _pieces_of(file)

    def size(self, blob: BlobId) -> int | None:
        """How many bytes."""
        try:
            return self._place(blob).stat().st_size
        except FileNotFoundError:
            return None

    def delete(self, blob: BlobId) -> None:
        """Remove it."""
        self._place(blob).unlink(missing_ok=True)

    def list(self) -> Iterator[BlobId]:
        """Every blob."""
        for folder in sorted(self._root.glob("b3/??")):
            yield from (BlobId(f"b3:{file.name}") for file in sorted(folder.iterdir()))

    def _place(self, blob: BlobId) -> Path:
        if not is_blob_id(blob):
            raise Invalid(f"'{blob[:80]}' is not the id of a blob: it has the form b3: and 64 hexadecimal digits.")
        digest = blob.removeprefix("b3:")
        return self._root / "b3" / digest[:2] / digest


def _pieces_of(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece
