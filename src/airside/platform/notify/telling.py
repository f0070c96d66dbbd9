"""What an event of the registry is called on a webhook, and what is told of it."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from airside.core.event import Event
from airside.core.record import Record
from airside.registry.events import AliasMoved, ModelCreated, ModelTagged, VersionRegistered, VersionTagged
from airside.registry.rules import PROMPT_TAG, PROMPT_TEXT_TAG, is_prompt

PROMPT_TYPE_TAG = "_mlflow_prompt_type"
_MARKS = frozenset({PROMPT_TAG, PROMPT_TYPE_TAG})


class Told(Record):
    """What webhooks are told."""

    event: str
    data: dict[str, Any]


def _model_created(event: ModelCreated) -> Told:
    a_prompt = is_prompt(event.tags)
    data = {
        "name": event.name,
        "tags": _unmarked(event.tags) if a_prompt else event.tags,
        "description": event.description or "",
    }
    return Told(event="prompt.created" if a_prompt else "registered_model.created", data=data)


def _version_registered(event: VersionRegistered) -> Told:
    data: dict[str, Any] = {"name": event.name, "version": str(event.version)}
    if is_prompt(event.tags):
        tags = _unmarked(event.tags)
        data |= {"template": tags.pop(PROMPT_TEXT_TAG, None), "tags": tags}
    else:
        data |= {"source": event.source, "run_id": event.run_id or None, "tags": event.tags}
    data["description"] = event.description or None
    return Told(event="prompt_version.created" if is_prompt(event.tags) else "model_version.created", data=data)


def _model_tagged(event: ModelTagged) -> Told | None:
    """Tags of models are told of prompts alone: MLflow has no event for the others."""
    if not event.is_prompt:
        return None
    data = {"name": event.name, "key": event.key}
    if event.value is None:
        return Told(event="prompt_tag.deleted", data=data)
    return Told(event="prompt_tag.set", data={**data, "value": event.value})


def _version_tagged(event: VersionTagged) -> Told:
    entity = "prompt_version_tag" if event.is_prompt else "model_version_tag"
    data = {"name": event.name, "version": str(event.version), "key": event.key}
    if event.value is None:
        return Told(event=f"{entity}.deleted", data=data)
    return Told(event=f"{entity}.set", data={**data, "value": event.value})


def _alias_moved(event: AliasMoved) -> Told:
    entity = "prompt_alias" if event.is_prompt else "model_version_alias"
    data = {"name": event.name, "alias": event.alias}
    if event.version is None:
        return Told(event=f"{entity}.deleted", data=data)
    return Told(event=f"{entity}.created", data={**data, "version": str(event.version)})


def _unmarked(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags without those that say that it is a prompt."""
    return {key: value for key, value in tags.items() if key not in _MARKS}


TELLERS: Final[Mapping[type[Event], Callable[[Any], Told | None]]] = {
    ModelCreated: _model_created,
    VersionRegistered: _version_registered,
    ModelTagged: _model_tagged,
    VersionTagged: _version_tagged,
    AliasMoved: _alias_moved,
}
BY_NAME: Final[Mapping[str, type[Event]]] = {event.NAME: event for event in TELLERS}


def told(event: Event) -> Told | None:
    """What webhooks are told of an event; None when they are told nothing.

    >>> told(AliasMoved(name="churn", alias="champion", version=7, previous=None)).data
    {'name': 'churn', 'alias': 'champion', 'version': '7'}
    """
    teller = TELLERS.get(type(event))
    return None if teller is None else teller(event)


_MODEL = {"name": "example_model", "version": "1"}
_PROMPT = {"name": "example_prompt", "version": "1"}
_TAG = {"key": "example_key", "value": "example_value"}
_TAGS = {"tags": {"example_key": "example_value"}}


def _without(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name != key}


EXAMPLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "registered_model.created": {
        "name": "example_model",
        **_TAGS,
        "description": "An example registered model",
    },
    "model_version.created": {
        **_MODEL,
        "source": "models:/123",
        "run_id": "abcd1234abcd5678",
        **_TAGS,
        "description": "An example model version",
    },
    "model_version_tag.set": {**_MODEL, **_TAG},
    "model_version_tag.deleted": _without({**_MODEL, **_TAG}, "value"),
    "model_version_alias.created": {"name": "example_model", "alias": "example_alias", "version": "1"},
    "model_version_alias.deleted": {"name": "example_model", "alias": "example_alias"},
    "prompt.created": {"name": "example_prompt", **_TAGS, "description": "An example prompt"},
    "prompt_version.created": {
        **_PROMPT,
        "template": "Hello {{name}}!",
        **_TAGS,
        "description": "An example prompt version",
    },
    "prompt_tag.set": {"name": "example_prompt", **_TAG},
    "prompt_tag.deleted": {"name": "example_prompt", "key": "example_key"},
    "prompt_version_tag.set": {**_PROMPT, **_TAG},
    "prompt_version_tag.deleted": _without({**_PROMPT, **_TAG}, "value"),
    "prompt_alias.created": {"name": "example_prompt", "alias": "example_alias", "version": "1"},
    "prompt_alias.deleted": {"name": "example_prompt", "alias": "example_alias"},
    "budget_policy.exceeded": {
        "budget_policy_id": "bp-abc123",
        "budget_unit": "USD",
        "budget_amount": 100.0,
        "current_spend": 105.50,
        "duration_unit": "MONTHS",
        "duration_value": 1,
        "target_scope": "ENDPOINT",
        "workspace": "default",
        "target_value": "ep-abc123",
        "window_start": 1704067200000,
    },
}
"""What a trial sends of each event: MLflow's own examples, on which receivers' tests rely."""
