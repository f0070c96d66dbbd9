"""The tables of webhooks and of what is delivered to them."""

from sqlalchemy import Index, Table

from airside.store.sql.schema.base import METADATA, json_text, millis, ordered, text, whole

WEBHOOK = Table(
    "webhook",
    METADATA,
    ordered("id", primary_key=True),
    text("name"),
    text("description", nullable=True),
    text("url"),
    json_text("events"),
    text("status"),
    text("secret"),  # read by who signs, by nobody else
    whole("since_seq"),  # the newest event when it was made: what was before is not told
    text("created_by"),
    millis("created_ms"),
    millis("updated_ms"),
    millis("deleted_ms", nullable=True),
    Index("webhook_by_age", "created_ms"),
)

WEBHOOK_DELIVERY = Table(
    "webhook_delivery",
    METADATA,
    ordered("id", primary_key=True),
    ordered("webhook_id"),
    whole("seq", nullable=True),  # of the event; none for a trial
    text("event"),
    text("body"),
    ordered("state"),
    whole("attempts"),
    millis("due_ms"),
    text("leased_by"),
    millis("leased_until_ms"),
    whole("status"),
    text("error"),
    text("answer"),
    millis("created_ms"),
    millis("finished_ms", nullable=True),
    Index("webhook_delivery_once", "webhook_id", "seq", unique=True),
    Index("webhook_delivery_by_due", "state", "due_ms"),
    Index("webhook_delivery_by_webhook", "webhook_id", "id"),
)
