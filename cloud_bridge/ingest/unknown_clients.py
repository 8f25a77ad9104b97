"""Ids that are no units of ours but said something: into the store, where every process shows them to the operator.

A stranger must not cost the store a transaction of its own, nor a flood of them its space. So they wait in memory until
`write`, the newest WRITTEN_AT_ONCE of them, and the store keeps the newest of all (store/unknown_clients.py).
"""

import asyncio
from collections import OrderedDict
from functools import partial
from threading import Lock

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.duties import Duties
from cloud_bridge.store.database import Database
from cloud_bridge.store.unknown_clients import ID_MAX, UnknownClient, record_unknown_clients
from cloud_bridge.text import is_storable

WRITE_EVERY_S = 2.0
WRITTEN_AT_ONCE = 100  # ids in a turn; of more the newest


class UnknownClients:
    """Those that this process has heard of and not stored yet. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._waiting: OrderedDict[str, UnknownClient] = OrderedDict()

    def saw(self, client_id: str, at_ms: int) -> None:
        """Any text; what cannot be stored or is too long is cut."""
        name = (client_id if is_storable(client_id) else ascii(client_id))[:ID_MAX]
        with self._lock:
            self._keep(UnknownClient(name, at_ms, at_ms, 1))

    def write(self) -> None:
        """Store what waits. Raises SQLAlchemyError; then it waits on."""
        with self._lock:
            taken, self._waiting = self._waiting, OrderedDict()
        if not taken:
            return
        try:
            with self._database.writing() as connection:
                record_unknown_clients(connection, list(taken.values()))
        except SQLAlchemyError:
            with self._lock:
                newer, self._waiting = self._waiting, taken
                for one in newer.values():
                    self._keep(one)
            raise

    async def run(self, duties: Duties) -> None:
        """Write, for ever."""
        await duties.every(WRITE_EVERY_S, "unknown_clients", partial(asyncio.to_thread, self.write))

    def _keep(self, one: UnknownClient) -> None:
        known = self._waiting.pop(one.id, None)
        self._waiting[one.id] = one if known is None else known.and_then(one)
        if len(self._waiting) > WRITTEN_AT_ONCE:
            self._waiting.popitem(last=False)
