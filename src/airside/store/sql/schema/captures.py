"""What is captured of the processes that make runs (room `tracking`)."""

from sqlalchemy import Index, Table

from airside.store.sql.schema.base import METADATA, json_text, millis, ordered, text, whole

RUN_CAPTURE = Table(
    "run_capture",
    METADATA,
    whole("run_no", primary_key=True, autoincrement=False),
    ordered("source", primary_key=True),
    millis("at_ms"),
    text("code_blob"),
    text("lock_blob"),
    json_text("facts"),
    Index("run_capture_code", "code_blob"),
    sqlite_with_rowid=False,
)
