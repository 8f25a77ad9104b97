"""Look up which ids of a batch are active units, with a cache of a few seconds.

The cache is bounded, since there may be a million units. It holds active units only: an unknown or revoked id may be
added or get a secret at any moment, and its message, which already has a PUBACK, must not be dropped then.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor

from cloud_bridge.ingest.unit_registry import UnitStatus
from cloud_bridge.store.database import Database
from cloud_bridge.store.units import states_of
from cloud_bridge.wire import UNIT_ID

REMEMBERED_S = 5.0  # messages of a revoked unit count for at most this time
REMEMBERED = 50_000  # units


class Membership:
    """The status of units. Used on one event loop; the store is read on a thread of its own."""

    def __init__(self, database: Database, now_s: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._now_s = now_s
        self._active: OrderedDict[str, float] = OrderedDict()  # expiry of the entry, earliest first
        self._reader = ThreadPoolExecutor(1, "membership")  # of its own, so that pages cannot delay a read

    async def statuses(self, ids: Collection[str]) -> dict[str, UnitStatus]:
        """Return the status of each id. Raises SQLAlchemyError."""
        now_s = self._now_s()
        while self._active and next(iter(self._active.values())) <= now_s:
            self._active.popitem(last=False)
        found = {unit_id: UnitStatus.ACTIVE for unit_id in ids if unit_id in self._active}
        asked = sorted(unit_id for unit_id in ids if unit_id not in found and UNIT_ID.match(unit_id))
        if asked:
            loop = asyncio.get_running_loop()
            states = await loop.run_in_executor(self._reader, self._read, asked)
            for unit_id, may_log_in in states.items():
                found[unit_id] = UnitStatus.ACTIVE if may_log_in else UnitStatus.REVOKED
                if may_log_in and len(self._active) < REMEMBERED:
                    self._active[unit_id] = now_s + REMEMBERED_S
        return {unit_id: found.get(unit_id, UnitStatus.UNKNOWN) for unit_id in ids}

    def close(self) -> None:
        self._reader.shutdown()

    def _read(self, ids: list[str]) -> dict[str, bool]:
        with self._database.reading() as connection:
            return states_of(connection, ids)
