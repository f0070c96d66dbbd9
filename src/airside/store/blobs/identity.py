"""What bytes are called, wherever they lie: `b3:` and their BLAKE3 digest."""

from collections.abc import Iterable
from pathlib import Path

from blake3 import blake3

from airside.core.ids import BlobId
from airside.store.files import pieces_of


def blob_of(pieces: Iterable[bytes]) -> BlobId:
    """The id that bytes have.

    >>> blob_of([b"a", b"b"]) == blob_of([b"ab"])
    True
    """
    digest = blake3()
    for piece in pieces:
        digest.update(piece)
    return BlobId(f"b3:{digest.hexdigest()}")


def blob_of_file(path: Path) -> BlobId:
    """The id that a file's bytes have."""
    return blob_of(pieces_of(path))
