"""Whether the store can be read, in a process that has no recorder at work: it would not notice before somebody asks."""

import asyncio

from cloud_bridge.app_state import AppState
from cloud_bridge.duties import STORE_DUTY
from cloud_bridge.store.database import Database

LOOK_EVERY_S = 5.0


async def watch_store(app_state: AppState) -> None:
    """For ever. `/healthz` is 503 after a look that failed."""
    await app_state.duties.every(LOOK_EVERY_S, STORE_DUTY, lambda: asyncio.to_thread(_look, app_state.database))


def _look(database: Database) -> None:
    """Raises SQLAlchemyError."""
    with database.reading() as connection:
        connection.exec_driver_sql("SELECT 1")
