"""MLflow's calls of assessments (contract, section 12.2): a table of routes."""

import json
from typing import Any

from airside.core.errors import Invalid
from airside.server.mlflow.trace_answers import assessment_of, millis_of
from airside.server.mlflow.wire import (
    Kind,
    WireRequest,
    WireRoute,
    anything,
    boolean,
    message,
    missing,
    mistyped,
    nothing,
    read,
    string,
    write,
)
from airside.tracking.traces.operations.assessments import (
    CreateAssessment,
    DeleteAssessment,
    GetAssessment,
    UpdateAssessment,
)
from airside.tracking.traces.records import Assessment, AssessmentError, AssessmentKind, NewAssessment

SOURCE_TYPES = ("SOURCE_TYPE_UNSPECIFIED", "HUMAN", "LLM_JUDGE", "CODE")
MASKS = {
    "assessmentName": "assessment_name",
    "lastUpdateTime": "last_update_time",
    "createTime": "create_time",
    "spanId": "span_id",
}


def texts(value: Any, name: str) -> dict[str, str]:
    """A map of texts.

    Raises:
        Invalid: it is none.
    """
    if not isinstance(value, dict):
        raise mistyped(value, name)
    return {string(key, name): string(each, f"{name}.{key}") for key, each in value.items() if each is not None}


def _source_type(value: Any, name: str) -> str:
    """The word or the number; MLflow takes what it does not know for unspecified."""
    del name
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(SOURCE_TYPES):
        return SOURCE_TYPES[value]
    return value if value in SOURCE_TYPES else SOURCE_TYPES[0]


_ERROR = message(error_code=string, error_message=string, stack_trace=string)
_SERIALIZED = message(serialization_format=string, value=string)
_FEEDBACK = message(value=anything, error=_ERROR)
_EXPECTATION = message(value=anything, serialized_value=_SERIALIZED)
_SOURCE = message(source_type=_source_type, source_id=string)
ASSESSMENT: Kind = message(
    assessment_id=string,
    assessment_name=string,
    trace_id=string,
    span_id=string,
    source=_SOURCE,
    create_time=millis_of,
    last_update_time=millis_of,
    feedback=_FEEDBACK,
    expectation=_EXPECTATION,
    issue=message(issue_name=string),
    rationale=string,
    metadata=texts,
    overrides=string,
    valid=boolean,
)


def new_assessment(sent: dict[str, Any]) -> NewAssessment:
    """An assessment as a client sends it.

    Raises:
        Invalid: it has no value of any kind, or one in an unknown format.
    """
    kind = _kind(sent)
    if kind is None:
        raise Invalid("Unknown assessment type: None")
    value, error = _value(sent, kind)
    source = sent.get("source", {})
    return NewAssessment(
        name=sent.get("assessment_name", ""),
        kind=kind,
        value=value,
        error=error,
        source_type=source.get("source_type", SOURCE_TYPES[0]),
        source_id=source.get("source_id") or None,
        span_id=sent.get("span_id") or None,
        rationale=sent.get("rationale") or None,
        metadata=sent.get("metadata", {}),
        overrides=sent.get("overrides", ""),
        assessment_id=sent.get("assessment_id", ""),
        created_ms=sent.get("create_time", 0),
        updated_ms=sent.get("last_update_time", 0),
    )


def _kind(sent: dict[str, Any]) -> AssessmentKind | None:
    kinds: tuple[AssessmentKind, ...] = ("expectation", "feedback", "issue")
    return next((kind for kind in kinds if kind in sent), None)


def _value(sent: dict[str, Any], kind: AssessmentKind) -> tuple[Any, AssessmentError | None]:
    if kind == "issue":
        return sent["issue"].get("issue_name"), None
    given = sent[kind]
    error = AssessmentError(**given["error"]) if "error" in given else None
    serialized = given.get("serialized_value")
    if serialized is None:
        return _doubled(given.get("value")), error
    if serialized.get("serialization_format") != "JSON_FORMAT":
        raise Invalid(
            f"Unknown serialization format: {serialized.get('serialization_format', '')[:50]}. "
            "Only JSON_FORMAT is supported."
        )
    try:
        return json.loads(serialized.get("value", "")), None
    except (ValueError, RecursionError):
        raise Invalid("The serialized value of the expectation is not valid JSON.") from None


def _doubled(value: Any) -> Any:
    """Numbers as protobuf's `Value` keeps them, so that searches see them as MLflow's do."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < 1 << 1000:
        return float(value)
    if isinstance(value, list):
        return [_doubled(each) for each in value]
    return {key: _doubled(each) for key, each in value.items()} if isinstance(value, dict) else value


def _answer(given: Assessment) -> bytes:
    return write({"assessment": assessment_of(given)})


_CREATE = message(assessment=ASSESSMENT)


def _create(request: WireRequest) -> CreateAssessment:
    sent = read(request, _CREATE)
    if "assessment" not in sent:
        raise missing("assessment")
    return CreateAssessment(
        trace_id=request.path_args["trace_id"],
        assessment=new_assessment(sent["assessment"]),
    )


def _get(request: WireRequest) -> GetAssessment:
    return GetAssessment(trace_id=request.path_args["trace_id"], assessment_id=request.path_args["assessment_id"])


_UPDATE = message(assessment=ASSESSMENT, update_mask=string)


def _update(request: WireRequest) -> UpdateAssessment:
    sent = read(request, _UPDATE)
    for name in ("assessment", "update_mask"):
        if not sent.get(name):
            raise missing(name)
    given = sent["assessment"]
    paths = {MASKS.get(path.strip(), path.strip()) for path in sent["update_mask"].split(",")}
    if {"expectation", "feedback"} <= paths:
        raise Invalid("Cannot specify both `expectation` and `feedback` parameters.")
    kind: AssessmentKind | None = (
        "expectation" if "expectation" in paths else "feedback" if "feedback" in paths else None
    )
    value, error = _value({kind: {}, **given}, kind) if kind else (None, None)
    return UpdateAssessment(
        trace_id=request.path_args["trace_id"],
        assessment_id=request.path_args["assessment_id"],
        name=given.get("assessment_name", "") if "assessment_name" in paths else None,
        kind=kind,
        value=value,
        error=error,
        rationale=given.get("rationale", "") if "rationale" in paths else None,
        metadata=given.get("metadata", {}) if "metadata" in paths else {},
        is_valid=given.get("valid", True) if "valid" in paths else None,
    )


def _delete(request: WireRequest) -> DeleteAssessment:
    return DeleteAssessment(trace_id=request.path_args["trace_id"], assessment_id=request.path_args["assessment_id"])


_A = "3.0/mlflow/traces/{trace_id}/assessments"

ROUTES: tuple[WireRoute, ...] = (
    WireRoute("POST", _A, _create, _answer, CreateAssessment),
    WireRoute("GET", f"{_A}/{{assessment_id}}", _get, _answer, GetAssessment),
    WireRoute("PATCH", f"{_A}/{{assessment_id}}", _update, _answer, UpdateAssessment),
    WireRoute("DELETE", f"{_A}/{{assessment_id}}", _delete, nothing, DeleteAssessment),
)
