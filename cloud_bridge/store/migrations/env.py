"""Runs the migrations on the connection that store/revisions.py hands in, inside its transaction."""

from alembic import context

from cloud_bridge.store import release_tables, vehicle_tables  # noqa: F401  they add their tables to the metadata
from cloud_bridge.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
