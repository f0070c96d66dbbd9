"""What is decided about logged models, without I/O. The texts are those of MLflow's wire."""

import json

import msgspec

from airside.core.errors import Invalid
from airside.core.ids import LoggedModelId

VERSIONS_TAG = "mlflow.modelVersions"
"""JSON list of the registrations of the model, which the server maintains."""

_BAD_CHARACTERS = ("/", ":", ".", "%", '"', "'")


def check_name(name: str) -> None:
    """Refuse what cannot be a logged model's name.

    >>> check_name("model")
    >>> check_name("a/b")
    Traceback (most recent call last):
    airside.core.errors.Invalid: Invalid model name ('a/b') provided. Model name must be a non-empty string and \
cannot contain the following characters: ('/', ':', '.', '%', '"', "'")

    Raises:
        Invalid: it has one of `/ : . % " '`.
    """
    if any(character in name for character in _BAD_CHARACTERS):
        raise Invalid(
            f"Invalid model name ({name!r}) provided. Model name must be a non-empty string and cannot contain the "
            f"following characters: {_BAD_CHARACTERS!r}"
        )


def not_found(model_id: LoggedModelId) -> str:
    """The text of a model that is not there.

    >>> not_found(LoggedModelId("m-x"))
    "Logged model with ID 'm-x' not found."
    """
    return f"Logged model with ID '{model_id}' not found."


def with_registration(value: str, name: str, version: int) -> str:
    """The tag of the registrations, with one more; written as MLflow's server writes it, and its clients read it.

    >>> with_registration("", "churn", 1)
    '[{"name": "churn", "version": 1}]'
    >>> with_registration('[{"name": "churn", "version": "1"}]', "churn", 1)
    '[{"name": "churn", "version": "1"}]'
    """
    try:
        known = msgspec.json.decode(value or "[]", type=list[dict[str, str | int]])
    except msgspec.DecodeError:  # a client wrote something else into the tag
        known = []
    is_known = any(one.get("name") == name and str(one.get("version")) == str(version) for one in known)
    return json.dumps(known if is_known else [*known, {"name": name, "version": version}])
