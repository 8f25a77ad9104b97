"""Notices and sends, again and again, on threads beside the event loop. Noticing never waits for a receiver."""

import logging

from cloud_bridge.alerts.delivery import Delivery
from cloud_bridge.alerts.detection import Queued, Settled, notice, notice_trouble, notice_weak_signal, troubled
from cloud_bridge.clock import Clock
from cloud_bridge.counters import Counters
from cloud_bridge.store.database import Database
from cloud_bridge.store.settled import settled_id
from cloud_bridge.store.tables import duplicate_identities, events, messages, transitions

NOTICE_EVERY_S = 5.0
DELIVER_EVERY_S = 2.0  # a worker that is done looks for the next one by itself
WEAK_SIGNAL_EVERY_S = 3600.0
TROUBLE_EVERY_S = 600.0

_log = logging.getLogger(__name__)


class Alarm:
    """Its duties, each to be called again and again (upkeep.py does). All raise SQLAlchemyError."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        mail: str | None,
        public_url: str | None = None,
        counters: Counters | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._counters = counters or Counters()
        self._delivery = Delivery(database, clock, self._counters, mail, public_url)

    def notice(self) -> None:
        """Queue what happened."""
        now_ms = self._clock.now_ms()
        tables = (transitions, events, duplicate_identities, messages)
        settled = Settled(*(settled_id(self._database, table) for table in tables))
        with self._database.writing() as connection:
            queued = notice(connection, now_ms, settled, self._skip)
        self._count(queued)

    def deliver(self) -> None:
        """Begin to send what is due; returns at once."""
        self._delivery.begin()

    def deliver_all(self) -> int:
        """Send what is due; blocks until it is done. Returns how many were delivered."""
        return self._delivery.send_due()

    def close(self) -> None:
        """Begins nothing more. What is being sent gets a moment; what is not done then is sent again by the next process."""
        self._delivery.close()

    def notice_weak_signal(self) -> None:
        with self._database.writing() as connection:
            queued = notice_weak_signal(connection, self._clock.now_ms(), self._skip)
        self._count(queued)

    def notice_trouble(self) -> None:
        with self._database.reading() as connection:
            happenings = troubled(connection, self._clock.now_ms())  # every heartbeat: not while it holds up others
        if happenings:
            with self._database.writing() as connection:
                queued = notice_trouble(connection, happenings, self._skip)
            self._count(queued)

    def _count(self, queued: Queued) -> None:
        self._counters.alerts_not_queued += queued.refused

    def _skip(self, error: Exception) -> None:
        self._counters.alert_rows_skipped += 1
        _log.warning("a row that cannot be read is no alert: %s", type(error).__name__)
