"""What a door of a cluster and the others know of each other by the store: who lives, and who has a connection that is older.

Orders and take-overs go by the cluster's own messages, at once (ingest/cluster/ocpp_link.py). What is told here holds without
them: a door that was killed leaves nobody shown as connected, and of two doors with one charger the older connection ends.
"""

import asyncio
import time

from cloud_bridge.clock import Clock
from cloud_bridge.duties import Duties
from cloud_bridge.ingest.ocpp.beats import LOOK_EVERY_S, Beats
from cloud_bridge.ingest.ocpp.door import OcppDoor
from cloud_bridge.store.database import Database
from cloud_bridge.store.ocpp_doors import beat, leave, read_beats, take_out
from cloud_bridge.store.presence import Presence, presence_of

COMPARE_EVERY_S = 15.0


class OtherDoors:
    """As one door knows them. Used on one event loop."""

    def __init__(self, database: Database, clock: Clock, door: OcppDoor, name: str) -> None:
        self._database = database
        self._clock = clock
        self._door = door
        self._name = name
        self._beats = Beats()

    async def run(self, duties: Duties) -> None:
        """For ever."""
        await asyncio.gather(
            duties.every(LOOK_EVERY_S, "ocpp_doors", self.look),
            duties.every(COMPARE_EVERY_S, "ocpp_connections_elsewhere", self.compare),
        )

    async def look(self) -> None:
        """Show that we live, and take out who does not. Raises SQLAlchemyError."""
        if not await asyncio.to_thread(self._beat):
            await self.compare()  # first: who has come to another door meanwhile is there
            self._door.tell_again()
        beats = await asyncio.to_thread(self._read_beats)
        beats.pop(self._name, None)
        for name, last in self._beats.gone(beats, time.monotonic()).items():
            await asyncio.to_thread(self._take_out, name, last)

    async def compare(self) -> None:
        """End our connections to chargers that have come to another door since. Raises SQLAlchemyError."""
        told = await asyncio.to_thread(self._read_presence, list(self._door.connected()))
        for unit_id, one in told.items():
            if one.connected and one.door != self._name:
                self._door.leave(unit_id, one.changed_ms)

    def end(self) -> None:
        """We stop in order. Raises SQLAlchemyError."""
        with self._database.writing() as connection:
            leave(connection, self._name)

    def _beat(self) -> bool:
        with self._database.writing() as connection:
            return beat(connection, self._name, self._clock.now_ms())

    def _read_beats(self) -> dict[str, int]:
        with self._database.reading() as connection:
            return read_beats(connection)

    def _take_out(self, name: str, last_beat: int) -> None:
        with self._database.writing() as connection:
            take_out(connection, name, last_beat, self._clock.now_ms())

    def _read_presence(self, unit_ids: list[str]) -> dict[str, Presence]:
        with self._database.reading() as connection:
            return presence_of(connection, unit_ids)
