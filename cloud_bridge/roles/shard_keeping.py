"""Ends a process when another process has its shard: two that receive the same units would each undo the other's
work."""

import asyncio

from cloud_bridge.app_state import AppState
from cloud_bridge.roles.process import do_beside
from cloud_bridge.store.shard_lock import LOOK_EVERY_S, ShardTaken


async def keep_shard(app_state: AppState) -> None:
    """Run for ever. Raises ShardTaken if another process has taken the shard while the database was not available."""
    lost = asyncio.Event()

    def look() -> None:
        try:
            app_state.shard_lock.look()
        except ShardTaken:
            app_state.loop.call_soon_threadsafe(lost.set)
            raise

    looking = app_state.duties.every(LOOK_EVERY_S, "shard_lock", lambda: asyncio.to_thread(look))
    await do_beside([looking], lost.wait())
    if app_state.shard_lock.lost is not None:
        raise app_state.shard_lock.lost
