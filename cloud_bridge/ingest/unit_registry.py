"""Which ids are units, and which of them are revoked, where an outside broker has checked the secrets.

The list is kept in memory, so that no message waits for the database. It is read on a thread of its own, never on the
one that receives: once a second what has changed, together with the ids that were asked for and are not in the list,
and once a minute all of it. While the database cannot be read, the last list stays in force.
"""

from collections.abc import Collection
from enum import Enum, auto
from typing import NamedTuple

from cloud_bridge.clock import Clock
from cloud_bridge.store.database import Database
from cloud_bridge.store.units import login_states, newest_credentials
from cloud_bridge.wire import UNIT_ID

LOOK_BACK_MS = 600_000  # before the newest change that was seen: longer than any transaction is under way
READ_ALL_EVERY_MS = 60_000


class UnitStatus(Enum):
    """What an id stands for."""

    ACTIVE = auto()
    REVOKED = auto()  # it has no secret until it gets a new one
    UNKNOWN = auto()  # no unit


class RegistryUpdate(NamedTuple):
    """What one read of the database has found."""

    read_ms: int
    changed_ms: int  # the newest change of a secret, by whatever machine's clock
    is_complete: bool  # all units, and not only those that changed or were asked for
    statuses: dict[str, UnitStatus]


class UnitRegistry:
    """The units of the last successful read. `read` may run on another thread than `status` and `apply`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._statuses: dict[str, UnitStatus] = {}
        self._changed_ms = 0
        self._read_all_ms: int | None = None

    def status(self, unit_id: str) -> UnitStatus | None:
        """None: not in the list, which may be older than the unit. An id that no unit can have is UNKNOWN at once."""
        status = self._statuses.get(unit_id)
        if status is None and not UNIT_ID.match(unit_id):
            return UnitStatus.UNKNOWN
        return status

    def read(self, ids: Collection[str]) -> RegistryUpdate:
        """What has changed since the last update, and the status of `ids`. Blocks; raises what the database raises."""
        now_ms = self._clock.now_ms()
        is_complete = self._read_all_ms is None or not 0 <= now_ms - self._read_all_ms < READ_ALL_EVERY_MS
        with self._database.reading() as connection:
            changed_ms = newest_credentials(connection)
            if is_complete:
                states = login_states(connection)
            else:
                states = login_states(connection, max(1, self._changed_ms - LOOK_BACK_MS), ids)
        statuses = {
            unit_id: UnitStatus.ACTIVE if may_log_in else UnitStatus.REVOKED for unit_id, may_log_in in states.items()
        }
        return RegistryUpdate(now_ms, changed_ms, is_complete, statuses)

    def apply(self, update: RegistryUpdate) -> None:
        self._changed_ms = update.changed_ms
        if update.is_complete:
            self._read_all_ms = update.read_ms
            self._statuses = update.statuses
        else:
            self._statuses.update(update.statuses)
