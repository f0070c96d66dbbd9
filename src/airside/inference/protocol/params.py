"""The `params` of a scoring request: checked by the signature, defaults filled in."""

from typing import Any, get_args

from airside.core.errors import quoted
from airside.inference.protocol.faults import bad_request
from airside.inference.records import ParamSpec, PredictMethod
from airside.inference.values import converted

METHOD = "predict_method"
"""The parameter that chooses the method, at any model."""


def checked_params(given: Any, specs: tuple[ParamSpec, ...]) -> tuple[dict[str, Any], PredictMethod]:
    """The parameters of a request and the method that it asks for; unknown names are ignored.

    Raises:
        Invalid: not an object, or a value of another type.

    >>> checked_params({"top": 3, "other": 1}, (ParamSpec(name="top", type="long", default=5),))
    ({'top': 3}, 'predict')
    """
    if given is None:
        given = {}
    if not isinstance(given, dict):
        raise bad_request("'params' must be an object.")
    method = given.get(METHOD, "predict")
    if method not in get_args(PredictMethod):
        raise bad_request(f"params.{METHOD} must be one of {quoted(get_args(PredictMethod))}.")
    return {spec.name: _value(given.get(spec.name, spec.default), spec) for spec in specs}, method


def _value(value: Any, spec: ParamSpec) -> Any:
    if spec.shape is None:
        return converted([value], spec.type, f"params.{spec.name}")[0]
    if not isinstance(value, list):
        raise bad_request(f"params.{spec.name} must be a flat list.")
    return converted(value, spec.type, f"params.{spec.name}")
