"""Subscriptions: who wants to be alerted to what, and how, as each person has chosen for what they may see."""

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from cloud_bridge.alerts.kinds import AlertKind
from cloud_bridge.alerts.services import Via as Via
from cloud_bridge.alerts.services import check_target
from cloud_bridge.errors import BridgeError
from cloud_bridge.store.access import ROLE_NAMES, Asker, Person, Role
from cloud_bridge.store.email import email_of
from cloud_bridge.store.secrets import new_secret
from cloud_bridge.store.tables import alert_wishes, people
from cloud_bridge.store.upsert import insert_new
from cloud_bridge.store.usual_alerts import USUAL_WAYS, mark_chosen
from cloud_bridge.words import gettext as _

MAX_SUBSCRIPTIONS = 50  # per person
TOLD: dict[AlertKind, tuple[Role, ...]] = {  # who may subscribe; if not listed, everybody who sees the unit
    AlertKind.INCIDENT: (Role.OPERATOR,),  # they run the service
    AlertKind.NEW_JOB: (Role.INSTALLER,),
    AlertKind.ANSWER: (Role.DRIVER, Role.INSTALLER),  # those who are not support themselves
    AlertKind.VISIT: (Role.DRIVER, Role.OPERATOR),  # of their own charger
    AlertKind.UPDATE: (Role.DRIVER,),  # the others see the roll-out
    AlertKind.ROLL_OUT_STOPPED: (Role.OPERATOR,),
    AlertKind.MONTHLY_REPORT: (Role.DRIVER,),  # of their own charging
}


class Subscription(NamedTuple):
    """One subscription, with its person."""

    id: int
    person: Person
    about: AlertKind
    via: Via
    target: str
    secret: str


def add_subscription(connection: Connection, person: Person, about: AlertKind, via: Via, target: str = "") -> str:
    """Add a subscription. `target` is as services.target_of makes it. Adding it twice changes nothing. Returns a
    webhook's key, otherwise "". Raises BridgeError for a target that we do not call, and for e-mail without an
    address."""
    if len(subscriptions_of(connection, person)) >= MAX_SUBSCRIPTIONS:
        raise BridgeError(
            _("{most} notifications are the most that one account can have").format(most=MAX_SUBSCRIPTIONS)
        )
    if person.role not in TOLD.get(about, Role):
        raise BridgeError(
            _("only these are notified of this: {others}").format(
                others=", ".join(_(ROLE_NAMES[role]) for role in TOLD[about])
            )
        )
    check_target(via, target)
    if via is Via.EMAIL and email_of(connection, person.id) is None:
        raise BridgeError(_("this account has no e-mail address yet"))
    if via in USUAL_WAYS:
        mark_chosen(connection, person, via)
    row = {
        "person_id": person.id,
        "about": about.value,
        "via": via.value,
        "target": target,
        "secret": new_secret() if via is Via.WEBHOOK else "",
    }
    insert_new(connection, alert_wishes, [row])
    return next(
        subscription.secret
        for subscription in subscriptions_of(connection, person)
        if subscription[2:5] == (about, via, target)
    )


def remove_subscription(connection: Connection, person: Person, wish_id: int) -> bool:
    """Remove a subscription. False: it is not the person's, or does not exist."""
    theirs = (alert_wishes.c.id == wish_id) & (alert_wishes.c.person_id == person.id)
    via = connection.execute(select(alert_wishes.c.via).where(theirs)).scalar()
    if via in USUAL_WAYS:
        mark_chosen(connection, person, Via(via))
    return connection.execute(delete(alert_wishes).where(theirs)).rowcount == 1


def subscriptions_of(connection: Connection, asker: Asker) -> list[Subscription]:
    return [subscription for subscription in _wishes(connection) if subscription.person.id == asker.id]


def subscriptions_by_kind(
    connection: Connection, on_bad_row: Callable[[Exception], object]
) -> dict[AlertKind, list[Subscription]]:
    """The subscriptions, without those to whose target nothing is sent. `on_bad_row` is called for a row that this
    version cannot read."""
    found: dict[AlertKind, list[Subscription]] = {}
    for subscription in _wishes(connection, on_bad_row):
        if refusal(subscription) is None:
            found.setdefault(subscription.about, []).append(subscription)
    return found


def refusal(subscription: Subscription) -> str | None:
    """Why nothing is sent to its target, as a text for its owner; None: it is in use."""
    try:
        check_target(subscription.via, subscription.target)
    except BridgeError as error:
        return str(error)
    return None


def _wishes(connection: Connection, on_bad_row: Callable[[Exception], object] | None = None) -> list[Subscription]:
    query = select(alert_wishes, people.c.name, people.c.role, people.c.language).join(
        people, people.c.id == alert_wishes.c.person_id
    )
    found = []
    for row in connection.execute(query.order_by(alert_wishes.c.id)):
        try:
            person = Person(row.person_id, row.name, Role(row.role), row.language)
            found.append(Subscription(row.id, person, AlertKind(row.about), Via(row.via), row.target, row.secret))
        except ValueError as error:  # written by a newer version
            if on_bad_row is not None:
                on_bad_row(error)
    return found
