"""Sends the alerts that are due: letters, push messages and signed webhooks, on a few separate threads.

The queue is in the store. An alert is claimed there for CLAIMED_MS before it is sent, so only one of several processes sends
it. If a process ends, nothing is lost: the alerts that it was sending are sent again, with the same id, when the claim
expires. An alert is therefore delivered twice only if a process is killed, or loses the database, after the receiver has
accepted it and before the outcome is stored. A receiver can be slow or fail on purpose. Therefore:

- every delivery has a deadline (https_post.py, mail.py);
- only one thread at a time sends to one account;
- accounts with a receiver that has failed share FAILING_AT_ONCE threads, and cannot occupy all of them;
- a service that all accounts use, above all the mail server, is called by at most WAY_AT_ONCE threads;
- a receiver that has failed is not called again before the first of AGAIN_AFTER_MS, whatever else is queued for it;
- after the last of AGAIN_AFTER_MS, an alert is given up, and the page tells its owner.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row
from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.alerts.errors import NotDelivered, ReceiverGone, TargetRefused
from cloud_bridge.alerts.kinds import AlertKind
from cloud_bridge.alerts.mail import send_mail
from cloud_bridge.alerts.monthly_reports import files_of
from cloud_bridge.alerts.push import notify
from cloud_bridge.alerts.push_key import PushKey
from cloud_bridge.alerts.services import Via
from cloud_bridge.alerts.web_push import Notice, send
from cloud_bridge.alerts.webhook import post
from cloud_bridge.clock import Clock, iso_utc
from cloud_bridge.counters import Counters
from cloud_bridge.store.alerts import Occupied, claim_alert, hold_back, next_due, record_outcome
from cloud_bridge.store.database import Database
from cloud_bridge.store.push_browsers import PushTarget, remove_gone_browser
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _
from cloud_bridge.words.language import speaking

AGAIN_AFTER_MS = [60_000, 300_000, 1_800_000, 7_200_000, 21_600_000]  # retries; then the alert is given up
WORKERS = 8
FAILING_AT_ONCE = 2
WAY_AT_ONCE = 3
CLAIMED_MS = 120_000  # longer than any delivery (30 s: mail.py) plus the time to store its outcome
NOTED_WITHIN_S = (
    40.0  # to store an outcome while the store is in trouble; together with the delivery, less than the claim
)
NOTE_AGAIN_S = 1.0
CLAIMS = 10  # alerts that other processes may claim first before the rest is left for the next turn
GOODBYE_S = 2.0  # for deliveries in progress at shutdown
MAX_TROUBLE = 200  # characters
OF_ITS_OWN = (Via.WEBHOOK.value, Via.BROWSER.value)  # each person has a receiver of their own: no service for all
UNSENT = N_("it cannot be sent")
START = "/"
PAGES = {  # Pages of kinds that are not about a single charge point.
    AlertKind.NEW_JOB.value: "/jobs",
    AlertKind.ANSWER.value: "/support",
    AlertKind.ROLL_OUT_STOPPED.value: "/roll-outs",
}
CHOICE = "/account/notifications"  # where people choose what they are alerted to

_log = logging.getLogger(__name__)


class Means(NamedTuple):
    """What alerts are sent with. Without `mail` (mailtos://user:password@host, mail.read_server), no letters are sent; without
    `push_key`, no Web Push messages. With `public_url`, texts end with a link to the page that has the details."""

    mail: str | None = None
    public_url: str | None = None
    push_key: PushKey | None = None


class InFlight(NamedTuple):
    """An alert that a worker is sending."""

    alert: Row[Any]
    failing: bool  # its account is one of those that share FAILING_AT_ONCE


class Delivery:
    """Sends the alerts that are due, on as many threads as needed, at most WORKERS."""

    def __init__(self, database: Database, clock: Clock, counters: Counters, means: Means) -> None:
        self._database = database
        self._clock = clock
        self._counters = counters
        self._means = means
        self._changed = threading.Condition()
        self._in_flight: dict[int, InFlight] = {}  # by alert id
        self._closing = False

    def begin(self) -> None:
        """Give every free worker an alert. Returns at once. Raises SQLAlchemyError."""
        with self._changed:
            while self._begin_next():
                pass

    def send_due(self) -> int:
        """Send what is due, and wait until nothing is in progress. Return how many were delivered. Raises SQLAlchemyError."""
        before = self._counters.alerts_sent
        with self._changed:
            self.begin()
            self._changed.wait_for(lambda: not self._in_flight)
        return self._counters.alerts_sent - before

    def close(self) -> None:
        """Start nothing more, and wait at most GOODBYE_S."""
        with self._changed:
            self._closing = True
            self._changed.wait_for(lambda: not self._in_flight, GOODBYE_S)

    def _begin_next(self) -> bool:
        """Start to send the next alert that may be sent now. Return False if there is none, or if no worker is free. The
        caller holds the lock."""
        if self._closing or len(self._in_flight) >= WORKERS:
            return False
        sending = [one.alert for one in self._in_flight.values()]
        ways = Counter(str(alert.via) for alert in sending)
        full = [way for way, count in ways.items() if way not in OF_ITS_OWN and count >= WAY_AT_ONCE]
        occupied = Occupied([alert.person_id for alert in sending], full)
        for _try in range(CLAIMS):
            found = self._next_due(occupied)
            if found is None:
                return False
            with self._database.writing() as connection:
                is_ours = claim_alert(connection, found.alert, self._clock.now_ms() + CLAIMED_MS)
            if is_ours:
                threading.Thread(target=self._work, args=(found.alert,), name="delivery", daemon=True).start()
                self._in_flight[found.alert.id] = found
                return True
        return False

    def _next_due(self, occupied: Occupied) -> InFlight | None:
        now_ms = self._clock.now_ms()
        may_fail = sum(one.failing for one in self._in_flight.values()) < FAILING_AT_ONCE
        with self._database.reading() as connection:
            for failing in (False, True) if may_fail else (False,):
                alert = next_due(connection, now_ms, occupied, failing)
                if alert is not None:
                    return InFlight(alert, failing)
        return None

    def _work(self, alert: Row[Any]) -> None:
        """Send the alert, and then start what has become possible. The worker becomes free whatever is raised."""
        is_stored = False
        try:
            self._deliver(alert)
            is_stored = True
        except SQLAlchemyError as error:  # the alert is still due, so it is sent again
            _log.warning("the outcome of an alert could not be stored: %s", type(error).__name__)
        except Exception:
            _log.exception("the outcome of alert %d could not be stored", alert.id)
        with self._changed:
            del self._in_flight[alert.id]
            try:
                if is_stored:
                    self.begin()
            except SQLAlchemyError as error:  # the duty `delivery` will start it
                _log.warning("the next alert could not be started: %s", type(error).__name__)
            self._changed.notify_all()

    def _deliver(self, alert: Row[Any]) -> None:
        now_ms = self._clock.now_ms()
        due_ms, trouble, wait_ms = None, "", AGAIN_AFTER_MS[0]
        try:
            self._send(alert, now_ms)
        except ReceiverGone:
            self._forget_browser(alert)
            return
        except TargetRefused as error:
            trouble = str(error)
        except NotDelivered as error:
            wait_ms = max(wait_ms, error.retry_after_ms)
            due_ms, trouble = _again_ms(alert.tries, now_ms, error.retry_after_ms), str(error)
        except Exception as error:  # affects only this alert; the others still have to be sent
            _log.exception("alert %d cannot be sent", alert.id)
            due_ms, trouble = _again_ms(alert.tries, now_ms), f"{UNSENT}: {type(error).__name__}"

        def note(connection: Connection) -> None:
            record_outcome(connection, alert.id, alert.tries + 1, due_ms, trouble[:MAX_TROUBLE])
            if trouble:
                hold_back(connection, alert.wish_id, alert.browser_id, now_ms + wait_ms)

        self._note(note)
        with self._changed:
            self._counters.alerts_sent += not trouble
            self._counters.alerts_failed += bool(trouble)
            self._counters.alerts_given_up += bool(trouble) and due_ms is None

    def _note(self, note: Callable[[Connection], None]) -> None:
        """Store an outcome, with retries while the store is in trouble, because an alert without an outcome is sent again.
        Raises SQLAlchemyError after the last retry."""
        give_up_s = time.monotonic() + NOTED_WITHIN_S
        while True:
            try:
                with self._database.writing() as connection:
                    note(connection)
                return
            except SQLAlchemyError:
                if self._closing or time.monotonic() > give_up_s:
                    raise
            time.sleep(NOTE_AGAIN_S)

    def _send(self, alert: Row[Any], now_ms: int) -> None:
        via = Via(alert.via)
        if via is Via.WEBHOOK:
            post(alert.target, alert.secret, _payload(alert), now_ms)
        elif via is Via.EMAIL:
            root = self._means.public_url
            page = None if root is None else f"{root}{CHOICE}"
            with speaking(alert.language):
                way = _("Choose what we write to you about: {page}").format(page=page or _("Account, Notifications"))
                files = files_of(self._database, alert, now_ms) if alert.about == AlertKind.MONTHLY_REPORT.value else []
            send_mail(self._means.mail, alert.email, f"{self._with_link(alert)}\n\n-- \n{way}", page, files)
        elif via is Via.BROWSER:
            self._notify_browser(alert, now_ms)
        else:
            notify(via, alert.target, self._with_link(alert))

    def _notify_browser(self, alert: Row[Any], now_ms: int) -> None:
        if alert.endpoint_secret is None:
            raise ReceiverGone(N_("the browser is not notified any more"))
        if self._means.push_key is None:
            raise NotDelivered(N_("Web Push is not set up"))
        target = PushTarget(alert.host, alert.endpoint_secret, alert.p256dh_secret, alert.auth_secret)
        send(self._means.push_key, target, Notice(alert.words, page_of(alert), _tag(alert)), now_ms)

    def _forget_browser(self, alert: Row[Any]) -> None:
        with self._database.writing() as connection:
            remove_gone_browser(connection, alert.browser_id)
            record_outcome(connection, alert.id, alert.tries + 1, None, "")
        with self._changed:
            self._counters.browsers_gone += 1

    def _with_link(self, alert: Row[Any]) -> str:
        root, page = self._means.public_url, page_of(alert)
        return f"{alert.words}\n\n{root}{page}" if root is not None and page != START else str(alert.words)


def _payload(alert: Row[Any]) -> dict[str, Any]:
    return {
        "id": alert.id,  # the same at every retry, so a receiver may ignore repetitions
        "about": alert.about,
        "charge_point": alert.unit_id,
        "at": iso_utc(alert.at_ms),
        "words": alert.words,
    }


def page_of(alert: Row[Any]) -> str:
    """Return the path of the page that has the details."""
    if alert.about in PAGES:
        return PAGES[alert.about]
    if alert.about == AlertKind.MONTHLY_REPORT.value:
        return f"/charge-points/{alert.unit_id}/report?month={alert.detail}"
    if alert.unit_id is not None:
        return f"/charge-points/{alert.unit_id}"
    return f"/account/vehicles/{alert.detail}" if alert.about == AlertKind.VEHICLE_LOST.value else START


def _tag(alert: Row[Any]) -> str:
    """Return the tag of a Web Push message. A newer message replaces an older one with the same tag, as "back" replaces
    "silent"."""
    about = "contact" if alert.about in (AlertKind.SILENT.value, AlertKind.BACK.value) else alert.about
    return f"{about} {alert.unit_id or alert.detail}"


def _again_ms(tries: int, now_ms: int, retry_after_ms: int = 0) -> int | None:
    """Return when to retry after this number of tries, not before the time that the receiver asked for. Return None after the
    last retry."""
    return now_ms + max(AGAIN_AFTER_MS[tries], retry_after_ms) if tries < len(AGAIN_AFTER_MS) else None
