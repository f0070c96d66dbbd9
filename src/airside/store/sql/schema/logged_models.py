"""The tables of logged models (room `tracking`)."""

from sqlalchemy import Index, Table
from sqlalchemy import text as sql

from airside.store.sql.schema.base import METADATA, flag, millis, number, ordered, text, whole

LOGGED_MODEL = Table(
    "logged_model",
    METADATA,
    ordered("model_id", primary_key=True),
    whole("experiment_no"),
    ordered("name"),
    text("artifact_uri"),
    ordered("status"),
    text("status_message"),
    ordered("model_type"),
    ordered("source_run_id"),
    flag("is_deleted"),
    millis("created_ms"),
    millis("updated_ms"),
    Index("logged_model_newest", "experiment_no", "is_deleted", "created_ms", "model_id"),
    Index("logged_model_run", "source_run_id"),
    Index(
        "logged_model_deleted",
        "updated_ms",
        "model_id",
        sqlite_where=sql("is_deleted"),
        postgresql_where=sql("is_deleted"),
    ),
)

LOGGED_MODEL_TAG = Table(
    "logged_model_tag",
    METADATA,
    ordered("model_id", primary_key=True),
    ordered("key", primary_key=True),
    ordered("value"),
    sqlite_with_rowid=False,
)

LOGGED_MODEL_PARAM = Table(
    "logged_model_param",
    METADATA,
    ordered("model_id", primary_key=True),
    ordered("key", primary_key=True),
    ordered("value"),
    sqlite_with_rowid=False,
)

LOGGED_MODEL_METRIC = Table(
    "logged_model_metric",
    METADATA,
    ordered("model_id", primary_key=True),
    ordered("key", primary_key=True),
    whole("step", primary_key=True, autoincrement=False),
    millis("time_ms", primary_key=True, autoincrement=False),
    number("value", primary_key=True),
    flag("is_nan", primary_key=True),
    text("run_id", primary_key=True),
    text("dataset_name"),
    text("dataset_digest"),
    sqlite_with_rowid=False,
)
