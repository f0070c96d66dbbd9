"""The tables of the room `registry`."""

from sqlalchemy import Index, Table

from airside.store.sql.schema.base import METADATA, flag, json_text, millis, ordered, serial, text, whole

REGISTERED_MODEL = Table(
    "registered_model",
    METADATA,
    ordered("name", primary_key=True),
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
    ordered("name", primary_key=True),
    ordered("key", primary_key=True),
    ordered("value"),
)

MODEL_ALIAS = Table(
    "model_alias",
    METADATA,
    ordered("name", primary_key=True),
    ordered("alias", primary_key=True),
    whole("version"),
    Index("model_alias_by_version", "name", "version"),
)

MODEL_VERSION = Table(
    "model_version",
    METADATA,
    ordered("name", primary_key=True),
    whole("version", primary_key=True, autoincrement=False),
    ordered("source"),
    text("storage_location"),
    ordered("run_id"),
    ordered("model_id"),
    text("status"),
    text("status_message"),
    ordered("stage"),
    text("description", nullable=True),
    text("run_link"),
    json_text("files"),
    text("reference"),
    text("golden"),
    json_text("signature"),
    json_text("approvers"),  # of this version, beside those whom its model names
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
    ordered("name", primary_key=True),
    whole("version", primary_key=True, autoincrement=False),
    ordered("key", primary_key=True),
    ordered("value"),
)

VERDICT = Table(
    "verdict",
    METADATA,
    ordered("name", primary_key=True),
    whole("version", primary_key=True, autoincrement=False),
    ordered("gate", primary_key=True),
    flag("passed"),
    text("decision_id"),
    text("summary"),
    text("left_by"),
    millis("left_ms"),
)

APPROVAL = Table(
    "approval",
    METADATA,
    ordered("id", primary_key=True),
    text("subject_kind"),
    ordered("subject"),
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
    ordered("name"),
    whole("version", nullable=True),
    text("what"),
    ordered("key"),
    text("before_value"),
    text("after_value"),
    text("reason"),
    text("actor"),
    millis("at_ms"),
    Index("registry_change_by_name", "name", "id"),
)
