"""Pure decisions about rows: do they fit the signature?"""

from collections.abc import Mapping
from typing import Any

from airside.core.errors import Invalid, quoted
from airside.inference.records import Signature
from airside.inference.values import STRICT, Converter, Form, converted

MAX_ROWS = 100_000


def input_names(signature: Signature) -> tuple[str, ...]:
    """The names by which rows are given: the columns, or the positions of a two-dimensional tensor.

    >>> from airside.inference.records import TensorSpec
    >>> input_names(Signature(inputs=(TensorSpec(dtype="float64", shape=(-1, 3)),)))
    ('0', '1', '2')
    """
    if signature.tensors:
        shape = signature.tensors[0].shape
        return tuple(str(i) for i in range(shape[-1])) if len(shape) == 2 else ()
    return tuple(column.name or str(i) for i, column in enumerate(signature.columns))


def fitted(
    signature: Signature,
    columns: Mapping[str, list[Any]],
    *,
    form: Form = "frame",
    converters: dict[str, Converter] = STRICT,
) -> tuple[dict[str, list[Any]], int]:
    """The rows in the signature's types, and how many; columns that it does not name are dropped.

    Args:
        signature: what the model takes.
        columns: name → the values of the rows.
        form: how they came (MLflow converts frames and columns differently).
        converters: strict, or MLflow's.

    Raises:
        Invalid: a required column is missing, columns are of unequal length, there is no row, or a value does not fit.

    >>> from airside.inference.records import ColumnSpec
    >>> age = Signature(inputs=(ColumnSpec(name="age", type="long"),))
    >>> fitted(age, {"age": [30, 41.0], "shoe": ["x", "y"]})
    ({'age': [30, 41]}, 2)
    >>> fitted(age, {"Age": [30]})
    Traceback (most recent call last):
        ...
    airside.core.errors.Invalid: The model needs the column 'age', which the request does not have. It has: 'Age'.
    """
    specs = _specs(signature)
    given = {name: columns[name] for name, _, _ in specs if name in columns}
    missing = [name for name, _, required in specs if required and name not in given]
    if missing:
        more = "columns" if len(missing) > 1 else "column"
        raise Invalid(
            f"The model needs the {more} {quoted(missing)}, which the request does not have. "
            f"It has: {quoted(map(str, columns)) or 'none'}."
        )
    rows = _length(given)
    done = {
        name: converted(given[name], type_, name, form, converters) if name in given else [None] * rows
        for name, type_, _ in specs
    }
    return done, rows


def _specs(signature: Signature) -> list[tuple[str, Any, bool]]:
    names = input_names(signature)
    if signature.tensors:
        dtype = signature.tensors[0].dtype
        type_ = _OF_DTYPE.get(dtype, "any")
        return [(name, type_, True) for name in names]
    return [(name, spec.type, spec.required) for name, spec in zip(names, signature.columns, strict=True)]


_OF_DTYPE = {
    "float64": "double",
    "float32": "float",
    "int64": "long",
    "int32": "integer",
    "int16": "integer",
    "int8": "integer",
    "uint8": "integer",
    "uint16": "integer",
    "uint32": "long",
    "bool": "boolean",
    "str": "string",
}


def _length(given: Mapping[str, list[Any]]) -> int:
    lengths = {name: len(values) for name, values in given.items()}
    first = next(iter(lengths.values()), 0)
    for name, length in lengths.items():
        if length != first:
            raise Invalid(
                f"The columns have unequal lengths: {name[:200]!r} has {length} values, the first column has {first}."
            )
    if first == 0:
        raise Invalid("The request has no rows. Send at least one.", code="BAD_REQUEST")
    if first > MAX_ROWS:
        raise Invalid(f"The request has {first} rows; at most {MAX_ROWS} are taken at once.", code="BAD_REQUEST")
    return first
