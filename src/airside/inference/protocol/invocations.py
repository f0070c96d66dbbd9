"""MLflow's scoring protocol: `/invocations`, its four JSON forms, CSV and Parquet."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import msgspec

from airside.core.errors import Invalid, quoted
from airside.inference.lossy import MLFLOW
from airside.inference.protocol.faults import UnsupportedMedia, bad_request, violated
from airside.inference.protocol.params import checked_params
from airside.inference.records import Prediction, PredictMethod, ScoringRequest, Signature
from airside.inference.rules import fitted, input_names
from airside.inference.values import STRICT, Converter, Form

Columns = dict[str, list[Any]]
_Found = tuple[Columns, Form, Any]
"""Columns as they came, how they came, and the `params`."""

_UNSET = msgspec.UNSET


class _Split(msgspec.Struct, forbid_unknown_fields=True):
    data: list[list[Any]]
    columns: list[str] | None = None
    index: Any = None


class _Body(msgspec.Struct):
    dataframe_split: _Split | msgspec.UnsetType = _UNSET
    dataframe_records: list[dict[str, Any]] | msgspec.UnsetType = _UNSET
    inputs: Any = _UNSET
    instances: Any = _UNSET
    params: Any = None
    messages: Any = _UNSET
    prompt: Any = _UNSET
    input: Any = _UNSET


_DECODER = msgspec.json.Decoder(_Body)


def decode(body: bytes, content_type: str, signature: Signature, *, compat: bool = False) -> ScoringRequest:
    """Read the body of `POST /invocations`.

    Args:
        body: the bytes.
        content_type: the header as it came; empty is taken as JSON.
        signature: what the model takes.
        compat: convert values MLflow's way instead of strictly.

    Returns:
        Columns by name, in the types of the signature.

    Raises:
        UnsupportedMedia: another media type, charset or parameter.
        Invalid: the body cannot be read, or does not fit the signature.

    >>> from airside.inference.records import ColumnSpec
    >>> age = Signature(inputs=(ColumnSpec(name="age", type="long"),))
    >>> decode(b'{"dataframe_split": {"columns": ["age"], "data": [[30]]}}', "application/json", age).columns
    {'age': [30]}
    """
    read = _reader(content_type)
    columns, form, params = read(body, signature)
    if len(columns) > 10 * len(input_names(signature)) + 100:
        raise bad_request(f"The request has {len(columns)} columns; the model takes {len(input_names(signature))}.")
    converters: dict[str, Converter] = MLFLOW if compat else STRICT
    done, rows = fitted(signature, columns, form=form, converters=converters)
    values, method = checked_params(params, signature.params)
    return ScoringRequest(columns=done, rows=rows, method=method, params=values)


def _reader(content_type: str) -> Callable[[bytes, Signature], _Found]:
    media, *parameters = (part.strip() for part in content_type.split(";"))
    read = _READERS.get(media or "application/json")
    if read is None:
        raise UnsupportedMedia(f"The scoring server does not read this media type. It reads: {', '.join(_READERS)}.")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() != "charset":
            raise UnsupportedMedia(f"Unrecognized content type parameters: {parameter[:100]}")
        if value.strip().lower() != "utf-8":
            raise UnsupportedMedia("The scoring server only supports UTF-8")
    return read


def _from_json(body: bytes, signature: Signature) -> _Found:
    try:
        asked = _DECODER.decode(body)
    except msgspec.ValidationError as wrong:
        raise bad_request(f"The request has not the form that was expected: {wrong}.") from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as wrong:
        asked = _with_bare_tokens(body, wrong)
    if asked.messages is not _UNSET or asked.prompt is not _UNSET or asked.input is not _UNSET:
        raise violated("A body with 'messages', 'prompt' or 'input' is for a language model; this one takes columns.")
    given = [name for name in _KEYS if getattr(asked, name) is not _UNSET]
    if len(given) != 1:
        found = quoted(given) or "none of them"
        raise bad_request(f"Exactly one of {quoted(_KEYS)} is needed in the request; it has {found}.")
    columns, form = _KEYS[given[0]](getattr(asked, given[0]), signature)
    return columns, form, asked.params


def _with_bare_tokens(body: bytes, wrong: Exception) -> _Body:
    """MLflow's clients may send `NaN` and `Infinity` as bare tokens, which is not JSON."""
    if b"NaN" in body or b"Infinity" in body:
        try:
            return msgspec.convert(json.loads(body), _Body)
        except msgspec.ValidationError as form:
            raise bad_request(f"The request has not the form that was expected: {form}.") from None
        except (ValueError, RecursionError):
            pass
    reason = str(wrong) if isinstance(wrong, msgspec.DecodeError) else type(wrong).__name__
    raise bad_request(f"The body is not JSON: {reason}.") from None


def _from_split(split: _Split, signature: Signature) -> tuple[Columns, Form]:
    names = split.columns
    if names is None:
        names = list(_positional(signature))
    widths = set(map(len, split.data))
    if widths - {len(names)}:
        raise bad_request(f"A row of 'data' has {max(widths - {len(names)})} values; there are {len(names)} columns.")
    columns = list(map(list, zip(*split.data, strict=True))) or [[] for _ in names]
    return dict(zip(names, columns, strict=True)), "frame"


def _positional(signature: Signature) -> tuple[str, ...]:
    if any(column.name for column in signature.columns) and len(signature.columns) > 1:
        raise violated("The model's columns have names; send them: 'columns' is missing.")
    return input_names(signature)


def _from_records(records: list[dict[str, Any]], signature: Signature) -> tuple[Columns, Form]:
    return _transposed(records, signature), "frame"


def _transposed(records: list[dict[str, Any]], signature: Signature) -> Columns:
    seen: dict[str, None] = {}
    for record in records:
        seen.update(dict.fromkeys(record))
    wanted = [name for name in input_names(signature) if name in seen]
    columns: Columns = {name: [record.get(name) for record in records] for name in wanted}
    return columns | {name: [] for name in seen if name not in columns}  # empty: only their names are used


def _from_tensors(value: Any, signature: Signature) -> tuple[Columns, Form]:
    match value:
        case dict() if value and all(isinstance(part, list) for part in value.values()):
            return value, "column"
        case dict():
            return {name: [part] for name, part in value.items()}, "column"
        case [dict(), *_]:
            if not all(isinstance(record, dict) for record in value):
                raise bad_request("The rows are objects and other things mixed. Send a list of objects.")
            return _transposed(value, signature), "column"
        case list():
            return _from_matrix(value, signature), "column"
        case _:
            return _from_matrix([value], signature), "column"


def _from_matrix(rows: list[Any], signature: Signature) -> Columns:
    names = input_names(signature)
    if signature.columns and len(names) > 1:
        raise bad_request("The model's columns have names: send an object of lists, or a list of objects.")
    if len(names) == 1:
        rows = [row if isinstance(row, list) else [row] for row in rows]
    if not all(isinstance(row, list) and len(row) == len(names) for row in rows):
        raise bad_request(f"Every row must be a list of {len(names)} values.")
    return dict(zip(names, (list(column) for column in zip(*rows, strict=True)), strict=False))


_KEYS: dict[str, Callable[[Any, Signature], tuple[Columns, Form]]] = {
    "dataframe_split": _from_split,
    "dataframe_records": _from_records,
    "inputs": _from_tensors,
    "instances": _from_tensors,
}


def _from_csv(body: bytes, signature: Signature) -> _Found:
    try:
        rows = [row for row in csv.reader(io.StringIO(body.decode("utf-8-sig")), strict=True) if row]
    except (UnicodeDecodeError, csv.Error) as wrong:
        raise bad_request(f"The body is not CSV in UTF-8: {type(wrong).__name__}.") from None
    if not rows:
        raise bad_request("The body is empty. CSV needs a header line and at least one row.")
    names, *data = rows
    if any(len(row) != len(names) for row in data):
        raise bad_request(f"Every line of the CSV must have {len(names)} values, as its header line has.")
    texts = {spec.name for spec in signature.columns if spec.type == "boolean"}
    columns = [list(column) for column in zip(*data, strict=True)] or [[] for _ in names]
    return {n: [_cell(v, n in texts) for v in c] for n, c in zip(names, columns, strict=True)}, "frame", None


def _cell(text: str, boolean: bool) -> Any:  # noqa: FBT001 -- called once, above
    if text == "":
        return None
    return {"true": True, "false": False}.get(text.lower(), text) if boolean else text


def _from_parquet(body: bytes, _signature: Signature) -> _Found:
    import pyarrow as pa  # noqa: PLC0415 -- heavy, and only this form needs it
    from pyarrow import parquet  # noqa: PLC0415

    try:
        table = parquet.read_table(pa.BufferReader(body))
    except (pa.ArrowException, OSError) as wrong:
        raise bad_request(f"The body is not Parquet: {type(wrong).__name__}.") from None
    return table.to_pydict(), "frame", None


_READERS: dict[str, Callable[[bytes, Signature], _Found]] = {
    "application/json": _from_json,
    "text/csv": _from_csv,
    "application/vnd.apache.parquet": _from_parquet,
}


def answer(prediction: Prediction, method: PredictMethod = "predict") -> Any:
    """The part of a prediction that the method asks for.

    Raises:
        Invalid: a regression has no probabilities.
    """
    if method == "predict":
        return prediction.labels
    if method == "decision_function":
        return prediction.scores
    if prediction.probabilities is None:
        raise Invalid("The model predicts numbers, not classes; it has no probabilities. Ask for 'predict'.")
    return prediction.probabilities


def encode(prediction: Prediction, method: PredictMethod = "predict", *, compat: bool = False) -> bytes:
    """The body of the answer; NaN and infinity are `null`, with `compat` MLflow's bare tokens.

    >>> encode(Prediction(labels=[1, 0]))
    b'{"predictions":[1,0]}'
    """
    body = {"predictions": answer(prediction, method)}
    return json.dumps(body).encode() if compat else msgspec.json.encode(body)
