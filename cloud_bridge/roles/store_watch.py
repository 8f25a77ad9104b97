"""Checks whether the store can be read, in a process without a busy recorder, which would otherwise notice only when
somebody asks."""

import asyncio

from cloud_bridge.app_state import AppState
from cloud_bridge.duties import STORE_DUTY
from cloud_bridge.store.database import Database

LOOK_EVERY_S = 5.0


async def watch_store(app_state: AppState) -> None:
    """Run for ever. `/healthz` answers 503 after a check that failed."""
    await app_state.duties.every(LOOK_EVERY_S, STORE_DUTY, lambda: asyncio.to_thread(_look, app_state.database))


def _look(database: Database) -> None:
    """Read from the database. Raises SQLAlchemyError."""
    with database.reading() as connection:
        connection.exec_driver_sql("SELECT 1")
