"""Runs the migrations on the connection that store/database.py hands in, inside its transaction."""

from alembic import context

from cloud_bridge.store import vehicle_tables  # noqa: F401  it adds its tables to the metadata
from cloud_bridge.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
