"""What one JSON value becomes, by declared type: strict and lossless, or MLflow's way.

Strict: a value either means exactly what the type can say, or is refused with what was expected and what was got.
"""

import base64
import binascii
import math
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from airside.core.clock import EPOCH
from airside.core.column import ColumnType
from airside.core.errors import Invalid

Form = Literal["frame", "column"]
"""`frame`: dataframe_split, dataframe_records, CSV; `column`: inputs, instances. MLflow converts them differently."""

_INT_RANGE = {"integer": (-(2**31), 2**31 - 1), "long": (-(2**63), 2**63 - 1)}
_F32 = struct.Struct("<f")
_MAX_EXACT = 2**53


class Unfit(ValueError):
    """A value that the type cannot say; the text is what was got."""


def _integer(value: Any, low: int, high: int) -> int:
    match value:
        case bool() | int():
            number = int(value)
        case float():
            if not value.is_integer():
                raise Unfit("a number with a fraction" if math.isfinite(value) else "not a number")
            number = int(value)
        case str():
            digits = value.strip().removeprefix("-")
            if not (digits.isascii() and digits.isdigit() and len(digits) <= 64):
                raise Unfit("a text that is no whole number")
            number = int(value)
        case _:
            raise Unfit(_kind(value))
    if not low <= number <= high:
        raise Unfit("a number out of range")
    return number


def _long(value: Any, _form: Form) -> int:
    return _integer(value, *_INT_RANGE["long"])


def _int32(value: Any, _form: Form) -> int:
    return _integer(value, *_INT_RANGE["integer"])


def _double(value: Any, _form: Form) -> float:
    match value:
        case float():
            return value
        case None:
            return math.nan
        case bool() | int():
            if -_MAX_EXACT <= value <= _MAX_EXACT:
                return float(value)
            return _exact_float(value)
        case str():
            return _parsed(value)
        case _:
            raise Unfit(_kind(value))


def _exact_float(value: int) -> float:
    try:
        number = float(value)
    except OverflowError:
        raise Unfit("a number out of range") from None
    if int(number) != value:
        raise Unfit("a whole number that a double cannot hold exactly")
    return number


def _parsed(text: str) -> float:
    if "_" in text:
        raise Unfit("a text that is no number")
    try:
        return float(text)
    except ValueError:
        raise Unfit("a text that is no number") from None


def _float32(value: Any, form: Form) -> float:
    number = _double(value, form)
    if not math.isfinite(number):
        return number
    try:
        (rounded,) = _F32.unpack(_F32.pack(number))
    except OverflowError:
        raise Unfit("a number out of range") from None
    if isinstance(value, int) and rounded != value:
        raise Unfit("a whole number that a float cannot hold exactly")
    return float(rounded)


def _boolean(value: Any, _form: Form) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    raise Unfit(_kind(value))


def _string(value: Any, form: Form) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if form == "column" and isinstance(value, int | float):
        return str(value)
    raise Unfit(_kind(value))


def _datetime(value: Any, form: Form) -> datetime | None:
    match value:
        case None | datetime():
            return value
        case str():
            try:
                instant = datetime.fromisoformat(value)
            except ValueError:
                raise Unfit("a text that is no ISO time") from None
            if instant.tzinfo is None:
                return instant
            if form == "frame":
                raise Unfit("a time with a zone")
            return instant.astimezone(UTC).replace(tzinfo=None)
        case int() if not isinstance(value, bool):
            if value % 1000:
                raise Unfit("nanoseconds that are no whole microseconds")
            try:
                return (EPOCH + timedelta(microseconds=value // 1000)).replace(tzinfo=None)
            except OverflowError:
                raise Unfit("a time out of range") from None
        case _:
            raise Unfit(_kind(value))


def _binary(value: Any, form: Form) -> bytes | None:
    match value:
        case bytes():
            return value
        case str() if form == "column":
            return value.encode()
        case str():
            try:
                return base64.b64decode(value, validate=False)
            except (binascii.Error, ValueError):
                raise Unfit("a text that is no base64") from None
        case None if form == "column":
            return None
        case _:
            raise Unfit(_kind(value))


def _any(value: Any, _form: Form) -> Any:
    return value


def _kind(value: Any) -> str:
    """What a value is, without saying it.

    >>> _kind(None), _kind("secret"), _kind([1])
    ('null', 'a text', 'a list')
    """
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "a boolean"),
        (int, "a whole number"),
        (float, "a number"),
        (str, "a text"),
        (bytes, "bytes"),
        (datetime, "a time"),
        (list, "a list"),
        (tuple, "a list"),
        (dict, "an object"),
    )
    return "null" if value is None else next((text for cls, text in kinds if isinstance(value, cls)), "something else")


Converter = Callable[[Any, Form], Any]

STRICT: dict[str, Converter] = {
    "boolean": _boolean,
    "integer": _int32,
    "long": _long,
    "float": _float32,
    "double": _double,
    "string": _string,
    "binary": _binary,
    "datetime": _datetime,
    "any": _any,
}

_AS_THEY_ARE: dict[str, set[type]] = {"double": {float}, "string": {str}, "boolean": {bool}}


def converted(
    values: list[Any],
    type_: ColumnType | Literal["any"],
    name: str,
    form: Form = "frame",
    converters: dict[str, Converter] = STRICT,
) -> list[Any]:
    """The values of one column in the declared type.

    Args:
        values: what came, row by row.
        type_: the declared type.
        name: the column, for the error's text.
        form: how it came.
        converters: `STRICT`, or `lossy.MLFLOW`.

    Raises:
        Invalid: a value does not fit; the text names row, column, expected and got.

    >>> converted([1, 2.0, "3"], "long", "age")
    [1, 2, 3]
    >>> converted([1, 1.5], "long", "age")
    Traceback (most recent call last):
        ...
    airside.core.errors.Invalid: Row 1, column 'age': expected long, got a number with a fraction.
    """
    kinds = set(map(type, values))
    if kinds == _AS_THEY_ARE.get(type_):
        return values
    if kinds == {int} and type_ in _INT_RANGE:
        low, high = _INT_RANGE[type_]
        if low <= min(values) and max(values) <= high:
            return values
    convert = converters[type_]
    done: list[Any] = []
    try:
        for value in values:
            done.append(convert(value, form))  # noqa: PERF401 -- its length names the row that failed
    except Unfit as unfit:
        raise Invalid(
            f"Row {len(done)}, column {name[:200]!r}: expected {type_}, got {unfit}.", code="BAD_REQUEST"
        ) from None
    return done
