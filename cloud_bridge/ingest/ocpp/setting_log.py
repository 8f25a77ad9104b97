"""A buffer for chargers' answers about settings, on their way to the store. Thread-safe.

Answers wait in memory and are written once a second. After a database error they wait for the next write, unless a
newer answer replaces them.
"""

from collections.abc import Sequence
from threading import Lock

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.ocpp_settings import Told, Tried
from cloud_bridge.store.database import Database
from cloud_bridge.store.ocpp_settings import record_settings

WRITTEN_AT_ONCE = 1000  # in one transaction, during which the recorder waits

Key = tuple[str, str, bool]  # unit id, name of the setting, whether we have set it


class SettingLog:
    """The answers of the chargers that are connected here. Bounded, since only settings that we asked for are kept."""

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
        """Store up to WRITTEN_AT_ONCE answers. Raises SQLAlchemyError; they then wait for the next call."""
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
