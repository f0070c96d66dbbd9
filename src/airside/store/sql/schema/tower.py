"""The tables of the room `tower`."""

from sqlalchemy import Index, Table

from airside.store.sql.schema.base import METADATA, json_text, millis, text, whole

catalog_row = Table(
    "catalog_row",
    METADATA,
    text("name", primary_key=True),
    text("project"),
    text("owner"),
    text("state"),
    whole("rank"),
    whole("open_alerts"),
    json_text("body"),
    millis("refreshed_at"),
    Index("catalog_row_rank", "rank", "name"),
)
