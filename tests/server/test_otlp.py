"""OpenTelemetry's protocol: both encodings read alike, bodies bounded, bytes of chance refused with words."""

import gzip
import json
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.core.errors import AirsideError, Invalid, TooLarge, Unprocessable
from airside.server.otlp import export, jsonform, protobuf
from airside.server.otlp.body import unfolded
from airside.server.otlp.export import Export
from airside.server.otlp.route import JSON, PROTOBUF, read

TRACE, SPAN, OTHER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"


# --- a writer of protobuf, so that the tests need no library of it ---------------------------------------------------


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value & (2**64 - 1))


def text(field: int, value: bytes | str) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(raw)) + raw


def fixed(field: int, value: int) -> bytes:
    return varint(field << 3 | 1) + struct.pack("<Q", value)


def any_value(value: Any) -> bytes:  # noqa: PLR0911 -- one for each kind
    match value:
        case bool():
            return number(2, int(value))
        case str():
            return text(1, value)
        case int():
            return number(3, value)
        case float():
            return varint(4 << 3 | 1) + struct.pack("<d", value)
        case list():
            return text(5, b"".join(text(1, any_value(each)) for each in value))
        case dict():
            return text(6, b"".join(pair(1, key, each) for key, each in value.items()))
        case _:
            return b""


def pair(field: int, key: str, value: Any) -> bytes:
    return text(field, text(1, key) + text(2, any_value(value)))


def span_bytes(attributes: dict[str, Any], *, trace: str = TRACE, span: str = SPAN) -> bytes:
    event = text(11, fixed(1, 7) + text(2, "e") + pair(3, "n", 1))
    link = text(13, text(1, bytes.fromhex(TRACE)) + text(2, bytes.fromhex(OTHER)) + pair(4, "why", "x"))
    status = text(15, text(2, "boom") + number(3, 2))
    head = text(1, bytes.fromhex(trace)) + text(2, bytes.fromhex(span)) + text(4, bytes.fromhex(OTHER))
    times = fixed(7, 1_700_000_000_000_000_000) + fixed(8, 1_700_000_001_000_000_000)
    unknown = number(99, 5) + varint(98 << 3 | 5) + b"abcd" + text(3, "state")
    pairs = b"".join(pair(9, key, value) for key, value in attributes.items())
    return head + text(5, "näme") + number(6, 3) + times + pairs + event + link + status + unknown


def request_bytes(*spans: bytes) -> bytes:
    resource = text(1, pair(1, "service.name", "svc") + pair(1, "n", 3))
    return text(1, resource + text(2, b"".join(text(2, each) for each in spans)))


def any_json(value: Any) -> dict[str, Any]:  # noqa: PLR0911 -- one for each kind
    match value:
        case bool():
            return {"boolValue": value}
        case str():
            return {"stringValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list():
            return {"arrayValue": {"values": [any_json(each) for each in value]}}
        case dict():
            return {"kvlistValue": {"values": pairs_json(value)}}
        case _:
            return {}


def pairs_json(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": any_json(value)} for key, value in attributes.items()]


def request_json(attributes: dict[str, Any]) -> bytes:
    span = {
        "traceId": TRACE.upper(),
        "spanId": SPAN,
        "parentSpanId": OTHER,
        "name": "näme",
        "kind": "SPAN_KIND_CLIENT",
        "startTimeUnixNano": "1700000000000000000",
        "endTimeUnixNano": 1_700_000_001_000_000_000,
        "attributes": pairs_json(attributes),
        "events": [{"timeUnixNano": "7", "name": "e", "attributes": pairs_json({"n": 1})}],
        "links": [{"traceId": TRACE, "spanId": OTHER, "attributes": pairs_json({"why": "x"})}],
        "status": {"code": 2, "message": "boom"},
        "unknown": [1],
    }
    resource = {"attributes": pairs_json({"service.name": "svc", "n": 3})}
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}).encode()


plain = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalars = st.none() | st.booleans() | plain | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, width=64)
finite = scalars.filter(lambda value: not isinstance(value, float) or abs(value) < 1e300)
values = st.recursive(finite, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain, inner, max_size=3))


@given(st.dictionaries(plain, values, max_size=5))
@settings(max_examples=50, deadline=None)
def test_both_encodings_are_read_alike(attributes: dict[str, Any]) -> None:
    by_bytes = protobuf.read_export(request_bytes(span_bytes(attributes)))
    by_text = jsonform.read_export(request_json(attributes))

    assert by_bytes == by_text
    assert by_bytes.spans[0].attributes == attributes


def test_every_part_of_a_span_is_read() -> None:
    read_ = protobuf.read_export(request_bytes(span_bytes({"a": 1})))
    one = read_.spans[0]

    assert (one.trace_id, one.span_id, one.parent_id, one.name) == (TRACE, SPAN, OTHER, "näme")
    assert (one.kind, one.status, one.status_message) == ("CLIENT", "ERROR", "boom")
    assert (one.start_ns, one.end_ns) == (1_700_000_000_000_000_000, 1_700_000_001_000_000_000)
    assert [(event.name, event.time_ns, event.attributes) for event in one.events] == [("e", 7, {"n": 1})]
    assert [(link.trace_id, link.span_id, link.attributes) for link in one.links] == [(TRACE, OTHER, {"why": "x"})]
    assert read_.resources == {TRACE: {"service.name": "svc", "n": "3"}}


def test_the_library_of_opentelemetry_writes_what_we_read() -> None:
    service = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    request = service.ExportTraceServiceRequest()
    request.ParseFromString(request_bytes(span_bytes({"a": [1, 2.5, {"b": None}], "c": "x"})))

    assert protobuf.read_export(request.SerializeToString()) == protobuf.read_export(
        request_bytes(span_bytes({"a": [1, 2.5, {"b": None}], "c": "x"}))
    )
    assert request.resource_spans[0].scope_spans[0].spans[0].name == "näme"


def status_of(reader: Callable[[bytes], Export], data: bytes) -> int:
    try:
        reader(data)
    except AirsideError as error:
        return error.status
    return 200


cut = st.binary(max_size=60).map(lambda tail: request_bytes(span_bytes({"a": 1}))[:-9] + tail)
NAMES = (
    "resourceSpans",
    "scopeSpans",
    "spans",
    "attributes",
    "key",
    "value",
    "traceId",
    "events",
    "kvlistValue",
    "values",
)
nested = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(st.binary(max_size=80) | cut)
@settings(max_examples=50, deadline=None)
def test_bytes_of_chance_are_read_or_refused_with_words(data: bytes) -> None:
    assert {status_of(reader, data) for reader in (protobuf.read_export, jsonform.read_export)} <= {200, 400, 422}


@given(nested)
@settings(max_examples=30, deadline=None)
def test_spans_of_chance_are_read_or_refused_with_words(value: Any) -> None:
    span = {"traceId": TRACE, "spanId": SPAN, "attributes": [{"key": "a", "value": value}]}
    for sent in (value, {"resourceSpans": [{"scopeSpans": [{"spans": [value, span]}]}]}):
        assert status_of(jsonform.read_export, json.dumps(sent).encode()) in {200, 400, 422}


def test_what_is_too_much_is_refused_before_it_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    deep: Any = 1
    for _ in range(export.MAX_DEPTH + 2):
        deep = [deep]
    for attributes in ({"a": deep}, {f"k{n}": n for n in range(export.MAX_ATTRIBUTES + 1)}):
        with pytest.raises(Invalid):
            protobuf.read_export(request_bytes(span_bytes(attributes)))
        with pytest.raises(Invalid):
            jsonform.read_export(request_json(attributes))
    monkeypatch.setattr(export, "MAX_SPANS", 2)
    with pytest.raises(Invalid, match="At most 2 spans"):
        protobuf.read_export(request_bytes(*[span_bytes({})] * 3))


@pytest.mark.parametrize(("trace", "span"), [("", SPAN), (TRACE, ""), ("00" * 16, SPAN), (TRACE, "00" * 8)])
def test_a_span_without_an_id_is_refused(trace: str, span: str) -> None:
    with pytest.raises(Unprocessable):
        protobuf.read_export(request_bytes(span_bytes({}, trace=trace, span=span)))


def test_numbers_that_json_has_no_word_for_are_told_by_their_names() -> None:
    odd = {"nan": float("nan"), "up": float("inf"), "down": float("-inf"), "least": -(2**63)}
    told = {"nan": "NaN", "up": "Infinity", "down": "-Infinity", "least": -(2**63)}

    assert protobuf.read_export(request_bytes(span_bytes(odd))).spans[0].attributes == told


# --- compressed bodies ---------------------------------------------------------------------------------------------


def raw_deflate(data: bytes) -> bytes:
    engine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return engine.compress(data) + engine.flush()


def test_a_body_is_unfolded_whatever_its_encoding() -> None:
    data = b"spans" * 1000
    folded = {"gzip": gzip.compress(data), "deflate": zlib.compress(data), "": data, "GZIP": gzip.compress(data)}

    assert all(unfolded(body, encoding) == data for encoding, body in folded.items())
    assert unfolded(raw_deflate(data), "deflate") == data
    assert unfolded(gzip.compress(b"a") + gzip.compress(b"b"), "gzip") == b"ab"


def test_a_bomb_is_cut_off_and_broken_bodies_are_told() -> None:
    zeros = b"\0" * (1 << 20)
    for body, encoding in (
        (gzip.compress(zeros), "gzip"),
        (zlib.compress(zeros), "deflate"),
        (raw_deflate(zeros), "deflate"),
    ):
        with pytest.raises(TooLarge):
            unfolded(body, encoding, limit=1000)
    halves = gzip.compress(zeros[:600]) * 2
    with pytest.raises(TooLarge):
        unfolded(halves, "gzip", limit=1000)
    for body, encoding in ((b"x", "gzip"), (b"x", "deflate"), (gzip.compress(zeros)[:50], "gzip"), (b"", "br")):
        with pytest.raises(Invalid):
            unfolded(body, encoding)


def test_a_request_becomes_an_ask() -> None:
    body = request_bytes(span_bytes({"a": 1}))

    asked = read(gzip.compress(body), "gzip", PROTOBUF, "7", "run")

    assert (asked.experiment_id, asked.run_id, len(asked.spans)) == ("7", "run", 1)
    with pytest.raises(Invalid, match="no spans found"):
        read(b"{}", "", JSON, "7", "")
