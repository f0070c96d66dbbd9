"""What is on its way out (room `tracking`): deletions for good."""

from sqlalchemy import Index, Table

from airside.store.sql.schema.base import METADATA, flag, millis, ordered, serial, text, whole

REMOVAL = Table(
    "removal",
    METADATA,
    serial(),
    text("kind"),
    ordered("name"),
    whole("number"),
    text("artifact_uri"),
    flag("is_swept"),
    millis("at_ms"),
    Index("removal_unswept", "is_swept", "id"),
    sqlite_autoincrement=True,
)
