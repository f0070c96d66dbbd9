"""Protobuf's wire format, as far as OpenTelemetry's export of traces needs it (docs/decisions/0007).

A message is a row of fields, each a number, a wire type and a value (protobuf.dev/programming-guides/encoding). The
numbers below are those of opentelemetry/proto/{collector/trace,trace,resource,common}/v1. Unknown fields are passed
over; every length is checked against what is there.
"""

import base64
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from airside.core.errors import Invalid
from airside.server.otlp.export import (
    MAX_ATTRIBUTES,
    MAX_DEPTH,
    MAX_EVENTS,
    MAX_LINKS,
    MAX_RESOURCES,
    Export,
    made,
    malformed,
)

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DOUBLE, _U64 = struct.Struct("<d"), struct.Struct("<Q")
Value = int | bytes
"""A number (a fixed one as its bytes), or the bytes of a text or message."""


def read_export(data: bytes) -> Export:
    """The spans of an `ExportTraceServiceRequest`.

    Raises:
        Invalid: it cannot be read, or has too much of something. Unprocessable: a span has no id.
    """
    export = Export([], {})
    for number, value in _fields(data):
        if number == 1:
            _resource_spans(_bytes(value), export)
    return export


def _fields(data: bytes) -> Iterator[tuple[int, Value]]:
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        wire = key & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if wire == _BYTES:
            size, at = _varint(data, at)
        elif wire in {_FIXED64, _FIXED32}:
            size = 8 if wire == _FIXED64 else 4
        else:
            raise malformed()
        if size > end - at:
            raise malformed()
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    result = shift = 0
    while shift < 70:
        if at >= len(data):
            raise malformed()
        byte = data[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result & (2**64 - 1), at
        shift += 7
    raise malformed()


def _bytes(value: Value) -> bytes:
    if isinstance(value, int):
        raise malformed()
    return value


def _number(value: Value) -> int:
    if not isinstance(value, int):
        raise malformed()
    return value


def _text(value: Value) -> str:
    try:
        return _bytes(value).decode()
    except UnicodeDecodeError:
        raise malformed() from None


def _fixed64(value: Value) -> int:
    raw = _bytes(value)
    if len(raw) != 8:
        raise malformed()
    return int(_U64.unpack(raw)[0])


def _hex(value: Value) -> str:
    return _bytes(value).hex()


def _resource_spans(data: bytes, export: Export) -> None:
    resource: dict[str, Any] = {}
    scopes: list[bytes] = []
    for number, value in _fields(data):
        if number == 1:
            resource |= _message(_bytes(value), {1: ("attributes", _key_value)}).get("attributes", {})
        elif number == 2:
            scopes.append(_bytes(value))
        if len(scopes) > MAX_RESOURCES:
            raise _too_many("scopes", MAX_RESOURCES)
    for scope in scopes:
        for number, value in _fields(scope):
            if number == 2:
                export.add(made(_message(_bytes(value), _SPAN)), resource)


Reader = Callable[[Value], Any]


def _message(data: bytes, known: Mapping[int, tuple[str, Reader]]) -> dict[str, Any]:
    """A message as a dictionary; attributes gather in one, events and links in lists."""
    parts: dict[str, Any] = {}
    for number, value in _fields(data):
        if number not in known:
            continue
        name, reader = known[number]
        if name == "attributes":
            gathered = parts.setdefault(name, {})
            key, made_ = reader(value)
            gathered[key] = made_
            _check(gathered, name, MAX_ATTRIBUTES)
        elif name in {"events", "links"}:
            listed = parts.setdefault(name, [])
            listed.append(reader(value))
            _check(listed, name, MAX_EVENTS if name == "events" else MAX_LINKS)
        elif name == "":
            parts |= reader(value)
        else:
            parts[name] = reader(value)
    return parts


def _check(gathered: Any, name: str, limit: int) -> None:
    if len(gathered) > limit:
        raise _too_many(name, limit)


def _too_many(name: str, limit: int) -> Invalid:
    return Invalid(f"A span of OpenTelemetry has more than {limit} {name}, the limit of this server.")


def _key_value(value: Value, depth: int = 0) -> tuple[str, Any]:
    key, made_ = "", None
    for number, part in _fields(_bytes(value)):
        if number == 1:
            key = _text(part)
        elif number == 2:
            made_ = _any_value(_bytes(part), depth)
    return key, made_


def _any_value(data: bytes, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise Invalid(f"A value of OpenTelemetry is nested more than {MAX_DEPTH} deep.")
    made_: Any = None
    for number, value in _fields(data):
        match number:
            case 1:
                made_ = _text(value)
            case 2:
                made_ = bool(_number(value))
            case 3:
                whole = _number(value)
                made_ = whole - 2**64 if whole >= 2**63 else whole
            case 4:
                made_ = _double(value)
            case 5:
                inner = _fields(_bytes(value))
                made_ = [_any_value(_bytes(item), depth + 1) for place, item in inner if place == 1]
            case 6:
                inner = _fields(_bytes(value))
                made_ = dict(_key_value(item, depth + 1) for place, item in inner if place == 1)
            case 7:
                made_ = base64.b64encode(_bytes(value)).decode()
    return made_


def _double(value: Value) -> float | str:
    """A double; what JSON has no word for is told by protobuf's words."""
    raw = _bytes(value)
    if len(raw) != 8:
        raise malformed()
    number = float(_DOUBLE.unpack(raw)[0])
    if number != number:  # noqa: PLR0124 -- not a number
        return "NaN"
    return "Infinity" if number == float("inf") else "-Infinity" if number == float("-inf") else number


_STATUS: dict[int, tuple[str, Reader]] = {2: ("status_message", _text), 3: ("status", _number)}
_EVENT: dict[int, tuple[str, Reader]] = {1: ("time_ns", _fixed64), 2: ("name", _text), 3: ("attributes", _key_value)}
_LINK: dict[int, tuple[str, Reader]] = {1: ("trace_id", _hex), 2: ("span_id", _hex), 4: ("attributes", _key_value)}
_SPAN: dict[int, tuple[str, Reader]] = {
    1: ("trace_id", _hex),
    2: ("span_id", _hex),
    4: ("parent_id", _hex),
    5: ("name", _text),
    6: ("kind", _number),
    7: ("start_ns", _fixed64),
    8: ("end_ns", _fixed64),
    9: ("attributes", _key_value),
    11: ("events", lambda value: {"name": "", **_message(_bytes(value), _EVENT)}),
    13: ("links", lambda value: {"trace_id": "", "span_id": "", **_message(_bytes(value), _LINK)}),
    15: ("", lambda value: _message(_bytes(value), _STATUS)),
}
