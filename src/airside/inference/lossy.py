"""MLflow 3's own conversions, lossy and silent as they are: for an endpoint with `compat=mlflow` only."""

import math
import struct
from typing import Any

from airside.inference.values import STRICT, Converter, Form, Unfit

_F32 = struct.Struct("<f")


def _wrapped(value: Any, form: Form, *, bits: int, name: str) -> int:
    """A fraction is cut; in a frame what is out of range wraps around, as a cast in C does."""
    if isinstance(value, float) and math.isfinite(value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        half = 1 << (bits - 1)
        if not -half <= value < half:
            if form == "column" and bits == 32:
                raise Unfit("a number out of range")
            return (value + half) % (1 << bits) - half
    return int(STRICT[name](value, form))


def _integer(value: Any, form: Form) -> int:
    return _wrapped(value, form, bits=32, name="integer")


def _long(value: Any, form: Form) -> int:
    return _wrapped(value, form, bits=64, name="long")


def _double(value: Any, form: Form) -> float:
    return _rounded(value) if isinstance(value, int) else float(STRICT["double"](value, form))


def _rounded(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _float(value: Any, form: Form) -> float:
    number = _double(value, form)
    try:
        return float(_F32.unpack(_F32.pack(number))[0])
    except OverflowError:
        return math.copysign(math.inf, number)


def _boolean(value: Any, _form: Form) -> bool | None:
    return None if value is None else bool(value)


def _string(value: Any, form: Form) -> Any:
    return value if form == "frame" else STRICT["string"](value, form)


MLFLOW: dict[str, Converter] = STRICT | {
    "integer": _integer,
    "long": _long,
    "double": _double,
    "float": _float,
    "boolean": _boolean,
    "string": _string,
}
