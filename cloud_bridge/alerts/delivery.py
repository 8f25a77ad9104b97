"""Sending what is due: letters, push messages, and webhooks signed by us. Blocks; run on a thread."""

from typing import Any

from sqlalchemy import Row

from cloud_bridge.alerts.errors import NotDelivered, TargetRefused
from cloud_bridge.alerts.mail import send_mail
from cloud_bridge.alerts.push import notify
from cloud_bridge.alerts.services import Via
from cloud_bridge.alerts.webhook import post
from cloud_bridge.clock import iso_utc
from cloud_bridge.store.alerts import due_alerts, record_outcome
from cloud_bridge.store.database import Database

AGAIN_AFTER_MS = [60_000, 300_000, 1_800_000, 7_200_000, 21_600_000]  # then it is given up
AT_ONCE = 20
MAX_TROUBLE = 200  # characters


class Delivery:
    """`mail` is the operator's mail server, mailtos://user:password@host (mail.read_server); None: no mail.

    With `public_url`, what people read ends with a link to the page of the charge point.
    """

    def __init__(self, database: Database, mail: str | None, public_url: str | None = None) -> None:
        self._database = database
        self._mail = mail
        self._public_url = public_url

    def send_due(self, now_ms: int) -> int:
        """Try what is due; returns how many were delivered. Each result is stored by itself. Raises SQLAlchemyError."""
        with self._database.reading() as connection:
            due = due_alerts(connection, now_ms, AT_ONCE)
        delivered = 0
        for alert in due:
            due_ms, trouble = None, ""
            try:
                self._send(alert, now_ms)
                delivered += 1
            except TargetRefused as error:
                trouble = str(error)[:MAX_TROUBLE]
            except NotDelivered as error:
                due_ms, trouble = _again_ms(alert.tries, now_ms), str(error)[:MAX_TROUBLE]
            with self._database.writing() as connection:
                record_outcome(connection, alert.id, alert.tries + 1, due_ms, trouble)
        return delivered

    def _send(self, alert: Row[Any], now_ms: int) -> None:
        via = Via(alert.via)
        if via is Via.WEBHOOK:
            post(alert.target, alert.secret, _payload(alert), now_ms)
        elif via is Via.EMAIL:
            send_mail(self._mail, alert.email, self._with_link(alert))
        else:
            notify(via, alert.target, self._with_link(alert))

    def _with_link(self, alert: Row[Any]) -> str:
        if self._public_url is None or alert.unit_id is None:
            return str(alert.words)
        return f"{alert.words}\n\n{self._public_url}/charge-points/{alert.unit_id}"


def _payload(alert: Row[Any]) -> dict[str, Any]:
    return {
        "id": alert.id,  # the same at every try: a receiver that has seen it may ignore it
        "about": alert.about,
        "charge_point": alert.unit_id,
        "at": iso_utc(alert.at_ms),
        "words": alert.words,
    }


def _again_ms(tries: int, now_ms: int) -> int | None:
    """When it is tried again after so many tries; None: never."""
    return now_ms + AGAIN_AFTER_MS[tries] if tries < len(AGAIN_AFTER_MS) else None
