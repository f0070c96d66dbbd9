"""Requests of MLflow's clients, as they are read: Python, R and Java send the same thing in different forms."""

import json
import math
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.core.errors import AirsideError, DiskFull, Invalid, Overloaded, TooLarge
from airside.server.mlflow import wire
from airside.server.mlflow.mount import told
from airside.server.mlflow.wire import WireRequest, error_answer, message, present, read, repeated

TYPED = {b"content-type": b"application/json; charset=utf-8"}
SPEC = message(
    required=("run_id", "key"),
    run_id=wire.string,
    key=wire.string,
    step=wire.int64,
    value=wire.double,
    flag=wire.boolean,
    view_type=wire.enum(ACTIVE=1, ALL=3),
    order_by=repeated(wire.string),
    items=repeated(message(required=("key",), key=wire.string)),
)
BASE = '{"run_id":"r","key":"k"'


def sent(body: str | bytes) -> dict[str, Any]:
    raw = body if isinstance(body, bytes) else body.encode()
    return read(WireRequest(body=raw, headers=TYPED), SPEC)


@pytest.mark.parametrize(
    ("extra", "found"),
    [
        ('"step":"1e+05"', {"step": 100_000}),
        ('"step":2.0,"value":"1.7e+12"', {"step": 2, "value": 1.7e12}),
        ('"step":"-9223372036854775808"', {"step": -(2**63)}),
        ('"value":"Infinity"', {"value": math.inf}),
        ('"value":-Infinity', {"value": -math.inf}),
        ('"flag":"FALSE"', {"flag": False}),
        ('"viewType":3', {"view_type": "ALL"}),
        ('"view_type":"ACTIVE","orderBy":["a"]', {"view_type": "ACTIVE", "order_by": ["a"]}),
        ('"step":null,"unknown":{"deep":[1]}', {}),
        ('"items":[{"key":"a","more":1}]', {"items": [{"key": "a"}]}),
    ],
)
def test_every_form_of_a_value_is_understood(extra: str, found: dict[str, Any]) -> None:
    assert sent(f"{BASE},{extra}}}") == {"run_id": "r", "key": "k", **found}


def test_not_a_number_is_read_as_a_word_and_bare() -> None:
    for text in ('"NaN"', "NaN"):
        assert math.isnan(sent(f'{BASE},"value":{text}}}')["value"])


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('{"key":"k"}', "Missing value for required parameter 'run_id'. See the API docs"),
        ('{"run_id":"","key":"k"}', "Missing value for required parameter 'run_id'."),
        ('{"runId":"r","key":"k"}', "Missing value for required parameter 'run_id'."),
        (
            '{"run_id":"r","runId":"r","key":"k"}',
            "Request specifies both 'run_id' and 'runId'; provide only one of them.",
        ),
        ("", "Missing value for required parameter 'run_id'."),
        ("not json", "Missing value for required parameter 'run_id'."),
        (b"\xff", "Missing value for required parameter 'run_id'."),
        ("[1]", "The request body must be a JSON object, got list."),
        ("[" * 100_000, "The request body is nested too deeply."),
        (
            '{"run_id":5,"key":"k"}',
            "Invalid value 5 for parameter 'run_id' supplied:  Hint: Value was of type 'int'. See the API docs for ",
        ),
        (BASE + ',"step":true}', "Invalid value true for parameter 'step' supplied:  Hint: Value was of type 'bool'."),
        (BASE + ',"step":1.5}', "Invalid value 1.5 for parameter 'step' supplied:  Hint: Value was of type 'float'."),
        (BASE + ',"step":"9223372036854775808"}', "for parameter 'step' supplied:  Hint: Value was of type 'str'."),
        (BASE + ',"value":[1]}', "Invalid value [1] for parameter 'value' supplied:  Hint: Value was of type 'list'."),
        (BASE + ',"flag":"maybe"}', "Invalid value \"maybe\" for parameter 'flag' supplied:"),
        (BASE + ',"view_type":"BOGUS"}', "Invalid value \"BOGUS\" for parameter 'view_type' supplied:"),
        (BASE + ',"order_by":"a"}', "Invalid value \"a\" for parameter 'order_by' supplied:"),
        (BASE + ',"order_by":[1]}', "Invalid value 1 for parameter 'order_by[0]' supplied:"),
        (BASE + ',"items":[{"key":"a"},{}]}', "Missing value for required parameter 'items[1].key'."),
    ],
)
def test_what_is_wrong_is_told_in_mlflows_words(body: str | bytes, text: str) -> None:
    with pytest.raises(Invalid) as caught:
        sent(body)
    assert text in caught.value.message


def test_a_body_that_is_encoded_twice_is_decoded_twice() -> None:
    assert sent('"{\\"run_id\\": \\"r\\", \\"key\\": \\"k\\"}"') == {"run_id": "r", "key": "k"}


def test_run_uuid_stands_in_for_run_id_which_wins() -> None:
    assert sent('{"run_uuid":"u","key":"k"}')["run_id"] == "u"
    assert sent('{"run_id":"r","run_uuid":"u","key":"k"}')["run_id"] == "r"


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({}, "Bad Request. Content-Type header is missing."),
        ({b"content-type": b"text/plain"}, r"Bad Request. Content-Type must be one of \['application/json'\]."),
    ],
)
def test_a_body_must_say_that_it_is_json(headers: dict[bytes, bytes], text: str) -> None:
    with pytest.raises(Invalid, match=text):
        read(WireRequest(body=b"{}", headers=headers), SPEC)
    assert read(WireRequest(method="DELETE", body=b"{}"), message()) == {}


def test_a_query_is_read_with_repeated_keys_as_lists() -> None:
    query = {"run_uuid": ["u"], "key": ["k"], "order_by": ["a"], "step": ["5"], "flag": ["True"], "other": ["x"]}
    found = read(WireRequest(method="GET", query=query), SPEC)
    assert found == {"run_id": "u", "key": "k", "order_by": ["a"], "step": 5, "flag": True}
    with pytest.raises(Invalid, match=r"Invalid boolean value: no, must be 'true' or 'false'\."):
        read(WireRequest(method="GET", query={**query, "flag": ["no"]}), SPEC)


def test_a_get_without_a_query_is_read_from_its_body() -> None:
    assert read(WireRequest(method="GET", body=b'{"run_id":"r","key":"k"}'), SPEC) == {"run_id": "r", "key": "k"}


def test_only_what_is_set_is_written() -> None:
    assert present(a="", b=0, c=False, d=None, e=[], f={}, g=()) == {"a": "", "b": 0, "c": False}


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Invalid("x"), 400, "INVALID_PARAMETER_VALUE"),
        (AirsideError("x", code="INVALID_STATE"), 500, "INVALID_STATE"),
        (DiskFull(), 503, "TEMPORARILY_UNAVAILABLE"),
        (Overloaded(), 429, "RESOURCE_EXHAUSTED"),
    ],
)
def test_an_error_has_the_status_that_clients_expect(error: AirsideError, status: int, code: str) -> None:
    found, body = error_answer(error)
    assert found == status
    assert f'"error_code":"{code}"'.encode() in body


def test_overload_says_when_to_come_back_and_a_large_body_does_not() -> None:
    assert (b"retry-after", b"1") in told(Overloaded()).headers
    assert all(name != b"retry-after" for name, _ in told(TooLarge("x")).headers)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
fields = st.sampled_from(["run_id", "key", "step", "value", "flag", "view_type", "order_by", "items", "runId", "x"])


@given(body=st.dictionaries(fields, json_values, max_size=6))
@settings(max_examples=50)
def test_any_body_is_read_or_refused_with_words(body: dict[str, Any]) -> None:
    with suppress(Invalid):
        assert sent(json.dumps(body))["run_id"]
