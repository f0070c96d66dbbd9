"""The static files: read once, named by what they hold, cached by browsers for ever.

The address is `/static/<digest>/<file>`, where the digest is that of all files together: modules and style sheets
then name each other by relative addresses, as they stand in the tree, and no file is rewritten.
"""

import gzip
import hashlib
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from airside.core.record import Record

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
GZIP_FROM_BYTES = 1024
CACHE_CONTROL = "public, max-age=31536000, immutable"


class StaticFile(Record):
    """A file as the edge sends it.

    Attributes:
        gzipped: the same, compressed; None where that is not worth it (small, or compressed already).
    """

    body: bytes
    content_type: str
    gzipped: bytes | None = None
    cache_control: str = CACHE_CONTROL


class _Tree(Record):
    prefix: str
    files: dict[str, StaticFile]


def _walk(folder: Traversable, prefix: str = "") -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            found.extend(_walk(entry, f"{prefix}{entry.name}/"))
        elif "." + entry.name.rpartition(".")[2] in CONTENT_TYPES:
            found.append((f"{prefix}{entry.name}", entry.read_bytes()))
    return found


def _static_file(name: str, body: bytes) -> StaticFile:
    kind = "." + name.rpartition(".")[2]
    packed = (
        gzip.compress(body, compresslevel=9, mtime=0) if len(body) >= GZIP_FROM_BYTES and kind != ".woff2" else None
    )
    return StaticFile(body=body, content_type=CONTENT_TYPES[kind], gzipped=packed)


@lru_cache(maxsize=1)
def _tree() -> _Tree:
    entries = _walk(files("airside.server.web") / "static")
    digest = hashlib.sha256()
    for name, body in entries:
        digest.update(f"{name}\0{len(body)}\0".encode())
        digest.update(body)
    prefix = f"/static/{digest.hexdigest()[:16]}/"
    return _Tree(prefix=prefix, files={prefix + name: _static_file(name, body) for name, body in entries})


def static_file(path: str) -> StaticFile | None:
    """The file at a path of the URL, or None. A dictionary's look-up: a path can lead nowhere else."""
    return _tree().files.get(path)


def static_url(name: str) -> str:
    """The address of a file of ours.

    Raises:
        KeyError: there is no such file.
    """
    tree = _tree()
    path = tree.prefix + name
    if path not in tree.files:
        raise KeyError(name)
    return path


def static_paths() -> tuple[str, ...]:
    """Every address, for the tests and the list of routes."""
    return tuple(_tree().files)
