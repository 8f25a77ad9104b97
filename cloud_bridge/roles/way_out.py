"""The way to the units from a process that has no way in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cloud_bridge.app_state import AppState
from cloud_bridge.ingest.cluster.command_sender import CommandSender


@asynccontextmanager
async def way_out(app_state: AppState) -> AsyncIterator[None]:
    """Opened in the background: pages are answered while the cluster is away, and commands then are not sent."""
    if isinstance(app_state.broker, CommandSender):
        app_state.broker.start()
    try:
        yield
    finally:
        await app_state.broker.stop()
