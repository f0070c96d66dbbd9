"""The tables of the room `monitoring`."""

from sqlalchemy import Index, Table

from airside.store.sql.schema.base import METADATA, flag, json_text, millis, number, serial, text, whole

monitor = Table(
    "monitor",
    METADATA,
    text("name", primary_key=True),
    text("endpoint"),
    text("model"),
    json_text("plan"),
    json_text("rule"),
    text("reference"),
    whole("reference_version"),
    json_text("segments"),
    text("policy"),
    flag("is_enabled"),
    millis("created_at"),
    millis("updated_at"),
    Index("monitor_endpoint", "endpoint"),
    Index("monitor_model", "model"),
)

monitor_window = Table(
    "monitor_window",
    METADATA,
    text("id", primary_key=True),
    text("monitor"),
    whole("sequence"),
    text("key"),
    text("endpoint"),
    text("model"),
    text("delivery"),
    millis("from_at"),
    millis("to_at"),
    whole("version"),
    whole("reference_version"),
    whole("rows"),
    whole("labelled"),
    json_text("flagged"),
    number("worst"),
    json_text("found"),
    json_text("measured"),
    millis("analysed_at"),
    Index("monitor_window_sequence", "monitor", "sequence", unique=True),
    Index("monitor_window_key", "monitor", "key", unique=True),
    Index("monitor_window_model", "model", "version"),
)

alert = Table(
    "alert",
    METADATA,
    text("id", primary_key=True),
    text("monitor"),
    text("endpoint"),
    text("model"),
    text("kind"),
    text("severity"),
    text("state"),
    text("title"),
    text("body"),
    json_text("columns"),
    number("weight", nullable=True),
    whole("version"),
    millis("opened_at"),
    millis("seen_at"),
    text("acknowledged_by"),
    millis("closed_at", nullable=True),
    text("closed_by"),
    text("note"),
    Index("alert_monitor", "monitor", "state"),
    Index("alert_model", "model", "state"),
)

alert_window = Table(
    "alert_window",
    METADATA,
    text("alert", primary_key=True),
    text("window_id", primary_key=True),
    Index("alert_window_window", "window_id"),
)

series = Table(
    "series",
    METADATA,
    text("name", primary_key=True),
    text("unit"),
)

series_point = Table(
    "series_point",
    METADATA,
    serial(),
    text("series"),
    millis("at"),
    number("value"),
    json_text("dimensions"),
    Index("series_point_at", "series", "at"),
)
