"""How the clients in other languages write the same request (contract: R sends every scalar as a string)."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
from tests.differential.peers import Step

INT64 = frozenset({"timestamp", "step", "start_time", "end_time", "max_results"})
INT32_IN = frozenset({"2.0/mlflow/runs/search", "2.0/mlflow/metrics/get-history"})


def _python(step: Step) -> Step:
    return step


def _r_number(value: float) -> str:
    if isinstance(value, int) and abs(value) >= 100_000 and value % 100_000 == 0:
        digits = f"{value:e}".partition("e")
        return f"{digits[0].rstrip('0').rstrip('.')}e+{int(digits[2]):02d}"
    return str(value)


def _r_value(value: Any) -> Any:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _r_number(value)
    if isinstance(value, list):
        return [_r_value(item) for item in value]
    if isinstance(value, dict):
        return {key: _r_value(item) for key, item in value.items()}
    return value


def _r(step: Step) -> Step:
    """Every scalar is a string, and a run is named twice."""
    if step.body is None:
        return step
    body = _r_value(step.body)
    if "run_id" in body:
        body["run_uuid"] = body["run_id"]
    return msgspec.structs.replace(step, body=body)


def _java_value(value: Any, name: str, path: str) -> Any:
    if isinstance(value, dict):
        return {key: _java_value(item, key, path) for key, item in value.items()}
    if isinstance(value, list):
        return [_java_value(item, name, path) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and name in INT64:
        return value if name == "max_results" and path in INT32_IN else str(value)
    return value


def _java(step: Step) -> Step:
    """Protobuf's JSON: 64-bit integers are strings, and texts are escaped as for HTML."""
    if step.body is None:
        return step
    text = json.dumps(_java_value(step.body, "", step.path))
    for character in "<>&'=":
        if "<" in text and character in "<>":
            continue  # symbols stand between them
        text = text.replace(character, f"\\u{ord(character):04x}")
    return msgspec.structs.replace(step, body=None, raw=text, content_type="application/json; charset=UTF-8")


def _camel(step: Step) -> Step:
    """The other spelling of protobuf's JSON, for what is not required."""
    if step.body is None:
        return step
    names = {"artifact_location": "artifactLocation", "run_name": "runName", "start_time": "startTime"}
    names |= {"max_results": "maxResults", "order_by": "orderBy", "run_view_type": "runViewType", "end_time": "endTime"}
    names |= {"page_token": "pageToken", "source_run_id": "sourceRunId", "run_link": "runLink"}
    return msgspec.structs.replace(step, body={names.get(key, key): value for key, value in step.body.items()})


STYLES: dict[str, Callable[[Step], Step]] = {"python": _python, "java": _java, "r": _r, "camel": _camel}
