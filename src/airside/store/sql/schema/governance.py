"""The tables of the room `governance`."""

from sqlalchemy import Index, Table

from airside.store.sql.schema.base import METADATA, json_text, millis, text, whole

evidence = Table(
    "evidence",
    METADATA,
    text("id", primary_key=True),
    text("digest"),
    text("subject_kind"),
    text("subject"),
    text("model"),
    whole("version"),
    text("kind"),
    text("cause"),
    text("status"),
    text("produced_by"),
    text("signed_by"),
    json_text("body"),
    millis("created_at"),
    millis("valid_until", nullable=True),
    Index("evidence_digest", "digest", unique=True),
    Index("evidence_model", "model", "version", "id"),
    Index("evidence_subject", "subject_kind", "subject"),
)
