"""A store as an older version of the bridge left it, for tests of migrations."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from cloud_bridge.store import database as store
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.revisions import upgrade


def open_at(where: Path | str, revision: str) -> Database:
    """Open an empty store with the tables of this revision. After closing it, `open_database` migrates it to the newest."""

    def migrate(connection: Connection) -> bool:
        upgrade(connection, revision)
        return False

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(store, "migrate", migrate)
        return open_database(where)


def add_old_unit(connection: Connection, unit_id: str) -> None:
    """Add a unit with the columns that the oldest versions had."""
    added = "INSERT INTO units (id, secret_hash, claim_hash, created_ms) VALUES (:unit, 'x', :unit, 0)"
    connection.execute(text(added), {"unit": unit_id})
