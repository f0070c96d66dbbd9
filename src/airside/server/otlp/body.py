"""A body as it was before it was compressed, and no larger than allowed: a bomb is cut off while it unfolds."""

import zlib
from collections.abc import Callable

from airside.core.errors import Invalid, TooLarge

MAX_BYTES = 64 << 20
"""Of a body after it is unfolded."""
_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS


def unfolded(body: bytes, encoding: str, limit: int = MAX_BYTES) -> bytes:
    """The body without its content encoding: gzip, deflate (with its header or without), or none.

    >>> unfolded(zlib.compress(b"a" * 100), "deflate") == b"a" * 100
    True

    Raises:
        Invalid: it is not of this encoding, or the encoding is not known.
        TooLarge: it unfolds to more than the limit.
    """
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip":
            return _gunzipped(body, limit)
        case "deflate":
            try:
                return _piece(zlib.decompressobj(_ZLIB), body, limit, "deflate")[0]
            except Invalid:
                return _piece(zlib.decompressobj(_RAW), body, limit, "deflate")[0]
        case other:
            raise Invalid(f"Unsupported Content-Encoding: {other[:50]}")


def _gunzipped(body: bytes, limit: int) -> bytes:
    """Gzip allows several members behind each other."""
    pieces: list[bytes] = []
    left = limit
    while body:
        piece, body = _piece(zlib.decompressobj(_GZIP), body, left, "gzip")
        pieces.append(piece)
        left -= len(piece)
        if len(pieces) > 100:
            raise Invalid("Failed to decompress gzip payload: it has too many members.")
    return b"".join(pieces)


def _piece(engine: "zlib._Decompress", body: bytes, limit: int, name: str) -> tuple[bytes, bytes]:
    """What one stream unfolds to, and what stands behind it."""
    piece = _run(lambda: engine.decompress(body, limit + 1), name)
    if len(piece) > limit:
        raise TooLarge(f"The body unfolds to more than {MAX_BYTES >> 20} MiB, the limit of this call.")
    if not engine.eof:
        raise Invalid(f"Failed to decompress {name} payload: it is cut short.")
    return piece, engine.unused_data


def _run(decompress: Callable[[], bytes], name: str) -> bytes:
    try:
        return decompress()
    except zlib.error:
        raise Invalid(f"Failed to decompress {name} payload") from None
