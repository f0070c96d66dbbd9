"""The first schema. A fresh store is made from the generated DDL, which equals this revision."""

from alembic import op

from airside.store.sql.schema import METADATA

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table."""
    METADATA.create_all(op.get_bind())


def downgrade() -> None:
    """There is nothing before it."""
    METADATA.drop_all(op.get_bind())
