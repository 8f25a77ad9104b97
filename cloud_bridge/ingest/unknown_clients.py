"""Record ids that sent a message or tried to log in and are not units, so that the pages of every process can show
them.

An unknown client must not cause a transaction of its own, and a flood of them must not fill the store. So the newest
WRITTEN_AT_ONCE ids wait in memory until `write`, and the store keeps the newest of all processes
(store/unknown_clients.py).
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
WRITTEN_AT_ONCE = 100  # ids in a turn; with more, the newest are kept


class UnknownClients:
    """The unknown ids that this process has not stored yet. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._waiting: OrderedDict[str, UnknownClient] = OrderedDict()

    def saw(self, client_id: str, at_ms: int) -> None:
        """Record an id. Any text is allowed: unstorable characters are escaped, and long ids are cut to ID_MAX."""
        name = (client_id if is_storable(client_id) else ascii(client_id))[:ID_MAX]
        with self._lock:
            self._keep(UnknownClient(name, at_ms, at_ms, 1))

    def write(self) -> None:
        """Store the waiting ids. Raises SQLAlchemyError; they then wait for the next call."""
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
        """Write periodically until cancelled."""
        await duties.every(WRITE_EVERY_S, "unknown_clients", partial(asyncio.to_thread, self.write))

    def _keep(self, one: UnknownClient) -> None:
        known = self._waiting.pop(one.id, None)
        self._waiting[one.id] = one if known is None else known.and_then(one)
        if len(self._waiting) > WRITTEN_AT_ONCE:
            self._waiting.popitem(last=False)
