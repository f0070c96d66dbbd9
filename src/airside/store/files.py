"""Plain files, as all who keep some need them: read in pieces, and durable by their names too."""

import os
from collections.abc import Iterator
from pathlib import Path

PIECE = 1 << 20
"""Bytes are moved in pieces of this size; never a whole file in memory."""


def pieces_of(path: Path) -> Iterator[bytes]:
    """The bytes of a file, read as they are asked for."""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def sync(path: Path) -> None:
    """Make the bytes of a file durable, or the names in a folder: a file's own `fsync` does not say where it is."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
