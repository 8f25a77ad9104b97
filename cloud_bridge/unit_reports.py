"""Store what only this process knows about its units, so that the pages of every process can show it: which units are
connected here, and which exceed their quota. It is written once a second, never while a message is processed.

None of this is contact. After a kill -9 the rows of a door keep their last state until the next process with this door
starts and clears them.
"""

import asyncio
from collections import OrderedDict
from functools import partial
from threading import Lock

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.clock import Clock
from cloud_bridge.contact import is_believable
from cloud_bridge.duties import Duties
from cloud_bridge.ingest.ocpp.frame_log import FrameLog
from cloud_bridge.ingest.ocpp.setting_log import SettingLog
from cloud_bridge.store.database import Database
from cloud_bridge.store.ocpp_lines import Refusal, record_lines, record_own_intervals
from cloud_bridge.store.presence import Presence, lost_door, record_over_quota, record_presence

WRITE_EVERY_S = 1.0
WRITTEN_AT_ONCE = 500  # rows in one transaction, during which the recorder waits
REFUSED_WAITING = 500  # refused ids, which are not authenticated; with more, the newest are kept


class UnitReports:
    """Collects reports until they are written. Thread-safe. At most one entry of a kind waits for each unit. Except for
    refusals, there are entries for authenticated units only."""

    def __init__(self, database: Database, clock: Clock, door: str) -> None:
        self.door = door
        self.frames = FrameLog(database)
        self.settings = SettingLog(database)
        self._database = database
        self._clock = clock
        self._lock = Lock()
        self._presence: dict[str, Presence] = {}
        self._over_quota_ms: dict[str, int] = {}
        self._alive_ms: dict[str, int] = {}
        self._refused: OrderedDict[str, Refusal] = OrderedDict()
        self._contested_ms: dict[str, int] = {}
        self._versions: dict[str, str] = {}
        self._own_s: dict[str, int | None] = {}
        self._newest_ms = 0  # stamps of one door grow, whatever its clock does

    def connected(self, unit_id: str, connected: bool, told_ms: int = 0) -> int:
        """Report that the unit has connected, or has disconnected. Return the timestamp of the report. It is later than
        `told_ms`, the unit's previous report, which may come from a door with another clock, unless that clock was
        wrong."""
        with self._lock:
            now_ms = self._clock.now_ms()
            after_ms = told_ms + 1 if is_believable(told_ms, now_ms) else 0
            self._newest_ms = max(self._newest_ms, now_ms, after_ms)
            self._presence[unit_id] = Presence(unit_id, connected, self.door, self._newest_ms)
            return self._newest_ms

    def over_quota(self, unit_id: str, at_ms: int) -> None:
        """Report that the unit was disconnected at `at_ms` because it exceeded its quota."""
        with self._lock:
            self._over_quota_ms[unit_id] = at_ms

    def went_over_quota(self, unit_id: str) -> None:
        """Report that the unit was disconnected now because it exceeded its quota."""
        self.over_quota(unit_id, self._clock.now_ms())

    def line_alive(self, unit_id: str) -> None:
        """Report a WebSocket ping or pong: the connection is alive, which proves nothing about the unit itself."""
        with self._lock:
            self._alive_ms[unit_id] = self._clock.now_ms()

    def refused(self, unit_id: str, reason: str) -> None:
        """Report that a login with this id was refused. It is stored if there is such a unit."""
        with self._lock:
            self._refused[unit_id] = Refusal(self._clock.now_ms(), reason)
            self._refused.move_to_end(unit_id)
            if len(self._refused) > REFUSED_WAITING:
                self._refused.popitem(last=False)

    def contested(self, unit_id: str) -> None:
        """Report that two connections take over each other with this identity."""
        with self._lock:
            self._contested_ms[unit_id] = self._clock.now_ms()

    def speaks(self, unit_id: str, version: str) -> None:
        """Report the OCPP version that was negotiated with the charger."""
        with self._lock:
            self._versions[unit_id] = version

    def own_interval(self, unit_id: str, seconds: int | None) -> None:
        """Report the interval at which a charger sends messages by itself while it does not answer calls; None if it
        answers them."""
        with self._lock:
            self._own_s[unit_id] = seconds

    def all_away(self) -> None:
        """Store that no unit is connected to this door. Call this at start and stop of the process. Raises
        SQLAlchemyError."""
        with self._lock:
            self._presence.clear()
            self._newest_ms = at_ms = max(self._newest_ms, self._clock.now_ms())
        with self._database.writing() as connection:
            lost_door(connection, self.door, at_ms)

    def write(self) -> None:
        """Store all waiting reports. Raises SQLAlchemyError; the rest then waits for the next call."""
        while self._write_some():
            pass
        self.settings.write()
        self.frames.write()

    async def run(self, duties: Duties) -> None:
        """Write once a second until cancelled."""
        await duties.every(WRITE_EVERY_S, "unit_reports", partial(asyncio.to_thread, self.write))

    def _write_some(self) -> bool:
        """Store up to WRITTEN_AT_ONCE reports of each kind in one transaction. Return whether more are waiting."""
        with self._lock:
            taken, self._presence = self._presence, {}
            over_quota_ms, self._over_quota_ms = self._over_quota_ms, {}
            for unit_id in list(taken)[WRITTEN_AT_ONCE:]:
                self._presence[unit_id] = taken.pop(unit_id)
            for unit_id in list(over_quota_ms)[WRITTEN_AT_ONCE:]:
                self._over_quota_ms[unit_id] = over_quota_ms.pop(unit_id)
            alive_ms, self._alive_ms = self._alive_ms, {}
            refused, self._refused = self._refused, OrderedDict()
            contested_ms, self._contested_ms = self._contested_ms, {}
            versions, self._versions = self._versions, {}
            own_s, self._own_s = self._own_s, {}
            for unit_id in list(alive_ms)[WRITTEN_AT_ONCE:]:
                self._alive_ms[unit_id] = alive_ms.pop(unit_id)
            is_more = bool(self._presence or self._over_quota_ms or self._alive_ms)
        of_lines = (alive_ms, refused, contested_ms, versions)
        if not (taken or over_quota_ms or any(of_lines) or own_s):
            return False
        try:
            with self._database.writing() as connection:
                record_presence(connection, list(taken.values()), is_by_door=True)
                record_over_quota(connection, over_quota_ms)
                if any(of_lines):
                    record_lines(connection, *of_lines)
                if own_s:
                    record_own_intervals(connection, own_s)
        except SQLAlchemyError:
            with self._lock:  # reports that came in the meantime are newer and take precedence
                self._presence = taken | self._presence
                self._over_quota_ms = over_quota_ms | self._over_quota_ms
                self._alive_ms = alive_ms | self._alive_ms
                self._refused = OrderedDict(refused | self._refused)
                self._contested_ms = contested_ms | self._contested_ms
                self._versions = versions | self._versions
                self._own_s = own_s | self._own_s
            raise
        return is_more
