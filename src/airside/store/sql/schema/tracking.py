"""The tables of the room `tracking`.

Inside, runs and names of metrics, parameters and tags are integers; the public run id is a unique column. The
experiment stands beside each value, so that a value index serves a search of one experiment (tracking facts,
section 7). Texts compare by bytes in both dialects. Long values are indexed by their first 200 characters.
Of a long history `metric_point` holds the newest points, `metric_chunk` the rest (docs/decisions/0012).
"""

from sqlalchemy import Index, Table, UniqueConstraint
from sqlalchemy import text as sql

from airside.store.sql.schema.base import METADATA, blob, flag, json_text, millis, number, ordered, serial, text, whole

PREFIX = "substr(value, 1, 200)"


EXPERIMENT = Table(
    "experiment",
    METADATA,
    serial(),
    ordered("name", unique=True),
    text("artifact_location"),
    flag("is_deleted"),
    millis("created_ms"),
    millis("updated_ms"),
    flag("is_sweeping"),
    Index("experiment_newest", "is_deleted", sql("created_ms DESC"), "id"),
    sqlite_autoincrement=True,  # a number that was removed for good is not given again: files lie under it
)

EXPERIMENT_TAG = Table(
    "experiment_tag",
    METADATA,
    whole("experiment_no", primary_key=True, autoincrement=False),
    ordered("key", primary_key=True),
    ordered("value"),
    sqlite_with_rowid=False,
)

KEY_NAME = Table("key_name", METADATA, serial(), text("name", unique=True))

RUN = Table(
    "run",
    METADATA,
    serial(),
    ordered("run_id", unique=True),
    whole("experiment_no"),
    ordered("name"),
    ordered("user_id"),
    ordered("status"),
    millis("start_ms"),
    millis("end_ms", nullable=True),
    ordered("artifact_uri"),
    flag("is_deleted"),
    whole("revision"),
    millis("deleted_ms", nullable=True),
    Index("run_newest", "experiment_no", "is_deleted", sql("start_ms DESC"), "run_id"),
    Index(
        "run_deleted",
        "deleted_ms",
        "id",
        sqlite_where=sql("deleted_ms IS NOT NULL"),
        postgresql_where=sql("deleted_ms IS NOT NULL"),
    ),
    sqlite_autoincrement=True,  # the rows of a removed run are swept by its number
)

METRIC_POINT = Table(
    "metric_point",
    METADATA,
    whole("run_no", primary_key=True, autoincrement=False),
    whole("key_no", primary_key=True, autoincrement=False),
    millis("time_ms", primary_key=True, autoincrement=False),
    whole("step", primary_key=True, autoincrement=False),
    number("value", primary_key=True),
    flag("is_nan", primary_key=True),
    sqlite_with_rowid=False,
)

METRIC_CHUNK = Table(
    "metric_chunk",
    METADATA,
    serial(),
    whole("run_no"),
    whole("key_no"),
    whole("n_points"),
    millis("first_ms"),
    whole("first_step"),
    number("first_value"),
    flag("first_nan"),
    millis("last_ms"),
    whole("last_step"),
    number("last_value"),
    flag("last_nan"),
    whole("low_step"),
    whole("high_step"),
    flag("is_by_step"),
    flag("is_finite"),
    number("least_value"),
    millis("least_ms"),
    whole("least_step"),
    number("greatest_value"),
    millis("greatest_ms"),
    whole("greatest_step"),
    blob("points"),
    Index(  # what a sample by rank asks of a thousand chunks is read here, and not beside their points
        "metric_chunk_order",
        "run_no",
        "key_no",
        "first_ms",
        "first_step",
        "first_value",
        "first_nan",
        "last_ms",
        "last_step",
        "n_points",
        "is_by_step",
        "id",
    ),
)

METRIC_LATEST = Table(
    "metric_latest",
    METADATA,
    whole("run_no", primary_key=True, autoincrement=False),
    whole("key_no", primary_key=True, autoincrement=False),
    whole("experiment_no"),
    whole("step"),
    millis("time_ms"),
    number("value"),
    flag("is_nan"),
    whole("n_since_packed"),
    millis("packed_ms"),
    Index("metric_latest_value", "experiment_no", "key_no", "is_nan", "value", "run_no"),
    sqlite_with_rowid=False,
)

RUN_PARAM = Table(
    "run_param",
    METADATA,
    whole("run_no", primary_key=True, autoincrement=False),
    whole("key_no", primary_key=True, autoincrement=False),
    whole("experiment_no"),
    ordered("value"),
    Index("run_param_value", "experiment_no", "key_no", sql(PREFIX), "run_no"),
    sqlite_with_rowid=False,
)

RUN_TAG = Table(
    "run_tag",
    METADATA,
    whole("run_no", primary_key=True, autoincrement=False),
    whole("key_no", primary_key=True, autoincrement=False),
    whole("experiment_no"),
    ordered("value"),
    Index("run_tag_value", "experiment_no", "key_no", sql(PREFIX), "run_no"),
    sqlite_with_rowid=False,
)

INPUT_DATASET = Table(
    "input_dataset",
    METADATA,
    serial(),
    whole("experiment_no"),
    ordered("name"),
    ordered("digest"),
    text("source_type"),
    text("source"),
    text("schema_text", nullable=True),
    text("profile_text", nullable=True),
    UniqueConstraint("experiment_no", "name", "digest"),
    Index("input_dataset_source", sql("substr(source, 1, 200)"), "source_type"),
)

DATASET_INPUT = Table(
    "dataset_input",
    METADATA,
    whole("run_no", primary_key=True, autoincrement=False),
    whole("dataset_no", primary_key=True, autoincrement=False),
    ordered("context", nullable=True),
    json_text("tags"),
    Index("dataset_input_dataset", "dataset_no", "run_no"),
    sqlite_with_rowid=False,
)

MODEL_INPUT = Table(
    "model_input",
    METADATA,
    whole("run_no", primary_key=True, autoincrement=False),
    text("model_id", primary_key=True),
    Index("model_input_model", "model_id", "run_no"),
    sqlite_with_rowid=False,
)

MODEL_OUTPUT = Table(
    "model_output",
    METADATA,
    whole("run_no", primary_key=True, autoincrement=False),
    text("model_id", primary_key=True),
    whole("step"),
    Index("model_output_model", "model_id", "run_no"),
    sqlite_with_rowid=False,
)
