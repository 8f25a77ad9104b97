"""The unit registry: which ids are units and which of them are revoked, for use with an outside broker that checks
secrets.

The most recently heard units are cached, so that their messages do not wait for the database. The database is read on a
thread of its own, not on the receiving thread: once a second the changes and the ids that are not in the cache, and
once a minute all cached ids. While the database cannot be read, the cache stays in use.
"""

from collections import OrderedDict
from collections.abc import Collection
from enum import Enum, auto
from typing import NamedTuple

from cloud_bridge.clock import Clock
from cloud_bridge.store.database import Database
from cloud_bridge.store.units import login_states, newest_credentials, states_of
from cloud_bridge.wire import UNIT_ID

LOOK_BACK_MS = 600_000  # before the newest known change; longer than any transaction takes
READ_ALL_EVERY_MS = 60_000
KEPT = 100_000  # units, 15 MB; if more are heard in a minute, some messages wait for a read each time
READ_AT_ONCE = 1000  # units in one query


class UnitStatus(Enum):
    """The status of an id."""

    ACTIVE = auto()
    REVOKED = auto()  # a unit without a secret, until it gets a new one
    UNKNOWN = auto()  # not a unit


class RegistryUpdate(NamedTuple):
    """The result of one read of the database."""

    read_ms: int
    changed_ms: int  # the newest change of a secret, by whatever machine's clock
    is_complete: bool  # it has all cached ids, not only changed and requested ones
    statuses: dict[str, UnitStatus]


class UnitRegistry:
    """The registry as of the last successful read. `read` may run on another thread than `status` and `apply`. Those
    two must not run concurrently."""

    def __init__(self, database: Database, clock: Clock, kept: int = KEPT) -> None:
        self._database = database
        self._clock = clock
        self._kept = kept
        self._statuses: OrderedDict[str, UnitStatus] = OrderedDict()  # least recently heard first
        self._changed_ms = 0
        self._read_all_ms: int | None = None

    def status(self, unit_id: str) -> UnitStatus | None:
        """Return the status of an id, or None if it is not cached: the unit may be newer than the last read. An id that
        no unit can have is UNKNOWN at once."""
        status = self._statuses.get(unit_id)
        if status is not None:
            self._statuses.move_to_end(unit_id)
        elif not UNIT_ID.match(unit_id):
            return UnitStatus.UNKNOWN
        return status

    def read(self, ids: Collection[str]) -> RegistryUpdate:
        """Read the changes since the last update, and the status of `ids`. Blocks. Raises SQLAlchemyError."""
        now_ms = self._clock.now_ms()
        is_complete = self._read_all_ms is None or not 0 <= now_ms - self._read_all_ms < READ_ALL_EVERY_MS
        with self._database.reading() as connection:
            changed_ms = newest_credentials(connection)
            if is_complete:
                states: dict[str, bool] = {}
                asked = [*self._statuses, *ids]
                for at in range(0, len(asked), READ_AT_ONCE):
                    states |= states_of(connection, asked[at : at + READ_AT_ONCE])
            else:
                states = login_states(connection, max(1, self._changed_ms - LOOK_BACK_MS), ids)
                states = {unit_id: states[unit_id] for unit_id in states if unit_id in self._statuses or unit_id in ids}
        statuses = {
            unit_id: UnitStatus.ACTIVE if may_log_in else UnitStatus.REVOKED for unit_id, may_log_in in states.items()
        }
        return RegistryUpdate(now_ms, changed_ms, is_complete, statuses)

    def apply(self, update: RegistryUpdate) -> None:
        """Put the result of a read into the cache, and evict the least recently heard ids if it is full."""
        self._changed_ms = update.changed_ms
        if update.is_complete:
            self._read_all_ms = update.read_ms
            for unit_id in self._statuses.keys() - update.statuses.keys():
                del self._statuses[unit_id]
        self._statuses.update(update.statuses)
        while len(self._statuses) > self._kept:
            self._statuses.popitem(last=False)
