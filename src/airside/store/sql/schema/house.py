"""The tables of the store itself: events, leases, audit, repeated requests, tokens, the schema's version."""

from sqlalchemy import Index, Table

from airside.store.sql.schema.base import METADATA, json_text, millis, serial, text, whole

schema_version = Table("schema_version", METADATA, text("revision", primary_key=True))

event = Table(
    "event",
    METADATA,
    serial("seq"),
    text("name"),
    json_text("body"),
    text("actor"),
    millis("at_ms"),
    Index("event_by_name", "name", "seq"),
    sqlite_autoincrement=True,
)

reaction_cursor = Table("reaction_cursor", METADATA, text("reaction", primary_key=True), whole("seq"))

reaction_failure = Table(
    "reaction_failure",
    METADATA,
    text("reaction", primary_key=True),
    whole("seq", primary_key=True),
    text("error"),
    millis("at_ms"),
)

lease = Table(
    "lease",
    METADATA,
    text("name", primary_key=True),
    text("owner"),
    millis("expires_at_ms"),
)

idempotency = Table(
    "idempotency",
    METADATA,
    text("actor", primary_key=True),
    text("key", primary_key=True),
    text("digest"),
    json_text("answer"),
    millis("at_ms"),
    Index("idempotency_by_age", "at_ms"),
)

audit = Table(
    "audit",
    METADATA,
    text("chain", primary_key=True),
    whole("seq", primary_key=True),
    millis("at_ms"),
    text("actor"),
    text("token_id"),
    text("operation"),
    text("resource"),
    text("outcome"),
    text("digest"),
    text("previous"),
    text("hash"),
    Index("audit_by_resource", "resource", "at_ms"),
)

wrong_password = Table(
    "wrong_password",
    METADATA,
    text("source", primary_key=True),
    whole("count"),
    millis("until_ms"),
    Index("wrong_password_by_age", "until_ms"),
)

access_token = Table(
    "access_token",
    METADATA,
    text("id", primary_key=True),
    text("name"),
    text("role"),
    text("digest"),
    millis("created_at_ms"),
    millis("expires_at_ms", nullable=True),
)
