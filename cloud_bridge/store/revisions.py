"""The revisions of the tables, named like the files of the migrations, and the upgrade to the newest.

Alembic is imported only if tables are old: importing it takes a sixth of the start time of a command, and usually there
is nothing to do.
"""

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from cloud_bridge.errors import StoreUnusable

MIGRATIONS = Path(__file__).with_name("migrations")


@cache
def known_revisions() -> frozenset[str]:
    """All revisions that the migrations of this version lead to."""
    return frozenset(file.name.split("_", 1)[0] for file in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def newest_revision() -> str:
    """The newest revision: the highest, since the migrations form one chain in the order of their names."""
    return max(known_revisions())


def revision_of(connection: Connection) -> str | None:
    """The revision of the tables; None if there are no tables yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def migrate(connection: Connection) -> bool:
    """Upgrade older tables to the newest revision, and return whether that was necessary. Raises StoreUnusable for
    tables that this version does not know."""
    current = revision_of(connection)
    if current is not None and current not in known_revisions():
        raise StoreUnusable(
            f"the database was written by a newer version of Chargekeeper (tables {current}): run that version, "
            "or restore a backup that this one has made"
        )
    if current != newest_revision():
        upgrade(connection, "head")
    return current not in (None, newest_revision())


def upgrade(connection: Connection, revision: str) -> None:
    """Run the migrations up to this revision, in the connection's transaction. Raises SQLAlchemyError."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
