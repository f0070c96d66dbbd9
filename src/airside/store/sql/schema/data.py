"""The tables of the room `data`."""

from sqlalchemy import Index, Table, UniqueConstraint

from airside.store.sql.schema.base import METADATA, json_text, millis, text, whole

dataset = Table(
    "dataset",
    METADATA,
    text("name", primary_key=True),
    text("owner"),
    text("description"),
    whole("newest"),
    text("created_by"),
    millis("created_at"),
    millis("updated_at"),
)

dataset_version = Table(
    "dataset_version",
    METADATA,
    text("id", primary_key=True),
    text("dataset"),
    whole("version"),
    text("digest"),
    whole("row_count"),
    whole("size_bytes"),
    json_text("schema_columns"),
    json_text("summaries"),
    json_text("findings"),
    text("note"),
    text("created_by"),
    millis("created_at"),
    UniqueConstraint("dataset", "version"),
    Index("dataset_version_digest", "digest"),
)

dataset_file = Table(
    "dataset_file",
    METADATA,
    text("version_id", primary_key=True),
    text("path", primary_key=True),
    whole("size_bytes"),
    text("digest"),
    Index("dataset_file_digest", "digest"),
)
