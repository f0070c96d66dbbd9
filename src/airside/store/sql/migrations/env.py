"""Alembic's entry: run by `airside.store.sql.upgrade`, on a connection that it passes in."""

from alembic import context

from airside.store.sql.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, version_table="alembic_version"
)
with context.begin_transaction():
    context.run_migrations()
