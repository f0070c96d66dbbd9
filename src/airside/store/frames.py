r"""Frames: payloads one after the other in an append-only file, each with its length and checksum before it.

A file that was cut short by a crash is read up to its last whole frame.

>>> [payload for _, payload in frames(frame(b"a") + frame(b"bc") + b"torn")]
[b'a', b'bc']
"""

import struct
import zlib
from collections.abc import Iterator

_HEAD = struct.Struct("<II")
HEAD_BYTES = _HEAD.size


def frame(payload: bytes) -> bytes:
    """A payload with its length and checksum before it."""
    return _HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def frames(content: bytes, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """The whole frames from an offset on: where each ends, and its payload. A torn or damaged one ends it."""
    at = start
    while at + _HEAD.size <= len(content):
        size, checksum = _HEAD.unpack_from(content, at)
        payload = content[at + _HEAD.size : at + _HEAD.size + size]
        if len(payload) != size or zlib.crc32(payload) != checksum:
            return
        at += _HEAD.size + size
        yield at, payload
