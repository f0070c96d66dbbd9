"""The tables of the room `serving`."""

from sqlalchemy import Index, Table

from airside.store.sql.schema.base import METADATA, blob, json_text, millis, number, text, whole

routing = Table("routing", METADATA, whole("id", primary_key=True, autoincrement=False), whole("revision"))

endpoint = Table(
    "endpoint",
    METADATA,
    text("name", primary_key=True),
    text("model"),
    whole("version"),
    whole("previous_version"),
    text("state"),
    json_text("plan"),
    json_text("transform"),
    text("rollout_id"),
    whole("revision"),
    text("salt"),
    text("created_by"),
    millis("created_at_ms"),
    millis("updated_at_ms"),
    Index("endpoint_by_model", "model"),
)

rollout = Table(
    "rollout",
    METADATA,
    text("id", primary_key=True),
    text("endpoint"),
    text("model"),
    whole("from_version"),
    whole("to_version"),
    text("state"),
    whole("step"),
    whole("weight"),
    json_text("plan"),
    json_text("transform"),
    json_text("evidence"),
    text("recent"),
    text("paused_in"),
    text("reason"),
    text("started_by"),
    millis("started_at_ms"),
    millis("step_started_at_ms"),
    millis("looked_at_ms", nullable=True),
    millis("ended_at_ms", nullable=True),
    text("acknowledged_by"),
    millis("acknowledged_at_ms", nullable=True),
    Index("rollout_by_endpoint", "endpoint", "id"),
    Index("rollout_by_end", "ended_at_ms"),
    Index("rollout_by_version", "model", "to_version"),
)

rollout_tally = Table(
    "rollout_tally",
    METADATA,
    text("rollout_id", primary_key=True),
    text("phase", primary_key=True),
    text("metric", primary_key=True),
    text("role", primary_key=True),
    whole("row_count"),
    whole("bad_count"),
)

rollout_decision = Table(
    "rollout_decision",
    METADATA,
    text("rollout_id", primary_key=True),
    whole("number", primary_key=True, autoincrement=False),
    json_text("decision"),
)

prediction_batch = Table(
    "prediction_batch",
    METADATA,
    text("id", primary_key=True),
    text("request_id"),
    text("endpoint"),
    text("model"),
    whole("version"),
    text("role"),
    text("rollout_id"),
    text("phase"),
    text("delivery"),
    millis("received_at_ms"),
    whole("row_count"),
    number("latency_ms"),
    text("error"),
    text("paired_id"),
    json_text("transform"),
    blob("labels"),
    whole("labelled_rows"),
    whole("right_rows"),
    text("file"),
    whole("file_offset"),
    whole("size_bytes"),
    Index("prediction_by_request", "request_id"),
    Index("prediction_by_time", "endpoint", "received_at_ms", "id"),
    Index("prediction_by_delivery", "endpoint", "delivery", "received_at_ms", "id"),
    Index("prediction_by_version", "model", "version"),
)

ground_truth = Table(
    "ground_truth",
    METADATA,
    text("request_id", primary_key=True),
    text("endpoint"),
    blob("labels"),
    millis("received_at_ms"),
)

delivery = Table(
    "delivery",
    METADATA,
    text("endpoint", primary_key=True),
    text("name", primary_key=True),
    whole("row_count"),
    whole("batch_count"),
    millis("completed_at_ms"),
)
