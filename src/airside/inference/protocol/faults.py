"""What is said to a caller whose scoring request is wrong: MLflow's codes, never the caller's data."""

import msgspec

from airside.core.errors import AirsideError, Invalid


class UnsupportedMedia(AirsideError):
    """The scoring server reads application/json, text/csv and application/vnd.apache.parquet, in UTF-8."""

    code, status = "UNSUPPORTED_MEDIA_TYPE", 415


def bad_request(text: str) -> Invalid:
    """The body cannot be read, has the wrong form, or holds a value that cannot be converted."""
    return Invalid(text, code="BAD_REQUEST")


def violated(text: str) -> Invalid:
    """The signature is violated: a column is missing, a matrix came where names are needed."""
    return Invalid(text)


_STATES = {
    "BAD_REQUEST": ("KAM00", "INVALID_PARAMETER_VALUE"),
    "INVALID_PARAMETER_VALUE": ("KAM01", "SCHEMA_ENFORCEMENT_FAILED"),
}


def error_body(error: AirsideError) -> bytes:
    """The JSON of an error of `/invocations`, with MLflow's two extra keys where MLflow has them.

    >>> error_body(bad_request("No rows.")).decode()
    '{"error_code":"BAD_REQUEST","message":"No rows.","sqlstate":"KAM00","error_class":"INVALID_PARAMETER_VALUE"}'
    """
    body = {"error_code": error.code, "message": error.message}
    if error.code in _STATES:
        body["sqlstate"], body["error_class"] = _STATES[error.code]
    return msgspec.json.encode(body)


def v2_error_body(error: AirsideError) -> bytes:
    """The JSON of an error of the Open Inference Protocol.

    >>> v2_error_body(bad_request("No rows."))
    b'{"error":"No rows."}'
    """
    return msgspec.json.encode({"error": error.message})
