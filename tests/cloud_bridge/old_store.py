"""A store as an older version of the bridge left it, for the tests of migrations."""

from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from cloud_bridge.store import database as store
from cloud_bridge.store.database import Database, open_database


def open_at(where: Path | str, revision: str) -> Database:
    """An empty store with the tables of this revision. Close it, and `open_database` migrates it to those of today."""

    def migrate(connection: Connection, *_: Any) -> bool:
        config = Config()
        config.set_main_option("script_location", str(store.MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        return False

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(store, "_migrate", migrate)
        return open_database(where)
