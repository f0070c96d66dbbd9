"""The tables of logged models (room `tracking`)."""

from sqlalchemy import Index, Table

from airside.store.sql.schema.base import METADATA, flag, millis, number, text, whole

LOGGED_MODEL = Table(
    "logged_model",
    METADATA,
    text("model_id", primary_key=True),
    whole("experiment_id"),
    text("name"),
    text("artifact_uri"),
    text("status"),
    text("status_message"),
    text("model_type"),
    text("source_run_id"),
    text("lifecycle_stage"),
    millis("created_ms"),
    millis("updated_ms"),
    Index("logged_model_by_experiment", "experiment_id", "created_ms", "model_id"),
    Index("logged_model_by_run", "source_run_id"),
)

LOGGED_MODEL_TAG = Table(
    "logged_model_tag",
    METADATA,
    text("model_id", primary_key=True),
    text("key", primary_key=True),
    text("value"),
)

LOGGED_MODEL_PARAM = Table(
    "logged_model_param",
    METADATA,
    text("model_id", primary_key=True),
    text("key", primary_key=True),
    text("value"),
)

LOGGED_MODEL_METRIC = Table(
    "logged_model_metric",
    METADATA,
    text("model_id", primary_key=True),
    text("key", primary_key=True),
    whole("step", primary_key=True),
    millis("timestamp_ms", primary_key=True),
    number("value", primary_key=True),
    flag("is_nan", primary_key=True),
    text("run_id", primary_key=True),
    text("dataset_name"),
    text("dataset_digest"),
)
