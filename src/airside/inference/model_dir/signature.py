"""Signatures: to and from the JSON texts of an `MLmodel` file, and inferred from a table."""

from collections.abc import Mapping
from typing import Any, get_args

import msgspec

from airside.core.column import ColumnType
from airside.core.errors import Invalid
from airside.inference.records import ColumnSpec, ParamSpec, Signature, TensorSpec

MAX_SPECS = 10_000


def parse_signature(given: Mapping[str, Any]) -> Signature:
    """The signature of an `MLmodel` file: `inputs`, `outputs` and `params` are JSON texts or null.

    Raises:
        Invalid: a text is no JSON, or no list of specs.

    >>> parse_signature({"inputs": '[{"type": "long", "name": "age", "optional": true}]'}).columns
    (ColumnSpec(type='long', name='age', required=False),)
    """
    return Signature(
        inputs=_specs(given.get("inputs"), "inputs"),
        outputs=_specs(given.get("outputs"), "outputs"),
        params=tuple(_param(spec) for spec in _listed(given.get("params"), "params")),
    )


def _listed(text: Any, what: str) -> list[dict[str, Any]]:
    if text is None:
        return []
    try:
        found = msgspec.json.decode(text if isinstance(text, str | bytes) else b"", type=list[dict[str, Any]])
    except (msgspec.DecodeError, RecursionError) as wrong:
        raise Invalid(f"The signature's {what} are no JSON list of objects: {wrong}.") from None
    if len(found) > MAX_SPECS:
        raise Invalid(f"The signature has {len(found)} {what}; at most {MAX_SPECS} are read.")
    return found


def _specs(text: Any, what: str) -> tuple[ColumnSpec, ...] | tuple[TensorSpec, ...]:
    listed = _listed(text, what)
    tensors = [spec.get("type") == "tensor" for spec in listed]
    if any(tensors):
        if not all(tensors):
            raise Invalid(f"The signature's {what} mix columns and tensors.")
        return tuple(_tensor(spec) for spec in listed)
    return tuple(_column(spec) for spec in listed)


def _column(spec: dict[str, Any]) -> ColumnSpec:
    type_: Any = spec.get("type")
    if type_ not in get_args(ColumnType):
        type_ = "any"  # arrays, objects and maps are passed on as they come
    required = spec.get("required", not spec.get("optional", False))
    return ColumnSpec(name=str(spec.get("name") or ""), type=type_, required=bool(required))


def _tensor(spec: dict[str, Any]) -> TensorSpec:
    try:
        inner = spec["tensor-spec"]
        shape = tuple(int(size) for size in inner["shape"])
        return TensorSpec(dtype=str(inner["dtype"]), shape=shape, name=str(spec.get("name") or ""))
    except (KeyError, TypeError, ValueError):
        raise Invalid("A tensor of the signature needs tensor-spec.dtype and tensor-spec.shape.") from None


def _param(spec: dict[str, Any]) -> ParamSpec:
    try:
        shape = None if spec.get("shape") is None else tuple(spec["shape"])
        return msgspec.convert(
            {"name": spec["name"], "type": spec["type"], "default": spec.get("default"), "shape": shape}, ParamSpec
        )
    except (KeyError, TypeError, msgspec.ValidationError) as wrong:
        raise Invalid(f"A parameter of the signature cannot be read: {wrong}.") from None


def signature_texts(signature: Signature) -> dict[str, str | None]:
    """The JSON texts for an `MLmodel` file.

    >>> signature_texts(Signature(inputs=(ColumnSpec(name="age", type="long"),)))["inputs"]
    '[{"type":"long","name":"age","required":true}]'
    """
    params = [
        {"name": p.name, "type": p.type, "default": p.default, "shape": None if p.shape is None else list(p.shape)}
        for p in signature.params
    ]
    return {
        "inputs": _text([_plain(spec) for spec in signature.inputs]),
        "outputs": _text([_plain(spec) for spec in signature.outputs]),
        "params": _text(params),
    }


def _plain(spec: ColumnSpec | TensorSpec) -> dict[str, Any]:
    if isinstance(spec, TensorSpec):
        plain: dict[str, Any] = {"type": "tensor", "tensor-spec": {"dtype": spec.dtype, "shape": list(spec.shape)}}
        return plain | ({"name": spec.name} if spec.name else {})
    named = {"name": spec.name} if spec.name else {}
    return {"type": spec.type} | named | {"required": spec.required}


def _text(specs: list[dict[str, Any]]) -> str | None:
    return msgspec.json.encode(specs).decode() if specs else None


def infer_columns(columns: Mapping[str, list[Any]]) -> tuple[ColumnSpec, ...]:
    """The specs of a table, as MLflow infers them: gaps make a column optional, whole numbers with gaps are doubles.

    >>> infer_columns({"age": [30, None], "name": ["a", "b"]})
    (ColumnSpec(type='double', name='age', required=False), ColumnSpec(type='string', name='name', required=True))
    """
    return tuple(_inferred(name, values) for name, values in columns.items())


def _inferred(name: str, values: list[Any]) -> ColumnSpec:
    present = {type(value) for value in values if not _is_gap(value)}
    has_gaps = any(map(_is_gap, values))
    type_: Any = next((found for kinds, found in _OF_KINDS if present and present <= kinds), "any")
    if type_ == "long" and has_gaps:
        type_ = "double"
    return ColumnSpec(name=name, type=type_, required=not has_gaps)


def _is_gap(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)  # noqa: PLR0124 -- NaN


_OF_KINDS: tuple[tuple[set[type], str], ...] = (
    ({bool}, "boolean"),
    ({int}, "long"),
    ({int, float}, "double"),
    ({str}, "string"),
    ({bytes}, "binary"),
)
