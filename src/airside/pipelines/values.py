"""What passes between steps, by content. Pure: no file is touched here (that is `storage`)."""

import math
from collections.abc import Sequence
from typing import Any

import msgspec
from blake3 import blake3

from airside.core.errors import Invalid
from airside.pipelines.records import Value

INLINE_BYTES = 64 * 1024
"""A JSON value up to this size stands in the step's record itself."""

_LEAST, _GREATEST = -(2**63), 2**63 - 1


def digest_of(kind: str, *parts: bytes) -> str:
    """The identity of some content: its kind and its parts, each with its length.

    >>> digest_of("x", b"ab", b"c") == digest_of("x", b"a", b"bc")
    False
    """
    hasher = blake3(kind.encode())
    for part in parts:
        hasher.update(len(part).to_bytes(8, "big"))
        hasher.update(part)
    return hasher.hexdigest(length=20)


def storable(text: str) -> str:
    r"""A text without what neither JSON nor a database can hold: halves of surrogate pairs, and zero characters.

    >>> storable("a\udc80b\0") == "a?b\ufffd"
    True
    """
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def is_plain(value: Any) -> bool:
    """Whether JSON gives back exactly this value: type by type, no tuple, no NaN, no huge integer.

    >>> is_plain({"a": [1, 2.0, None, True]}), is_plain((1,)), is_plain(float("nan")), is_plain({1: 2})
    (True, False, False, False)
    """
    kind = type(value)
    if value is None or kind is bool:
        return True
    if kind is str:
        return bool(storable(value) == value)
    if kind is int:
        return bool(_LEAST <= value <= _GREATEST)
    if kind is float:
        return math.isfinite(value)
    if kind is dict:
        return all(type(key) is str and is_plain(item) for key, item in value.items())
    return kind is list and all(map(is_plain, value))


def json_value(value: Any) -> Value:
    """A value that JSON can say.

    >>> json_value(1).digest == json_value(1.0).digest
    False
    """
    text = msgspec.json.encode(value)
    return Value(kind="json", digest=digest_of("json", text), json=value, size_bytes=len(text), summary=_summary(value))


def _summary(value: Any) -> str:
    if isinstance(value, list):
        return f"list of {len(value):,}"
    if isinstance(value, dict):
        return f"{len(value)} entries"
    return str(value)[:80]


def list_value(items: Sequence[Value]) -> Value:
    """A list of values; plain ones make a plain list.

    >>> list_value([json_value(1), json_value(2)]) == json_value([1, 2])
    True
    """
    if all(item.kind == "json" for item in items):
        return json_value([item.json for item in items])
    return Value(
        kind="list",
        digest=digest_of("list", *(item.digest.encode() for item in items)),
        items=tuple(items),
        size_bytes=sum(item.size_bytes for item in items),
        summary=f"list of {len(items):,}",
    )


def elements(value: Value) -> tuple[Value, ...]:
    """The elements of a list, for a fan-out.

    >>> [element.json for element in elements(json_value(["a", "b"]))]
    ['a', 'b']

    Raises:
        Invalid: it is no list.
    """
    if value.kind == "list":
        return value.items
    if value.kind == "json" and isinstance(value.json, list):
        return tuple(json_value(item) for item in value.json)
    raise Invalid(f"A fan-out needs a list; it was given {value.kind}: {value.summary[:80] or 'no list'}.")


def blobs_of(value: Value) -> tuple[str, ...]:
    """The blobs that a value stands on."""
    own = (value.blob,) if value.blob else ()
    return own + tuple(blob for item in value.items for blob in blobs_of(item))
