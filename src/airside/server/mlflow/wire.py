"""MLflow's wire: how a request is read, an answer written, an error told. Shared by all tables of routes.

A route is a record: `decode` makes an `Ask` of a request, `encode` makes JSON of the answer; both are pure and quick,
so they may run on the event loop. The platform runs the ask in between.

    SET_TAG = message(required=("run_id", "key"), run_id=string, key=string, value=string)

    def decode(request: WireRequest) -> SetRunTag:
        sent = read(request, SET_TAG)
        return SetRunTag(run_id=sent["run_id"], key=sent["key"], value=sent.get("value", ""))
"""

import json
import math
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Literal

import msgspec

from airside.core.errors import AirsideError, Invalid
from airside.core.operation import AnyOperation, operation_of
from airside.core.record import Ask, Record
from airside.server.message import Pieces

Kind = Callable[[Any, str], Any]
"""What a field is: `(value as sent, name of the field) -> value`, or `Invalid`."""

BOTH = ("/api/", "/ajax-api/")
AJAX_ONLY = ("/ajax-api/",)
INT64 = (-(2**63), 2**63 - 1)
INT32 = (-(2**31), 2**31 - 1)
MAX_QUOTED_VALUE = 16_000
SEE_DOCS = "See the API docs for more information about request parameters."
STATUS_OF_CODE = {"INVALID_STATE": 500, "INSUFFICIENT_STORAGE": 503, "NOT_IMPLEMENTED": 501, "BAD_REQUEST": 400}
"""Where MLflow's clients expect another status than the error's own."""

EMPTY = b"{}"


class WireRequest(Record):
    """What the app hands over. Header names are in lower case, as bytes; query and path are percent-decoded."""

    method: str = "POST"
    query: Mapping[str, list[str]] = {}
    body: bytes = b""
    headers: Mapping[bytes, bytes] = {}
    path_args: Mapping[str, str] = {}


Asking = Callable[[Ask[Any]], Awaitable[Any]]
Stream = Callable[[Any, Any, Asking], AsyncIterator[bytes] | None]


class WireRoute(Record, kw_only=False):
    """One remote call; positional, so that a table of them is read by its columns.

    Attributes:
        method: the HTTP method.
        path: below the prefix, e.g. `2.0/mlflow/runs/create`; `{name}` is one segment, `{name:path}` the rest.
        decode: the request as an ask.
        encode: the answer as the JSON of a 200, or as pieces of it.
        prefixes: where the path hangs.
        stream: for an answer that may be too long to be held whole: given the ask, its answer and a way to ask on,
            the pieces of the JSON; None when `encode` is to be used.
    """

    method: Literal["GET", "POST", "PATCH", "PUT", "DELETE"]
    path: str
    decode: Callable[[WireRequest], Ask[Any]]
    encode: Callable[[Any], bytes | Pieces]
    ask: type[Ask[Any]]
    prefixes: tuple[str, ...] = BOTH
    stream: Stream | None = None

    @property
    def operation(self) -> AnyOperation:
        """The operation behind the call, whose permission it needs."""
        return operation_of(self.ask)


class FixedAnswer(Record):
    """An address whose answer never changes and needs no operation and no login."""

    path: str
    body: bytes
    content_type: str = "application/json"


# --- reading -------------------------------------------------------------------------------------------------------


def read(request: WireRequest, spec: "Message") -> dict[str, Any]:
    """The fields that a request sent, converted; what is absent or null is not in the result.

    Raises:
        Invalid: with MLflow's texts: a required field is missing, a value has the wrong type.
    """
    if request.method == "GET" and request.query:
        return spec(_of_query(request.query, spec), "")
    return spec(body_of(request), "")


def require_json(request: WireRequest) -> None:
    """Refuse a POST or PUT that does not say that it is JSON.

    Raises:
        Invalid: the header Content-Type is missing or names another type.
    """
    if request.method not in {"POST", "PUT"}:
        return
    sent = request.headers.get(b"content-type")
    if sent == b"application/json":
        return
    if sent is None:
        raise Invalid("Bad Request. Content-Type header is missing.")
    if sent.partition(b";")[0].strip().lower() != b"application/json":
        raise Invalid("Bad Request. Content-Type must be one of ['application/json'].")


def body_of(request: WireRequest) -> dict[str, Any]:
    """The JSON object of a body; what cannot be parsed counts as empty, a twice encoded one is decoded twice.

    Raises:
        Invalid: it is JSON, but no object, or the Content-Type is wrong.
    """
    require_json(request)
    parsed = _parsed(request.body)
    if isinstance(parsed, str):
        parsed = _parsed(parsed.encode("utf-8", "surrogatepass"))
    if parsed is None:
        return {}
    if not isinstance(parsed, dict):
        raise Invalid(f"The request body must be a JSON object, got {type(parsed).__name__}.")
    return parsed


def _parsed(body: bytes) -> Any:
    if not body:
        return None
    try:
        return msgspec.json.decode(body)
    except RecursionError:
        raise Invalid("The request body is nested too deeply.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    try:
        return json.loads(body)  # knows the bare words NaN and Infinity
    except RecursionError:
        raise Invalid("The request body is nested too deeply.") from None
    except ValueError:
        return None


def _of_query(query: Mapping[str, list[str]], spec: "Message") -> dict[str, Any]:
    sent: dict[str, Any] = {}
    for name, kind in spec.fields.items():
        values = query.get(name) or (query.get("run_uuid") if name == "run_id" else None)
        if not values:
            continue
        if isinstance(kind, Repeated):
            sent[name] = values
        elif kind is boolean and values[0].lower() not in {"true", "false"}:
            raise Invalid(f"Invalid boolean value: {values[0]}, must be 'true' or 'false'.")
        else:
            sent[name] = values[0]
    return sent


def missing(name: str) -> Invalid:
    """The error of a required field that is absent or empty."""
    return Invalid(f"Missing value for required parameter '{name}'. {SEE_DOCS}")


def mistyped(value: Any, name: str) -> Invalid:
    """The error of a value of the wrong type.

    >>> mistyped(5, "name").message.partition("  Hint: ")[2].partition(".")[0]
    "Value was of type 'int'"
    """
    return Invalid(
        f"Invalid value {shown(value)} for parameter '{name}' supplied: "
        f" Hint: Value was of type '{type(value).__name__}'. {SEE_DOCS}"
    )


def shown(value: Any) -> str:
    """A value as MLflow's errors quote it: JSON with sorted keys and no blanks, cut when it is long.

    >>> shown({"b": 1, "a": "x"})
    '{"a":"x","b":1}'
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return text if len(text) <= MAX_QUOTED_VALUE else text[:MAX_QUOTED_VALUE] + "…"


def string(value: Any, name: str) -> str:
    """A string, and nothing but a string; half a surrogate pair is no text."""
    if not isinstance(value, str):
        raise mistyped(value, name)
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise Invalid(f"Invalid value for parameter '{name}' supplied: the text is not valid Unicode. {SEE_DOCS}")
    return value


def _whole(value: Any, name: str, bounds: tuple[int, int]) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise mistyped(value, name)
    if isinstance(value, str) and value != value.strip():
        raise mistyped(value, name)
    try:
        number = int(value) if isinstance(value, int) else _whole_of(value)
    except (ValueError, OverflowError):
        raise mistyped(value, name) from None
    if not bounds[0] <= number <= bounds[1]:
        raise mistyped(value, name)
    return number


def _whole_of(value: float | str) -> int:
    if isinstance(value, str):
        if re.fullmatch(r"[+-]?\d{1,20}", value, re.ASCII):
            return int(value)
        value = float(value)
    if value != math.floor(value):
        raise ValueError
    return int(value)


def int64(value: Any, name: str) -> int:
    """A 64-bit integer: a number, a decimal string, an integral float, or an exponent string (`"1e+05"`, from R)."""
    return _whole(value, name, INT64)


def int32(value: Any, name: str) -> int:
    """A 32-bit integer, sent as `int64` is."""
    return _whole(value, name, INT32)


def limited(kind: Callable[[Any, str], int], most: int) -> Kind:
    """A whole number that is not too large; one that is, is told as one of the wrong type, as MLflow does."""

    def convert(value: Any, name: str) -> int:
        number = kind(value, name)
        if number > most:
            raise mistyped(value, name)
        return number

    return convert


def double(value: Any, name: str) -> float:
    """A double: a number, a numeric string, `"NaN"`, `"Infinity"`, `"-Infinity"`."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise mistyped(value, name)
    try:
        return float(value)
    except OverflowError:
        return math.inf if isinstance(value, int) and value > 0 else -math.inf
    except ValueError:
        raise mistyped(value, name) from None


def boolean(value: Any, name: str) -> bool:
    """A boolean; also the words true and false in any case (R sends every scalar as a string)."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise mistyped(value, name)


def anything(value: Any, name: str) -> Any:
    """Any JSON."""
    del name
    return value


def enum(**numbers: int) -> Kind:
    """A name of an enum or its number; the result is the name."""
    names = {number: word for word, number in numbers.items()}

    def convert(value: Any, name: str) -> str:
        if isinstance(value, str) and value in numbers:
            return value
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and value in names:
            return names[value]
        if isinstance(value, int | list | dict):
            raise mistyped(value, name)
        raise Invalid(
            f"Invalid value {shown(value)} for parameter '{name}' supplied: "
            f" Valid values are {', '.join(numbers)}. {SEE_DOCS}"
        )

    return convert


class Repeated:
    """A list of one kind. In a query the key is repeated; in an error's text the items are `name[0]`, `name[1]`."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    def __call__(self, value: Any, name: str) -> list[Any]:
        """The items, converted."""
        if not isinstance(value, list):
            raise mistyped(value, name)
        return [self.kind(item, f"{name}[{index}]") for index, item in enumerate(value)]


class Message:
    """An object with known fields, snake_case or lowerCamelCase; unknown ones are ignored.

    Required fields of a request count under their snake_case name only, as in MLflow; `run_uuid` stands in for
    `run_id`.
    """

    def __init__(self, required: frozenset[str], fields: Mapping[str, Kind]) -> None:
        self.fields = dict(fields)
        self._required = required
        self._camel = {name: _camel(name) for name in fields}

    def __call__(self, value: Any, name: str) -> dict[str, Any]:
        """The fields that were sent, converted."""
        if not isinstance(value, dict):
            raise mistyped(value, name)
        above = f"{name}." if name else ""
        read_: dict[str, Any] = {}
        for field, kind in self.fields.items():
            sent = self._sent(value, field)
            if field in self._required and self._is_missing(value if not above else {field: sent}, field):
                # MLflow looks at the type of a number first, and a number has no empty text
                raise mistyped(sent, field) if sent == "" and kind is int64 and not above else missing(above + field)
            if sent is not None:
                read_[field] = kind(sent, above + field)
        return read_

    @staticmethod
    def _is_missing(value: dict[str, Any], field: str) -> bool:
        sent = value.get(field)
        if sent is None and field == "run_id":
            sent = value.get("run_uuid")
        return sent is None or sent == ""

    def _sent(self, value: dict[str, Any], field: str) -> Any:
        camel = self._camel[field]
        if camel != field and camel in value:
            if field in value:
                raise Invalid(f"Request specifies both '{field}' and '{camel}'; provide only one of them.")
            return value[camel]
        sent = value.get(field)
        if sent is None and field == "run_id":
            return value.get("run_uuid")
        return sent


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def message(required: tuple[str, ...] = (), **fields: Kind) -> Message:
    """An object with these fields, checked in this order.

    >>> message(required=("key",), key=string, step=int64)({"key": "a", "step": "1e+05", "more": 1}, "")
    {'key': 'a', 'step': 100000}
    """
    return Message(frozenset(required), fields)


def repeated(kind: Kind) -> Kind:
    """A list of a kind."""
    return Repeated(kind)


KEY_VALUE = message(key=string, value=string)
"""A tag or a parameter whose parts are not required."""


# --- writing -------------------------------------------------------------------------------------------------------

_ENCODER = msgspec.json.Encoder()


def write(answer: Any) -> bytes:
    """Compact JSON of builtins and structs. Leave out what is not set; leave out empty lists and maps (proto2)."""
    return _ENCODER.encode(answer)


def nothing(answer: object) -> bytes:
    """The answer of a call that has none: `{}`."""
    del answer
    return EMPTY


def present(**fields: Any) -> dict[str, Any]:
    """The fields that are set: None, empty lists, tuples and maps are left out; `""`, 0 and False stay.

    >>> present(name="", step=0, tags=[], end_time=None)
    {'name': '', 'step': 0}
    """
    return {
        name: value
        for name, value in fields.items()
        if value is not None and not (isinstance(value, list | tuple | dict) and not value)
    }


def key_values(pairs: Any) -> list[dict[str, str]]:
    """Records with `key` and `value` as MLflow's list of pairs."""
    return [{"key": pair.key, "value": pair.value} for pair in pairs]


def pairs_of(texts: Mapping[str, str]) -> list[dict[str, str]]:
    """Texts by their keys as MLflow's list of pairs."""
    return [{"key": key, "value": value} for key, value in texts.items()]


def number(value: float | None) -> float | str:
    """A double on the wire: not a number is the word `"NaN"`."""
    return "NaN" if value is None or math.isnan(value) else value


_USERS_CLASS, _OWN_CLASS = "KAM00", "XXM00"
CLASSES = {
    "BAD_REQUEST": ("INVALID_PARAMETER_VALUE", _USERS_CLASS),
    "CUSTOMER_UNAUTHORIZED": ("PERMISSION_DENIED", _USERS_CLASS),
    "ENDPOINT_NOT_FOUND": ("RESOURCE_NOT_FOUND", _USERS_CLASS),
    "INTERNAL_ERROR": ("CLIENT_INTERNAL_ERROR", _OWN_CLASS),
    "INVALID_PARAMETER_VALUE": ("INVALID_PARAMETER_VALUE", _USERS_CLASS),
    "INVALID_STATE": ("CLIENT_INTERNAL_ERROR", _OWN_CLASS),
    "NOT_FOUND": ("RESOURCE_NOT_FOUND", _USERS_CLASS),
    "PERMISSION_DENIED": ("PERMISSION_DENIED", _USERS_CLASS),
    "RESOURCE_ALREADY_EXISTS": ("RESOURCE_ALREADY_EXISTS", _USERS_CLASS),
    "RESOURCE_DOES_NOT_EXIST": ("RESOURCE_NOT_FOUND", _USERS_CLASS),
    "TEMPORARILY_UNAVAILABLE": ("CLIENT_INTERNAL_ERROR", _OWN_CLASS),
}
"""Error class and SQL state that MLflow tells beside a code; other codes go without."""


class Envelope(msgspec.Struct, frozen=True, omit_defaults=True):
    """MLflow's error body."""

    error_code: str
    message: str
    sqlstate: str = ""
    error_class: str = ""


def error_answer(error: AirsideError) -> tuple[int, bytes]:
    """The status and the body of an error on MLflow's paths.

    >>> error_answer(Invalid("no"))[0]
    400
    """
    status = STATUS_OF_CODE.get(error.code, error.status)
    code = "TEMPORARILY_UNAVAILABLE" if error.code == "INSUFFICIENT_STORAGE" else error.code
    kind, state = CLASSES.get(code, ("", ""))
    text = error.message.encode("utf-8", "replace").decode()
    return status, _ENCODER.encode(Envelope(error_code=code, message=text, sqlstate=state, error_class=kind))
