"""The first schema. A fresh store is made from the generated DDL, which equals this revision."""

from alembic import op

from airside.store.sql.schema import METADATA

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table and every view."""
    METADATA.create_all(op.get_bind())
    for view in METADATA.info.get("views", ()):
        op.get_bind().exec_driver_sql(view)


def downgrade() -> None:
    """There is nothing before it."""
    for view in reversed(METADATA.info.get("views", ())):
        op.get_bind().exec_driver_sql(f"DROP VIEW {view.split()[2]}")
    METADATA.drop_all(op.get_bind())
