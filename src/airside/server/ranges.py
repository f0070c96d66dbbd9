"""Which bytes of a file are asked for: conditions and ranges (RFC 9110, sections 13 and 14). Pure."""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from itertools import pairwise

MAX_RANGES = 16
"""Of more ranges than these, or of ranges that overlap, the whole file is sent: section 14.2 allows it, and many
small overlapping ranges are a way to make a server work."""

_SPEC = re.compile(r"(\d*)-(\d*)\Z", re.ASCII)
Span = tuple[int, int]
"""The first byte, and the byte behind the last."""


class NoSuchRange(Exception):
    """Every range begins behind the end of the file."""


def spans(header: str, size: int) -> tuple[Span, ...]:
    """The ranges that are asked for, in the order of the request; none: the whole file.

    >>> spans("bytes=2-4", 10), spans("bytes=-3", 10), spans("bytes=8-", 10)
    (((2, 5),), ((7, 10),), ((8, 10),))
    >>> spans("bytes=0-1,5-6, 90-", 10), spans("bytes=0-5,3-7", 10), spans("lines=1-2", 10)
    (((0, 2), (5, 7)), (), ())

    Raises:
        NoSuchRange: none of them can be satisfied.
    """
    unit, _, rest = header.partition("=")
    parts = [part.strip() for part in rest.split(",") if part.strip()]
    if unit.strip().lower() != "bytes" or not parts or len(parts) > MAX_RANGES:
        return ()
    found: list[Span] = []
    for part in parts:
        match = _SPEC.match(part)
        if match is None or match[1] == match[2] == "" or max(len(match[1]), len(match[2])) > 18:
            return ()
        first, last = match[1], match[2]
        if first and last and int(last) < int(first):
            return ()
        start = int(first) if first else max(0, size - int(last))
        stop = min(size, int(last) + 1) if first and last else size
        if start < stop:
            found.append((start, stop))
    if not found:
        raise NoSuchRange
    ordered = sorted(found)
    if any(before[1] > after[0] for before, after in pairwise(ordered)):
        return ()
    return tuple(found)


def _tags(text: str) -> list[str]:
    return [tag.strip() for tag in text.split(",") if tag.strip()]


def is_unchanged(headers: Mapping[bytes, bytes], etag: str, modified_s: int) -> bool:
    """Whether the caller has this content already: `304` (sections 13.1.2 and 13.1.3)."""
    if (sent := headers.get(b"if-none-match")) is not None:
        tags = _tags(sent.decode("latin-1"))
        return "*" in tags or etag in [tag.removeprefix("W/") for tag in tags]
    since = headers.get(b"if-modified-since")
    return since is not None and _is_since(since, modified_s)


def is_failed(headers: Mapping[bytes, bytes], etag: str, modified_s: int) -> bool:
    """Whether the caller wants another content than this: `412` (sections 13.1.1 and 13.1.4)."""
    if (sent := headers.get(b"if-match")) is not None:
        tags = _tags(sent.decode("latin-1"))
        return "*" not in tags and etag not in tags
    since = headers.get(b"if-unmodified-since")
    return since is not None and _seconds(since) is not None and not _is_since(since, modified_s)


def holds(if_range: str, etag: str, modified: str) -> bool:
    """Whether ranges are of the content that the caller knows: its strong tag, or its exact date (section 13.1.5).

    >>> holds("", '"a"', ""), holds('"a"', '"a"', ""), holds('W/"a"', '"a"', "")
    (True, True, False)
    """
    return if_range in ("", etag, modified)


def _is_since(sent: bytes, modified_s: int) -> bool:
    seconds = _seconds(sent)
    return seconds is not None and modified_s <= seconds


def _seconds(sent: bytes) -> int | None:
    try:
        return int(parsedate_to_datetime(sent.decode("latin-1")).timestamp())
    except (ValueError, OverflowError):
        return None
