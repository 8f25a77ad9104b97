"""Detects and sends alerts repeatedly, on threads beside the event loop. Detection never waits for a receiver."""

import logging
from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from cloud_bridge.alerts import departures
from cloud_bridge.alerts.delivery import Delivery, Means
from cloud_bridge.alerts.detection import (
    Queued,
    charges_done,
    notice,
    notice_weak_signal,
    queue,
    troubled,
    vehicles_lost,
)
from cloud_bridge.alerts.kinds import Happening
from cloud_bridge.alerts.monthly_reports import reports_due
from cloud_bridge.clock import Clock
from cloud_bridge.counters import Counters
from cloud_bridge.store.database import Database
from cloud_bridge.store.usual_alerts import drivers_without_letters, subscribe_to_letters
from cloud_bridge.web.presentation.alert_words import charge_cost, lost_in_words
from cloud_bridge.web.presentation.ready_words import announcement

NOTICE_EVERY_S = 5.0
DELIVER_EVERY_S = 2.0  # a worker that finishes looks for the next alert by itself
WEAK_SIGNAL_EVERY_S = 3600.0
TROUBLE_EVERY_S = 600.0
DONE_EVERY_S = 60.0
LOST_VEHICLES_EVERY_S = 60.0
DEPARTURES_EVERY_S = 60.0
REPORTS_EVERY_S = 300.0

_log = logging.getLogger(__name__)


class Alarm:
    """The duties of detection and delivery, which upkeep.py calls repeatedly. All raise SQLAlchemyError.

    `makers` are the titles of the car makers by provider.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        means: Means | None,
        counters: Counters | None = None,
        makers: Mapping[str, str] | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sends_mail = means is not None and means.mail is not None
        self._counters = counters or Counters()
        self._delivery = Delivery(database, clock, self._counters, means or Means())
        self._lost_in_words = lost_in_words(makers or {})

    def notice(self) -> None:
        """Queue the alerts for what happened since the last call."""
        now_ms = self._clock.now_ms()
        self._subscribe_drivers()
        with self._database.writing() as connection:
            queued = notice(connection, now_ms, self._skip)
        self._count(queued)

    def deliver(self) -> None:
        """Start to send the alerts that are due. Returns at once."""
        self._delivery.begin()

    def deliver_all(self) -> int:
        """Send the alerts that are due, and wait for the end. Return how many were delivered."""
        return self._delivery.send_due()

    def close(self) -> None:
        """Start nothing more, and wait briefly for the deliveries in progress. The next process repeats those that were not
        finished."""
        self._delivery.close()

    def notice_weak_signal(self) -> None:
        with self._database.writing() as connection:
            queued = notice_weak_signal(connection, self._clock.now_ms(), self._skip)
        self._count(queued)

    def notice_trouble(self) -> None:
        self._look(lambda connection, now_ms: troubled(connection, now_ms))

    def notice_done(self) -> None:
        self._look(lambda connection, now_ms: charges_done(connection, now_ms, charge_cost))

    def notice_lost_vehicles(self) -> None:
        self._look(lambda connection, now_ms: vehicles_lost(connection, now_ms, self._lost_in_words))

    def notice_reports(self) -> None:
        """Queue the reports of the previous month, in the first days of a month."""
        self._look(reports_due)

    def notice_departures(self) -> None:
        """Check whether vehicles will be ready by the times that were set."""
        now_ms = self._clock.now_ms()
        with self._database.reading() as connection:
            looks = departures.look(connection, now_ms, self._skip)
        for some in departures.some_at_once(looks):
            with self._database.writing() as connection:
                queued = departures.store_looks(connection, some, now_ms, announcement, self._skip)
            self._count(queued)

    def _look(self, find: Callable[[Connection, int], list[Happening]]) -> None:
        """Detect in a read transaction, because it reads every heartbeat or every vehicle and must not block others; then
        queue."""
        with self._database.reading() as connection:
            happenings = find(connection, self._clock.now_ms())
        if happenings:
            with self._database.writing() as connection:
                queued = queue(connection, happenings, self._skip)
            self._count(queued)

    def _subscribe_drivers(self) -> None:
        """Subscribe drivers to the usual letters as soon as they have an address. Without a mail server, the letters would
        only fail."""
        if not self._sends_mail:
            return
        with self._database.reading() as connection:
            new = drivers_without_letters(connection)
        if new:
            with self._database.writing() as connection:
                subscribe_to_letters(connection, new)

    def _count(self, queued: Queued) -> None:
        self._counters.alerts_not_queued += queued.refused

    def _skip(self, error: Exception) -> None:
        self._counters.alert_rows_skipped += 1
        _log.warning("a row was skipped while detecting alerts: %s", type(error).__name__)
