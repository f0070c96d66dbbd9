"""The one function for names that become paths: artifacts, uploads, members of archives, logs, static files.

A name is text of a client's; a path is ours. What leaves here lies below its root. Opening it without following
links is the caller's second half (`store.artifacts.local` goes component by component): a name checked is not yet a
name used.
"""

import codecs
import os
import re
from urllib.parse import unquote

from airside.core.errors import Invalid

MAX_ROUNDS = 10
MAX_BYTES = 4096
MAX_SEGMENT_BYTES = 255
MAX_DEPTH = 100
"""Folders in folders: what walks or removes a tree (ours, a backup's, Python's own) calls itself for each."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HARMLESS = re.compile(r"[\x01-\x08\x0e-\x1f]")
"""Control characters that stay escapes when they come from one; NUL, white space and DEL are refused."""
_KEPT = "airside-as-written"
_SCHEME = re.compile(r"(?i:file:|[a-z][a-z0-9+.\-]*://)")
_WINDOWS_ABSOLUTE = re.compile(r"[A-Za-z]:(?:[/\\]|\Z)|\\")


def safe_parts(text: str, *, or_root: bool = False) -> tuple[str, ...]:
    """The segments of a relative path, decoded; `.` and doubled slashes are dropped.

    >>> safe_parts("3/R/artifacts//./model%2FMLmodel")
    ('3', 'R', 'artifacts', 'model', 'MLmodel')
    >>> safe_parts("a/%252e%252e/b")
    Traceback (most recent call last):
    airside.core.errors.Invalid: Invalid path

    Args:
        text: a name as a client sent it.
        or_root: whether an empty name is allowed: it is the root itself.

    Raises:
        Invalid: it cannot be a name below a root. The text is MLflow's, and quotes nothing.
    """
    name = _decoded(text)
    if name.startswith("/") or _WINDOWS_ABSOLUTE.match(name) or _SCHEME.match(name) or "#" in name:
        raise Invalid("Invalid path")
    if os.sep == "\\" and "\\" in name:  # pragma: no cover -- on Windows alone
        raise Invalid("Invalid path")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if not parts and not or_root:
        raise Invalid("Invalid path")
    if ".." in parts or len(parts) > MAX_DEPTH or any(len(part.encode()) > MAX_SEGMENT_BYTES for part in parts):
        raise Invalid("Invalid path")
    return parts


def _decoded(text: str) -> str:
    """Percent-decoded until it stops changing.

    What decodes to no text stays as it is written: MLflow 2.22 names images `loss%step%0%timestamp%1732…%e5d1….png`.
    """
    if _CONTROL.search(text):
        raise Invalid("Invalid path")
    try:
        text.encode()
    except UnicodeError:
        raise Invalid("Invalid path") from None
    for _ in range(MAX_ROUNDS + 1):
        plain = _HARMLESS.sub(_escaped, unquote(text, errors=_KEPT))
        if plain == text:
            break
        text = plain
    else:
        raise Invalid("Invalid path")
    if _CONTROL.search(text) or len(text.encode()) > MAX_BYTES:
        raise Invalid("Invalid path")
    return text


def _escaped(found: "re.Match[str]") -> str:
    return f"%{ord(found[0]):02x}"


def _as_written(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are not UTF-8, as the escapes that they came from."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(f"%{byte:02x}" for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_KEPT, _as_written)
