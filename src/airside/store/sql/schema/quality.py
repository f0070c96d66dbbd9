"""The tables of the room `quality`."""

from sqlalchemy import Index, Table

from airside.store.sql.schema.base import METADATA, json_text, millis, text, whole

suite = Table(
    "suite",
    METADATA,
    text("model", primary_key=True),
    json_text("checks"),
    text("set_by"),
    millis("set_at"),
)

gate_decision = Table(
    "gate_decision",
    METADATA,
    text("id", primary_key=True),
    text("model"),
    whole("version"),
    text("outcome"),
    text("summary"),
    json_text("results"),
    whole("compared_with"),
    text("run_id", nullable=True),
    json_text("dataset_versions"),
    text("decided_by"),
    millis("decided_at"),
    Index("gate_decision_model", "model", "version", "id"),
)
