"""MLflow's scoring protocol: what is accepted, what is refused, with which words."""

import json
from typing import Any

import msgspec
import pytest

from airside.core.errors import AirsideError
from airside.inference.protocol.faults import error_body
from airside.inference.protocol.invocations import decode, encode
from airside.inference.records import ColumnSpec, ParamSpec, Prediction, Signature, TensorSpec

TWO = Signature(inputs=(ColumnSpec(name="x", type="double"), ColumnSpec(name="c", type="string")))
RIGHT = {"x": [1.5, 2.0], "c": ["a", "b"]}
JSON = "application/json"


def columns_of(body: Any, content_type: str = JSON, signature: Signature = TWO, **more: Any) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode(raw, content_type, signature, **more).columns


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ({"dataframe_split": {"columns": ["x", "c"], "data": [[1.5, "a"], [2, "b"]]}}, JSON),
        ({"dataframe_split": {"columns": ["x", "c"], "index": [7, 8], "data": [[1.5, "a"], [2, "b"]]}}, JSON),
        ({"dataframe_split": {"columns": ["c", "x"], "data": [["a", 1.5], ["b", 2]]}}, JSON),
        ({"dataframe_records": [{"x": 1.5, "c": "a"}, {"c": "b", "x": 2}]}, JSON),
        ({"dataframe_records": [{"x": 1.5, "c": "a", "z": 1}, {"x": 2, "c": "b"}]}, "application/json; charset=UTF-8"),
        ({"inputs": {"x": [1.5, 2], "c": ["a", "b"]}}, JSON),
        ({"inputs": [{"x": 1.5, "c": "a"}, {"x": 2, "c": "b"}]}, JSON),
        ({"instances": [{"x": 1.5, "c": "a"}, {"x": 2, "c": "b"}]}, JSON),
        ({"instances": {"x": [1.5, 2], "c": ["a", "b"]}, "params": {"other": 1}, "signature_name": "s"}, ""),
        (b"x,c\n1.5,a\n2,b\n", "text/csv"),
        (b"c,x\r\na,1.5\r\nb,2\r\n", "text/csv; charset=utf-8"),
    ],
)
def test_every_form_gives_the_same_rows(body: Any, content_type: str) -> None:
    assert columns_of(body, content_type) == RIGHT


def test_one_object_under_inputs_is_one_row() -> None:
    assert columns_of({"inputs": {"x": 1.5, "c": "a"}}) == {"x": [1.5], "c": ["a"]}


def test_null_and_bare_tokens_in_a_double_column_are_nan_and_infinity() -> None:
    body = b'{"inputs": {"x": [null, NaN, Infinity], "c": ["a", null, "b"]}}'

    assert str(columns_of(body)) == "{'x': [nan, nan, inf], 'c': ['a', None, 'b']}"


def test_an_optional_column_may_be_missing_and_an_unknown_one_is_dropped() -> None:
    optional = ColumnSpec(name="y", type="double", required=False)
    signature = Signature(inputs=(ColumnSpec(name="x", type="long"), optional))

    assert columns_of({"dataframe_records": [{"x": 1, "z": 2}]}, JSON, signature) == {"x": [1], "y": [None]}


@pytest.mark.parametrize("key", ["inputs", "instances"])
def test_a_single_column_takes_a_plain_list_and_a_tensor_a_matrix(key: str) -> None:
    single = Signature(inputs=(ColumnSpec(name="x", type="double"),))
    tensor = Signature(inputs=(TensorSpec(dtype="float64", shape=(-1, 2)),))

    assert columns_of({key: [1.0, 2.0]}, JSON, single) == {"x": [1.0, 2.0]}
    assert columns_of({key: [[1.0, 2.0], [3.0, 4.0]]}, JSON, tensor) == {"0": [1.0, 3.0], "1": [2.0, 4.0]}


SCHEMA = ("INVALID_PARAMETER_VALUE", "SCHEMA_ENFORCEMENT_FAILED")
BAD = ("BAD_REQUEST", "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize(
    ("body", "content_type", "code", "says"),
    [
        ({"dataframe_split": {"data": [[1.5, "a"]]}}, JSON, SCHEMA, "'columns' is missing"),
        ({"dataframe_records": [{"x": 1.5}]}, JSON, SCHEMA, "needs the column 'c'"),
        (b"x\n1.5\n", "text/csv", SCHEMA, "needs the column 'c'"),
        ({"inputs": {"x": [1.5], "c": ["a", "b"]}}, JSON, SCHEMA, "unequal lengths"),
        ({"messages": []}, JSON, SCHEMA, "language model"),
        ({"prompt": "x", "inputs": {"x": [1], "c": ["a"]}}, JSON, SCHEMA, "language model"),
        ({"input": "x"}, JSON, SCHEMA, "language model"),
        ({"dataframe_split": {"columns": ["x", "c"], "data": [[1, "a"]], "dtype": 1}}, JSON, BAD, "dtype"),
        ({"dataframe_split": [[1, "a"]]}, JSON, BAD, "dataframe_split"),
        ({"dataframe_split": {"columns": ["x", "c"], "data": [[1, "a"], [1]]}}, JSON, BAD, "2 columns"),
        ({"dataframe_records": {"x": [1], "c": ["a"]}}, JSON, BAD, "dataframe_records"),
        ({"dataframe_records": [{"x": "no", "c": "a"}]}, JSON, BAD, "Row 0, column 'x': expected double, got a text"),
        ({"inputs": [[1, "a"]]}, JSON, BAD, "columns have names"),
        ({"instances": [[1, "a"]]}, JSON, BAD, "columns have names"),
        ({"inputs": {"x": [1]}, "instances": [1]}, JSON, BAD, "Exactly one"),
        ({}, JSON, BAD, "Exactly one"),
        ([1], JSON, BAD, "object"),
        (b"3", JSON, BAD, "object"),
        (b"{oh", JSON, BAD, "not JSON"),
        (b"", JSON, BAD, "not JSON"),
        (b'{"inputs": ' + b"[" * 100_000, JSON, BAD, "not JSON"),
        ({"dataframe_split": {"columns": ["x", "c"], "data": []}}, JSON, BAD, "no rows"),
        (b"x,c\n", "text/csv", BAD, "no rows"),
        (b"", "text/csv", BAD, "empty"),
        (b"\n\n", "text/csv", BAD, "empty"),
        (b"x,c\n1\n", "text/csv", BAD, "2 values"),
        (b"PAR1", "application/vnd.apache.parquet", BAD, "not Parquet"),
        ({"dataframe_split": {"columns": [str(i) for i in range(200)], "data": [[0] * 200]}}, JSON, BAD, "200 columns"),
        ({"inputs": {"x": [1], "c": ["a"]}, "params": 3}, JSON, BAD, "'params' must be an object"),
    ],
)
def test_what_is_wrong_is_a_400_with_mlflows_keys(body: Any, content_type: str, code: Any, says: str) -> None:
    with pytest.raises(AirsideError, match=says) as refused:
        columns_of(body, content_type)

    told = json.loads(error_body(refused.value))
    assert (refused.value.status, told["error_code"], told["error_class"]) == (400, *code)
    assert len(refused.value.message) <= 4096


@pytest.mark.parametrize(
    ("content_type", "says"),
    [
        ("application/json; charset=latin-1", "only supports UTF-8"),
        ("application/json; format=pandas-split", "Unrecognized content type parameters"),
        ("application/xml", "does not read"),
        ("Application/JSON", "does not read"),
    ],
)
def test_another_media_type_is_a_415(content_type: str, says: str) -> None:
    with pytest.raises(AirsideError, match=says) as refused:
        columns_of({}, content_type)

    assert refused.value.status == 415


STRICT = [
    ("long", [1, 1.0, "1", True], [1, 1, 1, 1]),
    ("long", [1.5], "a number with a fraction"),
    ("long", ["1.5"], "a text that is no whole number"),
    ("long", [None], "null"),
    ("long", [2**63], "out of range"),
    ("integer", [2**40], "out of range"),
    ("double", [1, 1.5, "1", True, 2**60], [1.0, 1.5, 1.0, 1.0, float(2**60)]),
    ("double", ["x"], "a text that is no number"),
    ("double", [""], "a text that is no number"),
    ("double", [2**53 + 1], "cannot hold exactly"),
    ("double", [10**400], "out of range"),
    ("float", [16777217], "cannot hold exactly"),
    ("float", [1e300], "out of range"),
    ("float", [0.5], [0.5]),
    ("boolean", [True, 1, 0, None], [True, True, False, None]),
    ("boolean", ["false"], "a text"),
    ("boolean", [2], "a whole number"),
    ("string", ["a", None], ["a", None]),
    ("string", [1], "a whole number"),
    ("datetime", ["2020-01-01T00:00:00+01:00"], "a time with a zone"),
    ("binary", ["????"], [b""]),
    ("binary", ["abc"], "no base64"),
]


@pytest.mark.parametrize(("type_", "given", "wanted"), STRICT)
def test_a_value_means_exactly_what_its_type_can_say_or_is_refused(type_: Any, given: list[Any], wanted: Any) -> None:
    signature = Signature(inputs=(ColumnSpec(name="v", type=type_),))
    body = {"dataframe_split": {"columns": ["v"], "data": [[value] for value in given]}}

    if isinstance(wanted, list):
        assert columns_of(body, JSON, signature) == {"v": wanted}
    else:
        with pytest.raises(AirsideError, match=f"column 'v': expected {type_}, got .*{wanted}"):
            columns_of(body, JSON, signature)


@pytest.mark.parametrize(
    ("type_", "given", "wanted"),
    [
        ("long", 1.5, 1),
        ("long", 2**63, -(2**63)),
        ("integer", 2**40, 0),
        ("integer", 2**31, -(2**31)),
        ("boolean", "false", True),
        ("boolean", "", False),
        ("float", 16777217, 16777216.0),
        ("float", 1e300, float("inf")),
        ("string", 1, 1),
    ],
)
def test_with_compat_values_are_converted_as_mlflow_does(type_: Any, given: Any, wanted: Any) -> None:
    signature = Signature(inputs=(ColumnSpec(name="v", type=type_),))
    body = {"dataframe_split": {"columns": ["v"], "data": [[given]]}}

    assert columns_of(body, JSON, signature, compat=True) == {"v": [wanted]}


def test_an_error_never_repeats_the_data() -> None:
    with pytest.raises(AirsideError) as refused:
        columns_of({"dataframe_records": [{"x": "secret-value", "c": "another-secret"}]})

    assert "secret" not in refused.value.message


def test_params_are_checked_and_filled_in_and_choose_the_method() -> None:
    signature = Signature(
        inputs=(ColumnSpec(name="x", type="long"),), params=(ParamSpec(name="top", type="long", default=3),)
    )
    body = {"inputs": {"x": [1]}, "params": {"predict_method": "predict_proba"}}

    asked = decode(json.dumps(body).encode(), JSON, signature)

    assert (asked.method, asked.params) == ("predict_proba", {"top": 3})


def test_an_answer_is_always_json_and_with_compat_it_is_mlflows() -> None:
    prediction = Prediction(labels=[1.5, float("nan")])

    assert msgspec.json.decode(encode(prediction)) == {"predictions": [1.5, None]}
    assert encode(prediction, compat=True) == b'{"predictions": [1.5, NaN]}'


def test_probabilities_of_a_regression_are_refused() -> None:
    with pytest.raises(AirsideError, match="no probabilities"):
        encode(Prediction(labels=[1.5]), "predict_proba")
