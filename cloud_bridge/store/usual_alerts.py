"""The alerts for people who have not chosen any: the usual kinds by e-mail, and in every browser that they let us
notify.

The usual subscriptions are rows like any other, so that sending, holding down and the page need no special case. For
e-mail they are created for drivers as soon as they have a confirmed address; for browsers, with the first browser. A
row of alert_choices ends that: the person has saved the page or used the interface, and what they have then is their
own choice.
"""

from collections.abc import Collection

from sqlalchemy import Connection, delete, select

from cloud_bridge.alerts.kinds import USUAL, AlertKind
from cloud_bridge.alerts.services import Via
from cloud_bridge.store.access import Person, Role
from cloud_bridge.store.email import email_of
from cloud_bridge.store.tables import alert_choices, alert_wishes, people
from cloud_bridge.store.upsert import insert_new

USUAL_WAYS = (Via.EMAIL, Via.BROWSER)
AT_ONCE = 500  # people


def drivers_without_letters(connection: Connection) -> list[int]:
    """The drivers who have an address, have chosen nothing, and have no usual subscriptions yet."""
    chosen = select(alert_choices.c.person_id).where(alert_choices.c.via == Via.EMAIL.value)
    have = select(alert_wishes.c.person_id).where(alert_wishes.c.via == Via.EMAIL.value)
    query = select(people.c.id).where(
        people.c.role == Role.DRIVER.value,
        people.c.email.is_not(None),
        people.c.id.not_in(chosen),
        people.c.id.not_in(have),
    )
    return list(connection.execute(query.order_by(people.c.id).limit(AT_ONCE)).scalars())


def subscribe_to_letters(connection: Connection, person_ids: Collection[int]) -> None:
    """Create the usual subscriptions by e-mail for people found by `drivers_without_letters`."""
    _subscribe(connection, person_ids, Via.EMAIL, USUAL)


def subscribe_unless_chosen(connection: Connection, person: Person, via: Via) -> None:
    """Create the usual subscriptions of a person, if they have chosen nothing and have no subscriptions yet."""
    _subscribe(connection, [person.id], via, chosen_of(connection, person, via))


def chosen_of(connection: Connection, person: Person, via: Via) -> frozenset[AlertKind]:
    """The kinds that the person is alerted to in this way, including subscriptions that are about to be created."""
    columns = alert_wishes.c
    query = select(columns.about).where(columns.person_id == person.id, columns.via == via.value, columns.target == "")
    stored = set(connection.execute(query).scalars())
    if stored or _has_chosen(connection, person, via) or not _gets_usual(connection, person, via):
        return frozenset(kind for kind in AlertKind if kind.value in stored)
    return frozenset(USUAL)


def choose(connection: Connection, person: Person, via: Via, kinds: Collection[AlertKind]) -> None:
    """Subscribe the person to exactly these kinds. Subscriptions that remain keep their row, and with it what was
    sent."""
    columns = alert_wishes.c
    theirs = (columns.person_id == person.id) & (columns.via == via.value) & (columns.target == "")
    connection.execute(delete(alert_wishes).where(theirs, columns.about.not_in([kind.value for kind in kinds])))
    _subscribe(connection, [person.id], via, kinds)
    insert_new(connection, alert_choices, [{"person_id": person.id, "via": via.value}])


def mark_chosen(connection: Connection, person: Person, via: Via) -> None:
    """Note that a person is about to change one subscription: the others remain, including those that were about to be
    created."""
    subscribe_unless_chosen(connection, person, via)
    insert_new(connection, alert_choices, [{"person_id": person.id, "via": via.value}])


def _subscribe(connection: Connection, person_ids: Collection[int], via: Via, kinds: Collection[AlertKind]) -> None:
    rows = [
        {"person_id": person_id, "about": kind.value, "via": via.value, "target": "", "secret": ""}
        for person_id in person_ids
        for kind in AlertKind
        if kind in kinds
    ]
    insert_new(connection, alert_wishes, rows)


def _has_chosen(connection: Connection, person: Person, via: Via) -> bool:
    theirs = (alert_choices.c.person_id == person.id) & (alert_choices.c.via == via.value)
    return connection.execute(select(alert_choices.c.via).where(theirs)).first() is not None


def _gets_usual(connection: Connection, person: Person, via: Via) -> bool:
    if via is Via.EMAIL:
        return person.role is Role.DRIVER and email_of(connection, person.id) is not None
    return via is Via.BROWSER
