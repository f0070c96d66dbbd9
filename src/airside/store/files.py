"""Plain files, as all who keep some need them: read in pieces, durable by their names too, never to the last byte."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

PIECE = 1 << 20
"""Bytes are moved in pieces of this size; never a whole file in memory."""

KEEP_FREE_BYTES = 1 << 30
KEEP_FREE_SHARE = 0.02


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


def free_to_write(root: Path) -> int:
    """Bytes that may be written before the disk has less left than what is kept free for the database.

    That is 1 GiB, on a small disk a tenth of it, on a large one 2 %.
    """
    usage = shutil.disk_usage(root)
    kept = max(min(KEEP_FREE_BYTES, usage.total // 10), int(usage.total * KEEP_FREE_SHARE))
    return max(0, usage.free - kept)
