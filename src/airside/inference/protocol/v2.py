"""The Open Inference Protocol V2 over HTTP: JSON and binary tensors."""

import math
from typing import Any

import msgspec
import numpy as np

from airside.core.errors import Invalid, quoted
from airside.inference.protocol.faults import bad_request
from airside.inference.records import ColumnSpec, Prediction, Signature, TensorSpec, V2Output, V2Request
from airside.inference.rules import MAX_ROWS, fitted, input_names

DTYPES = {
    "BOOL": "?",
    "UINT8": "u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
"""Datatype → numpy's letters, little-endian as on the wire; BYTES stands apart."""

OF_COLUMN = {
    "boolean": "BOOL",
    "integer": "INT32",
    "long": "INT64",
    "float": "FP32",
    "double": "FP64",
    "string": "BYTES",
    "binary": "BYTES",
    "datetime": "BYTES",
    "any": "BYTES",
}
OUTPUTS = ("predict", "predict_proba", "decision_function")


class _Tensor(msgspec.Struct):
    name: str
    shape: list[int]
    datatype: str
    data: list[Any] | msgspec.UnsetType = msgspec.UNSET
    parameters: dict[str, str | bool | int | float] = msgspec.field(default_factory=dict)


class _Output(msgspec.Struct):
    name: str
    parameters: dict[str, str | bool | int | float] = msgspec.field(default_factory=dict)


class _Body(msgspec.Struct):
    inputs: list[_Tensor]
    id: str = ""
    outputs: list[_Output] = msgspec.field(default_factory=list)
    parameters: dict[str, str | bool | int | float] = msgspec.field(default_factory=dict)


_DECODER = msgspec.json.Decoder(_Body)


def decode(body: bytes, signature: Signature, *, json_length: int | None = None) -> V2Request:
    """Read the body of an infer request.

    Args:
        body: the bytes.
        signature: what the model takes: an input for each column, of shape `[n]` or `[n, 1]`; or one `[n, p]` tensor.
        json_length: the header `Inference-Header-Content-Length`, when it came.

    Raises:
        Invalid: the body cannot be read, or does not fit the signature.
    """
    head = body if json_length is None else body[:json_length]
    if json_length is not None and not 0 < json_length <= len(body):
        raise bad_request(f"Inference-Header-Content-Length is {json_length}, the body has {len(body)} bytes.")
    try:
        asked = _DECODER.decode(head)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as wrong:
        raise bad_request(f"The request is not one of the Open Inference Protocol: {wrong}.") from None
    _known_outputs(asked.outputs)
    arrays = _arrays(asked.inputs, b"" if json_length is None else body[json_length:])
    columns, rows = fitted(signature, _columns(asked.inputs, arrays, signature), form="column")
    return V2Request(
        columns=columns,
        rows=rows,
        id=asked.id,
        outputs=tuple(V2Output(name=o.name, binary=bool(o.parameters.get("binary_data"))) for o in asked.outputs),
        binary_output=bool(asked.parameters.get("binary_data_output", False)),
        parameters=asked.parameters,
    )


def _known_outputs(outputs: list[_Output]) -> None:
    unknown = [output.name for output in outputs if output.name not in OUTPUTS]
    if unknown:
        raise bad_request(f"The model has no output {quoted(unknown)}. It has: {quoted(OUTPUTS)}.")


def _arrays(tensors: list[_Tensor], tail: bytes) -> list[list[Any]]:
    flat: list[list[Any]] = []
    at = 0
    for tensor in tensors:
        size = tensor.parameters.get("binary_data_size")
        if isinstance(size, int) and not isinstance(size, bool):
            flat.append(_binary(tensor, tail[at : at + size], size))
            at += size
        else:
            flat.append(_flat(tensor))
    if at != len(tail):
        raise bad_request(f"The inputs announce {at} binary bytes, the body carries {len(tail)}.")
    return flat


def _count(tensor: _Tensor) -> int:
    if not tensor.shape or any(size < 0 for size in tensor.shape):
        raise bad_request(f"Input {tensor.name[:200]!r}: the shape {tensor.shape[:8]} is not one of rows.")
    count = math.prod(tensor.shape)
    if count > MAX_ROWS * 10_000:
        raise bad_request(f"Input {tensor.name[:200]!r}: the shape is too large.")
    return count


def _binary(tensor: _Tensor, raw: bytes, size: int) -> list[Any]:
    count = _count(tensor)
    if len(raw) != size:
        raise bad_request(f"Input {tensor.name[:200]!r}: {size} binary bytes are announced, {len(raw)} came.")
    if tensor.datatype == "BYTES":
        found: list[Any] = _byte_strings(raw)
    else:
        dtype = np.dtype(_letters(tensor))
        if len(raw) != count * dtype.itemsize:
            raise bad_request(
                f"Input {tensor.name[:200]!r}: {count} values of {tensor.datatype} take "
                f"{count * dtype.itemsize} bytes, {len(raw)} came."
            )
        found = np.frombuffer(raw, dtype).tolist()
    if len(found) != count:
        raise bad_request(f"Input {tensor.name[:200]!r}: its shape says {count} values, {len(found)} came.")
    return found


def _letters(tensor: _Tensor) -> str:
    letters = DTYPES.get(tensor.datatype)
    if letters is None:
        raise bad_request(
            f"Input {tensor.name[:200]!r}: unknown datatype {tensor.datatype[:40]!r}. There are: {quoted(_ALL)}."
        )
    return letters


_ALL = (*DTYPES, "BYTES")


def _byte_strings(raw: bytes) -> list[Any]:
    found: list[Any] = []
    at = 0
    while at + 4 <= len(raw):
        size = int.from_bytes(raw[at : at + 4], "little")
        piece = raw[at + 4 : at + 4 + size]
        if len(piece) != size:
            raise bad_request("A BYTES element is longer than its tensor.")
        found.append(_text(piece))
        at += 4 + size
    if at != len(raw):
        raise bad_request("A BYTES tensor ends in the middle of an element.")
    return found


def _text(piece: bytes) -> str | bytes:
    try:
        return piece.decode()
    except UnicodeDecodeError:
        return piece


def _flat(tensor: _Tensor) -> list[Any]:
    count = _count(tensor)
    if tensor.datatype != "BYTES":
        _letters(tensor)
    if tensor.data is msgspec.UNSET:
        raise bad_request(f"Input {tensor.name[:200]!r} has neither 'data' nor 'parameters.binary_data_size'.")
    data = tensor.data
    depth = 0
    while data and isinstance(data[0], list) and depth < len(tensor.shape):
        if not all(isinstance(part, list) for part in data):
            raise bad_request(f"Input {tensor.name[:200]!r}: 'data' is ragged.")
        data = [value for part in data for value in part]
        depth += 1
    if len(data) != count or any(isinstance(value, list | dict) for value in data):
        raise bad_request(f"Input {tensor.name[:200]!r}: its shape says {count} values, {len(data)} came.")
    return data


def _columns(tensors: list[_Tensor], arrays: list[list[Any]], signature: Signature) -> dict[str, list[Any]]:
    names = input_names(signature)
    if signature.tensors and len(tensors) == 1 and len(tensors[0].shape) == 2:
        width = tensors[0].shape[1]
        if width != len(names):
            raise bad_request(f"Input {tensors[0].name[:200]!r}: a row has {len(names)} values, not {width}.")
        return {name: arrays[0][i::width] for i, name in enumerate(names)}
    for tensor in tensors:
        if math.prod(tensor.shape[1:]) != 1:
            raise bad_request(f"Input {tensor.name[:200]!r}: a column has the shape [n] or [n, 1].")
    return {tensor.name: values for tensor, values in zip(tensors, arrays, strict=True)}


def encode(
    prediction: Prediction, request: V2Request, *, model_name: str, model_version: str = ""
) -> tuple[bytes, int | None]:
    """The body of the answer, and the length of its JSON part when binary tensors follow it, else None.

    With a length, the header `Inference-Header-Content-Length` is due.
    """
    asked = request.outputs or tuple(V2Output(name=name) for name in _answered(prediction))
    outputs: list[dict[str, Any]] = []
    tail: list[bytes] = []
    for output in asked:
        described, values = _described(output.name, prediction)
        if output.binary or request.binary_output:
            raw = _raw(values, described["datatype"])
            described["parameters"] = described["parameters"] | {"binary_data_size": len(raw)}
            tail.append(raw)
        else:
            described["data"] = values
        outputs.append(described)
    body: dict[str, Any] = {"model_name": model_name}
    if model_version:
        body["model_version"] = model_version
    if request.id:
        body["id"] = request.id
    head = msgspec.json.encode(body | {"parameters": {}, "outputs": outputs})
    return (b"".join((head, *tail)), len(head)) if tail else (head, None)


def _answered(prediction: Prediction) -> tuple[str, ...]:
    return ("predict", "predict_proba") if prediction.probabilities is not None else ("predict",)


def _described(name: str, prediction: Prediction) -> tuple[dict[str, Any], list[Any]]:
    rows = len(prediction.labels)
    if name == "predict":
        datatype = _datatype(prediction.labels)
        kind = "str" if datatype == "BYTES" else "np"
        return _output(name, [rows, 1], datatype, kind), prediction.labels
    values = prediction.probabilities if name == "predict_proba" else prediction.scores
    if values is None:
        raise Invalid("The model predicts numbers, not classes; it has no probabilities. Ask for 'predict'.")
    wide = bool(values) and isinstance(values[0], list)
    flat = [value for row in values for value in row] if wide else values
    return _output(name, [rows, len(values[0]) if wide else 1], "FP64", "np"), flat


def _output(name: str, shape: list[int], datatype: str, content_type: str) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": datatype, "parameters": {"content_type": content_type}}


def _datatype(labels: list[Any]) -> str:
    kinds = set(map(type, labels))
    if kinds == {bool}:
        return "BOOL"
    if kinds <= {int}:
        return "INT64"
    return "FP64" if kinds <= {int, float} else "BYTES"


def _raw(values: list[Any], datatype: str) -> bytes:
    if datatype != "BYTES":
        return np.array(values, dtype=DTYPES[datatype]).tobytes()
    pieces = [str(value).encode() for value in values]
    return b"".join(len(piece).to_bytes(4, "little") + piece for piece in pieces)


def metadata(
    signature: Signature,
    *,
    name: str,
    versions: tuple[str, ...] = (),
    platform: str = "airside_compiled",
    probabilities: bool = False,
) -> bytes:
    """The answer of `GET /v2/models/M`. `probabilities`: whether the model is a classifier."""
    specs: list[ColumnSpec | TensorSpec] = [*signature.columns, *signature.tensors]
    described: list[ColumnSpec | TensorSpec] = [*signature.outputs]
    label = next((_described_spec(spec, 0)["datatype"] for spec in described), "FP64")
    outputs = [{"name": "predict", "datatype": label, "shape": [-1, 1]}]
    if probabilities:
        outputs.append({"name": "predict_proba", "datatype": "FP64", "shape": [-1, -1]})
    return msgspec.json.encode(
        {
            "name": name,
            "versions": versions,
            "platform": platform,
            "inputs": [_described_spec(spec, i) for i, spec in enumerate(specs)],
            "outputs": outputs,
        }
    )


_OF_NUMPY = {np.dtype(letters).name: name for name, letters in DTYPES.items()}


def _described_spec(spec: ColumnSpec | TensorSpec, position: int) -> dict[str, Any]:
    if isinstance(spec, ColumnSpec):
        return {"name": spec.name or str(position), "datatype": OF_COLUMN[spec.type], "shape": [-1, 1]}
    return {
        "name": spec.name or f"input-{position}",
        "datatype": _OF_NUMPY.get(spec.dtype, "BYTES"),
        "shape": list(spec.shape),
    }
