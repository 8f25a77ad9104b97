"""Coordination of a cluster's OCPP doors through the store: detect dead doors, and close connections that are out of
date.

Commands and take-overs use the cluster's own messages, without delay (ingest/cluster/ocpp_link.py). The store makes
sure of two things even if these are lost: chargers of a killed door are not shown as connected, and of two connections
of one charger the older one is closed.
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
    """The other doors, as seen by this one. Used on one event loop."""

    def __init__(self, database: Database, clock: Clock, door: OcppDoor, name: str) -> None:
        self._database = database
        self._clock = clock
        self._door = door
        self._name = name
        self._beats = Beats()

    async def run(self, duties: Duties) -> None:
        """Run until cancelled."""
        await asyncio.gather(
            duties.every(LOOK_EVERY_S, "ocpp_doors", self.look),
            duties.every(COMPARE_EVERY_S, "ocpp_connections_elsewhere", self.compare),
        )

    async def look(self) -> None:
        """Write our beat, and remove doors whose beat has stopped. Raises SQLAlchemyError."""
        if not await asyncio.to_thread(self._beat):
            await self.compare()  # first, because chargers may have moved to another door meanwhile
            self._door.tell_again()
        beats = await asyncio.to_thread(self._read_beats)
        beats.pop(self._name, None)
        for name, last in self._beats.gone(beats, time.monotonic()).items():
            await asyncio.to_thread(self._take_out, name, last)

    async def compare(self) -> None:
        """Close our connections to chargers that have since connected to another door. Raises SQLAlchemyError."""
        told = await asyncio.to_thread(self._read_presence, list(self._door.connected()))
        for unit_id, one in told.items():
            if one.connected and one.door != self._name:
                self._door.leave(unit_id, one.changed_ms)

    def end(self) -> None:
        """Remove this door from the store, on a normal stop. Raises SQLAlchemyError."""
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
