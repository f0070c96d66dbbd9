"""The tables of imports (room `tracking`): what was taken over from where, and how far it got."""

from sqlalchemy import Table

from airside.store.sql.schema.base import METADATA, flag, json_text, millis, ordered, text, whole

IMPORT_JOB = Table(
    "import_job",
    METADATA,
    ordered("import_id", primary_key=True),
    text("fingerprint", unique=True),
    text("source"),
    text("kind"),
    text("started_by"),
    millis("started_ms"),
    millis("ended_ms", nullable=True),
    json_text("report"),
)

IMPORT_PART = Table(
    "import_part",
    METADATA,
    ordered("import_id", primary_key=True),
    ordered("part", primary_key=True),
    text("after_key"),
    whole("done"),
    whole("skipped"),
    flag("is_complete"),
)
