"""The tables of evaluation: datasets of inputs with what is expected of them, and scorers."""

from sqlalchemy import Index, Table, UniqueConstraint
from sqlalchemy import text as sql

from airside.store.sql.schema.base import METADATA, json_text, millis, ordered, serial, text, whole

EVALUATION_DATASET = Table(
    "evaluation_dataset",
    METADATA,
    ordered("dataset_id", primary_key=True),
    ordered("name"),
    text("digest"),
    json_text("schema_text", nullable=True),
    whole("record_count", nullable=True),
    ordered("created_by", nullable=True),
    ordered("updated_by", nullable=True),
    millis("created_ms"),
    millis("updated_ms"),
    Index("evaluation_dataset_newest", sql("created_ms DESC"), sql("dataset_id DESC")),
    Index("evaluation_dataset_name", sql("substr(name, 1, 200)")),
)

EVALUATION_DATASET_TAG = Table(
    "evaluation_dataset_tag",
    METADATA,
    ordered("dataset_id", primary_key=True),
    ordered("key", primary_key=True),
    ordered("value"),
    sqlite_with_rowid=False,
)

EVALUATION_DATASET_EXPERIMENT = Table(
    "evaluation_dataset_experiment",
    METADATA,
    serial(),
    ordered("dataset_id"),
    whole("experiment_no"),
    UniqueConstraint("dataset_id", "experiment_no"),
    Index("evaluation_dataset_of_experiment", "experiment_no", "dataset_id"),
)

EVALUATION_RECORD = Table(
    "evaluation_record",
    METADATA,
    serial(),
    ordered("record_id", unique=True),
    ordered("dataset_id"),
    text("input_hash"),
    json_text("inputs"),
    json_text("outputs", nullable=True),
    json_text("expectations", nullable=True),
    json_text("tags"),
    json_text("source", nullable=True),
    ordered("created_by", nullable=True),
    ordered("updated_by", nullable=True),
    millis("created_ms"),
    millis("updated_ms"),
    UniqueConstraint("dataset_id", "input_hash"),
    Index("evaluation_record_page", "dataset_id", "id"),
)

SCORER = Table(
    "scorer",
    METADATA,
    ordered("scorer_id", primary_key=True),
    whole("experiment_no"),
    ordered("name"),
    UniqueConstraint("experiment_no", "name"),
)

SCORER_VERSION = Table(
    "scorer_version",
    METADATA,
    ordered("scorer_id", primary_key=True),
    whole("version", primary_key=True, autoincrement=False),
    text("serialized"),
    millis("created_ms"),
    sqlite_with_rowid=False,
)
