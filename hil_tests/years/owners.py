"""The successive owners of the charge point, and what the product's queries show them."""

import json
from collections.abc import Callable
from typing import Any

from cloud_bridge.store.access import Person, Role
from cloud_bridge.store.claims import claim, new_code, release
from cloud_bridge.store.database import Database
from cloud_bridge.store.history import unit_events, unit_sessions
from cloud_bridge.store.people import add_person, find_person
from cloud_bridge.store.units import visible_unit

LATEST_MS = 1 << 45  # later than any time in a story


class Owners:
    """There is no owner at first. `since_s` is when the present owner claimed it, in s of the world's clock."""

    def __init__(self, database: Database, unit_id: str, now_s: Callable[[], float]) -> None:
        self._database, self._unit_id, self._now_s = database, unit_id, now_s
        self._count = 0
        self.present: Person | None = None
        self.since_s = 0.0

    def change(self, now_ms: int) -> None:
        """Release the charge point, and let a new person claim it. Raise SQLAlchemyError."""
        self._count += 1
        with self._database.writing() as connection:
            add_person(connection, f"owner {self._count}", "", Role.DRIVER, now_ms)
            somebody = find_person(connection, f"owner {self._count}")
            release(connection, self._unit_id, now_ms=now_ms)
            claim(connection, somebody, new_code(connection, self._unit_id), now_ms)
        self.present, self.since_s = somebody, self._now_s()

    def shown(self) -> list[dict[str, Any]]:
        """Return the journal records that the present owner sees, with the payloads that the unit sent."""
        if self.present is None:
            return []
        with self._database.reading() as connection:
            unit = visible_unit(connection, self.present, self._unit_id)
            if unit is None:
                return []
            period = unit.period
            rows = [*unit_events(connection, period, 0, LATEST_MS), *unit_sessions(connection, period, 0, LATEST_MS)]
        return [json.loads(row["payload"]) for row in rows]
