"""The tables, room by room, as SQLAlchemy describes them. Their DDL is generated: `python -m airside.store.sql.ddl`.

Imported by Alembic, by searches that are composed, and by the generator; never on the way to the server's first
answer.
"""

from airside.store.sql.schema import (
    captures,
    data,
    evaluation,
    governance,
    house,
    imports,
    lineage,
    logged_models,
    monitoring,
    notify,
    nouns,
    pipelines,
    quality,
    registry,
    serving,
    tower,
    traces,
    tracking,
    trash,
)
from airside.store.sql.schema.base import METADATA

__all__ = [
    "METADATA",
    "captures",
    "data",
    "evaluation",
    "governance",
    "house",
    "imports",
    "lineage",
    "logged_models",
    "monitoring",
    "notify",
    "nouns",
    "pipelines",
    "quality",
    "registry",
    "serving",
    "tower",
    "traces",
    "tracking",
    "trash",
]
