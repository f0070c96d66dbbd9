"""The tables of the room `registry`."""

from sqlalchemy import Index, Table

from airside.store.sql.schema.base import METADATA, flag, json_text, millis, serial, text, whole

REGISTERED_MODEL = Table(
    "registered_model",
    METADATA,
    text("name", primary_key=True),
    text("description", nullable=True),
    json_text("requires"),
    whole("last_version"),  # the highest number ever used, deleted versions included
    text("created_by"),
    millis("created_ms"),
    millis("updated_ms"),
)

REGISTERED_MODEL_TAG = Table(
    "registered_model_tag",
    METADATA,
    text("name", primary_key=True),
    text("key", primary_key=True),
    text("value"),
)

MODEL_ALIAS = Table(
    "model_alias",
    METADATA,
    text("name", primary_key=True),
    text("alias", primary_key=True),
    whole("version"),
    Index("model_alias_by_version", "name", "version"),
)

MODEL_VERSION = Table(
    "model_version",
    METADATA,
    text("name", primary_key=True),
    whole("version", primary_key=True),
    text("source"),
    text("storage_location"),
    text("run_id"),
    text("model_id"),
    text("status"),
    text("status_message"),
    text("stage"),
    text("description", nullable=True),
    text("run_link"),
    json_text("files"),
    text("reference"),
    text("golden"),
    json_text("signature"),
    text("created_by"),
    millis("created_ms"),
    millis("updated_ms"),
    Index("model_version_by_run", "run_id"),
    Index("model_version_by_model", "model_id"),
    Index("model_version_by_update", "updated_ms", "name", "version"),
)

MODEL_VERSION_TAG = Table(
    "model_version_tag",
    METADATA,
    text("name", primary_key=True),
    whole("version", primary_key=True),
    text("key", primary_key=True),
    text("value"),
)

VERDICT = Table(
    "verdict",
    METADATA,
    text("name", primary_key=True),
    whole("version", primary_key=True),
    text("gate", primary_key=True),
    flag("passed"),
    text("decision_id"),
    text("summary"),
    text("left_by"),
    millis("left_ms"),
)

APPROVAL = Table(
    "approval",
    METADATA,
    text("id", primary_key=True),
    text("subject_kind"),
    text("subject"),
    text("question"),
    json_text("approvers"),
    text("state"),
    text("asked_by"),
    millis("asked_ms"),
    text("decided_by"),
    millis("decided_ms", nullable=True),
    text("comment"),
    Index("approval_by_subject", "subject_kind", "subject"),
    Index("approval_by_state", "state", "id"),
)

REGISTRY_CHANGE = Table(
    "registry_change",
    METADATA,
    serial(),
    text("name"),
    whole("version", nullable=True),
    text("what"),
    text("key"),
    text("before_value"),
    text("after_value"),
    text("actor"),
    millis("at_ms"),
    Index("registry_change_by_name", "name", "id"),
)
