"""Which ids are units: for ways in where a broker of somebody else has checked the secrets."""

from cloud_bridge.clock import Clock
from cloud_bridge.store.database import Database
from cloud_bridge.store.units import unit_ids

AGAIN_MS = 1000  # an unknown id makes us look into the store at most this often


class UnitRegistry:
    """The ids in the store, read again when one is missing."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ids: frozenset[str] = frozenset()
        self._read_ms = -AGAIN_MS

    def has(self, unit_id: str) -> bool:
        if unit_id in self._ids:
            return True
        now_ms = self._clock.now_ms()
        if now_ms - self._read_ms < AGAIN_MS:
            return False
        self._read_ms = now_ms
        with self._database.reading() as connection:
            self._ids = frozenset(unit_ids(connection))
        return unit_id in self._ids
