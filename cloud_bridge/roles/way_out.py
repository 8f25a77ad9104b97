"""The way to the units from a process that has no way in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cloud_bridge.app_state import AppState
from cloud_bridge.ingest.cluster.command_sender import CommandSender


@asynccontextmanager
async def way_out(app_state: AppState) -> AsyncIterator[None]:
    """Open the way out in the background: while the cluster cannot be reached, pages are answered but commands are not
    sent."""
    if isinstance(app_state.broker, CommandSender):
        app_state.broker.start()
    try:
        yield
    finally:
        await app_state.broker.stop()
