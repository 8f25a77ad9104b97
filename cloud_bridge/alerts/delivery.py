"""Sending what is due: mail and push through apprise, webhooks signed by us. Blocks; run on a thread."""

from typing import Any

from sqlalchemy import Connection, Row, select, update

from cloud_bridge.alerts.mail import NotDelivered, notify, send_mail
from cloud_bridge.alerts.subscriptions import Via
from cloud_bridge.alerts.webhook import post
from cloud_bridge.clock import iso_utc
from cloud_bridge.store.database import Database
from cloud_bridge.store.tables import alert_wishes, alerts, people

AGAIN_AFTER_MS = [60_000, 300_000, 1_800_000, 7_200_000, 21_600_000]  # then it is given up
AT_ONCE = 20


class Delivery:
    """`mail` is the operator's mail server as apprise writes it, mailtos://user:password@host; None: no mail."""

    def __init__(self, database: Database, mail: str | None) -> None:
        self._database = database
        self._mail = mail

    def send_due(self, now_ms: int) -> int:
        """Try what is due; returns how many were delivered. Each result is stored by itself. Raises SQLAlchemyError."""
        with self._database.reading() as connection:
            due = _due(connection, now_ms)
        delivered = 0
        for alert in due:
            try:
                self._send(alert, now_ms)
            except NotDelivered as error:
                outcome = _outcome_of(alert.tries, str(error), now_ms)
            else:
                outcome = {"due_ms": None, "trouble": ""}
                delivered += 1
            with self._database.writing() as connection:
                values = outcome | {"tries": alert.tries + 1}
                connection.execute(update(alerts).where(alerts.c.id == alert.id).values(values))
        return delivered

    def _send(self, alert: Row[Any], now_ms: int) -> None:
        via = Via(alert.via)
        if via is Via.WEBHOOK:
            post(alert.target, alert.secret, _payload(alert), now_ms)
        elif via is Via.PUSH:
            notify(alert.target, alert.words)
        else:
            send_mail(self._mail, alert.email, alert.words)


def _payload(alert: Row[Any]) -> dict[str, Any]:
    return {
        "id": alert.id,  # the same at every try: a receiver that has seen it may ignore it
        "about": alert.about,
        "charge_point": alert.unit_id,
        "at": iso_utc(alert.at_ms),
        "words": alert.words,
    }


def _due(connection: Connection, now_ms: int) -> list[Row[Any]]:
    query = (
        select(alerts, alert_wishes.c.via, alert_wishes.c.target, alert_wishes.c.secret, people.c.email)
        .join(alert_wishes, alert_wishes.c.id == alerts.c.wish_id)
        .join(people, people.c.id == alert_wishes.c.person_id)
        .where(alerts.c.due_ms <= now_ms)
        .order_by(alerts.c.due_ms, alerts.c.id)
        .limit(AT_ONCE)
    )
    return list(connection.execute(query))


def _outcome_of(tries: int, trouble: str, now_ms: int) -> dict[str, Any]:
    due_ms = now_ms + AGAIN_AFTER_MS[tries] if tries < len(AGAIN_AFTER_MS) else None
    return {"due_ms": due_ms, "trouble": trouble[:200]}
