"""What chargers make of our settings, and say of their own, on its way into the store. Thread-safe.

It waits in memory until it is written, once a second. What the database did not take waits on, and what is newer wins.
"""

from collections.abc import Sequence
from threading import Lock

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.ocpp_settings import Told, Tried
from cloud_bridge.store.database import Database
from cloud_bridge.store.ocpp_settings import record_settings

WRITTEN_AT_ONCE = 1000  # in one transaction: the recorder waits for it

Key = tuple[str, str, bool]  # the unit, the name of the setting, and whether it is one that we have set


class SettingLog:
    """Of the chargers that are connected here; of each no more than it was asked for."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._waiting: dict[Key, Tried | Told] = {}

    def note(self, unit_id: str, settings: Sequence[Tried | Told]) -> None:
        if not settings:
            return
        with self._lock:
            self._waiting.update({(unit_id, one.name, isinstance(one, Tried)): one for one in settings})

    def write(self) -> None:
        """Store some of what waits. Raises SQLAlchemyError."""
        with self._lock:
            taken = {key: self._waiting.pop(key) for key in list(self._waiting)[:WRITTEN_AT_ONCE]}
        if not taken:
            return
        try:
            with self._database.writing() as connection:
                record_settings(connection, [(unit_id, one) for (unit_id, _, _), one in taken.items()])
        except SQLAlchemyError:
            with self._lock:
                self._waiting = taken | self._waiting
            raise
