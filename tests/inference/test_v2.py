"""The Open Inference Protocol: JSON and binary tensors, in and out."""

import json
from typing import Any

import numpy as np
import pytest

from airside.core.errors import AirsideError
from airside.inference.protocol import v2
from airside.inference.records import ColumnSpec, Prediction, Signature, TensorSpec

TWO = Signature(
    inputs=(ColumnSpec(name="x", type="double"), ColumnSpec(name="c", type="string")),
    outputs=(ColumnSpec(type="long"),),
)
X = {"name": "x", "shape": [2], "datatype": "FP64", "data": [1.5, 2]}
C = {"name": "c", "shape": [2, 1], "datatype": "BYTES", "data": [["a"], ["b"]]}
CLASSES = Prediction(labels=[1, 0], probabilities=[[0.25, 0.75], [0.5, 0.5]], scores=[1.0, 0.0], classes=(0, 1))


def asked(body: Any, signature: Signature = TWO) -> Any:
    return v2.decode(json.dumps(body).encode(), signature)


def test_columns_come_as_inputs() -> None:
    request = asked({"id": "7", "inputs": [X, C], "outputs": [{"name": "predict"}]})

    assert (request.columns, request.rows, request.id) == ({"x": [1.5, 2.0], "c": ["a", "b"]}, 2, "7")


def test_a_matrix_is_a_tensor() -> None:
    signature = Signature(inputs=(TensorSpec(dtype="float32", shape=(-1, 2)),))
    tensor = {"name": "any", "shape": [2, 2], "datatype": "FP32", "data": [[1, 2], [3, 4]]}

    assert asked({"inputs": [tensor]}, signature).columns == {"0": [1.0, 3.0], "1": [2.0, 4.0]}


def test_binary_tensors_come_and_go() -> None:
    numbers = np.array([1.5, 2.0]).tobytes()
    texts = b"".join(len(t).to_bytes(4, "little") + t for t in (b"a", b"bc"))
    head = json.dumps(
        {
            "inputs": [
                {"name": "x", "shape": [2], "datatype": "FP64", "parameters": {"binary_data_size": len(numbers)}},
                {"name": "c", "shape": [2], "datatype": "BYTES", "parameters": {"binary_data_size": len(texts)}},
            ],
            "parameters": {"binary_data_output": True},
        }
    ).encode()

    request = v2.decode(head + numbers + texts, TWO, json_length=len(head))
    body, length = v2.encode(CLASSES, request, model_name="m", model_version="3")

    assert request.columns == {"x": [1.5, 2.0], "c": ["a", "bc"]}
    assert length is not None
    described = json.loads(body[:length])
    assert [o["parameters"]["binary_data_size"] for o in described["outputs"]] == [16, 32]
    assert np.frombuffer(body[length : length + 16], "<i8").tolist() == [1, 0]
    assert np.frombuffer(body[length + 16 :], "<f8").tolist() == [0.25, 0.75, 0.5, 0.5]


def test_an_answer_names_model_version_and_id_and_has_all_outputs() -> None:
    body, length = v2.encode(CLASSES, asked({"id": "7", "inputs": [X, C]}), model_name="m", model_version="3")

    answer = json.loads(body)
    assert length is None
    assert (answer["model_name"], answer["model_version"], answer["id"]) == ("m", "3", "7")
    labels, probabilities = answer["outputs"]
    assert (labels["shape"], labels["datatype"], labels["data"]) == ([2, 1], "INT64", [1, 0])
    assert (probabilities["shape"], probabilities["data"]) == ([2, 2], [0.25, 0.75, 0.5, 0.5])


def test_text_labels_are_bytes() -> None:
    body, _ = v2.encode(Prediction(labels=["yes"]), asked({"inputs": [X, C]}), model_name="m")

    (output,) = json.loads(body)["outputs"]
    assert (output["datatype"], output["data"], output["parameters"]) == ("BYTES", ["yes"], {"content_type": "str"})


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "missing required field `inputs`"),
        ({"inputs": []}, "needs the columns 'x', 'c'"),
        ({"inputs": [X]}, "needs the column 'c'"),
        ({"inputs": [X | {"shape": [3]}, C]}, "shape says 3 values, 2 came"),
        ({"inputs": [X | {"shape": [-1]}, C]}, "is not one of rows"),
        ({"inputs": [X | {"shape": [1, 2]}, C]}, r"shape \[n\] or \[n, 1\]"),
        ({"inputs": [X | {"shape": [10**9, 10**9]}, C]}, "too large"),
        ({"inputs": [X | {"datatype": "FP99"}, C]}, "unknown datatype 'FP99'"),
        ({"inputs": [X | {"data": ["no", 1]}, C]}, "Row 0, column 'x': expected double, got a text"),
        ({"inputs": [X | {"data": [[1], 2]}, C]}, "ragged"),
        ({"inputs": [{"name": "x", "shape": [2], "datatype": "FP64"}, C]}, "neither 'data' nor"),
        ({"inputs": [X | {"parameters": {"binary_data_size": 16}}, C]}, "16 binary bytes are announced, 0 came"),
        ({"inputs": [X, C], "outputs": [{"name": "shap"}]}, "no output 'shap'"),
    ],
)
def test_a_bad_request_is_a_400(body: Any, says: str) -> None:
    with pytest.raises(AirsideError, match=says) as refused:
        asked(body)

    assert refused.value.status == 400


@pytest.mark.parametrize("tail", [b"\x05\x00\x00\x00ab", b"\x01\x00\x00"])
def test_a_cut_bytes_tensor_is_refused(tail: bytes) -> None:
    head = json.dumps(
        {"inputs": [{"name": "c", "shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": len(tail)}}]}
    ).encode()

    with pytest.raises(AirsideError, match="BYTES"):
        v2.decode(head + tail, TWO, json_length=len(head))


@pytest.mark.parametrize("length", [0, -1, 10_000])
def test_a_wrong_header_length_is_refused(length: int) -> None:
    with pytest.raises(AirsideError, match="Inference-Header-Content-Length"):
        v2.decode(b'{"inputs": []}', TWO, json_length=length)


def test_metadata_describes_inputs_and_outputs() -> None:
    described = json.loads(v2.metadata(TWO, name="m", versions=("1",), probabilities=True))

    assert described["inputs"] == [
        {"name": "x", "datatype": "FP64", "shape": [-1, 1]},
        {"name": "c", "datatype": "BYTES", "shape": [-1, 1]},
    ]
    outputs = [(output["name"], output["datatype"]) for output in described["outputs"]]
    assert outputs == [("predict", "INT64"), ("predict_proba", "FP64")]
