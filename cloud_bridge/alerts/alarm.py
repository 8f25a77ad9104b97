"""Notices and sends, again and again, on threads beside the event loop."""

from cloud_bridge.alerts.delivery import Delivery
from cloud_bridge.alerts.detection import Settled, notice, notice_trouble, notice_weak_signal, troubled
from cloud_bridge.clock import Clock
from cloud_bridge.store.database import Database
from cloud_bridge.store.settled import settled_id
from cloud_bridge.store.tables import duplicate_identities, events, transitions

NOTICE_EVERY_S = 5.0
WEAK_SIGNAL_EVERY_S = 3600.0
TROUBLE_EVERY_S = 600.0


class Alarm:
    """Its duties, each to be called again and again (upkeep.py does). All raise SQLAlchemyError."""

    def __init__(self, database: Database, clock: Clock, mail: str | None, public_url: str | None = None) -> None:
        self._database = database
        self._clock = clock
        self._delivery = Delivery(database, mail, public_url)

    def notice(self) -> int:
        """Queue what happened, and send what is due. Returns how many were delivered."""
        now_ms = self._clock.now_ms()
        settled = Settled(*(settled_id(self._database, table) for table in (transitions, events, duplicate_identities)))
        with self._database.writing() as connection:
            notice(connection, now_ms, settled)
        return self._delivery.send_due(now_ms)

    def notice_weak_signal(self) -> None:
        with self._database.writing() as connection:
            notice_weak_signal(connection, self._clock.now_ms())

    def notice_trouble(self) -> None:
        with self._database.reading() as connection:
            happenings = troubled(connection, self._clock.now_ms())  # every heartbeat: not while it holds up others
        if happenings:
            with self._database.writing() as connection:
                notice_trouble(connection, happenings)
