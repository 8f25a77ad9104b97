"""People who log in to the pages, and their browser sessions."""

from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, bindparam, delete, exists, or_, select, update
from sqlalchemy.exc import IntegrityError

from cloud_bridge.distances import Distances, usual
from cloud_bridge.errors import AlreadyThere, BridgeError
from cloud_bridge.store.access import Person, Role, anybody, visible
from cloud_bridge.store.known_devices import forget_devices
from cloud_bridge.store.names import appearance, checked, folded
from cloud_bridge.store.ownership import DEFAULT_TIME_ZONE, end_ownerships
from cloud_bridge.store.push_browsers import leave_session
from cloud_bridge.store.secrets import hash_of, new_secret
from cloud_bridge.store.tables import (
    email_changes,
    known_devices,
    passkeys,
    password_resets,
    pending_logins,
    people,
    tokens,
    units,
    web_sessions,
)
from cloud_bridge.store.vehicle_tables import vehicles

__all__ = ["SESSION_MS", "Person", "Role"]

SESSION_ID_LENGTH = 16  # of 64 hexadecimal digits
SESSION_MS = 30 * 24 * 3600 * 1000  # a phone in a pocket stays logged in for a month
NEEDS_SECOND_FACTOR = frozenset({Role.OPERATOR})  # whose sessions have all passed one; others may have one


class Login(NamedTuple):
    """A person, and the hash that their password has to match (passwords.py)."""

    person: Person
    password_hash: str


class Has(NamedTuple):
    """What there is for a driver to look at."""

    charger: bool
    vehicle: bool


class WebSession(NamedTuple):
    """A browser in which somebody is logged in."""

    id: str  # the beginning of its hash
    since_ms: int
    is_this: bool  # the browser that asks


def add_person(
    connection: Connection, name: str, password_hash: str, role: Role, now_ms: int, email: str | None = None
) -> None:
    """Raises AlreadyThere, also for a name that looks like another's, or BridgeError for a name that is none."""
    name = checked(name)
    forms = {"name_folded": folded(name), "name_appearance": appearance(name)}
    alike = or_(*(people.c[column] == form for column, form in forms.items()))
    other = connection.execute(select(people.c.name).where(alike)).scalars().first()
    if other is not None:
        what = f"the user {other} exists already"
        raise AlreadyThere(what if folded(other) == folded(name) else f"{name} looks like another name: {what}")
    values = forms | {
        "name": name,
        "password_hash": password_hash,
        "role": role,
        "created_ms": now_ms,
        "email": email,
    }
    try:
        connection.execute(people.insert(), values)
    except IntegrityError as error:
        taken = f"the user {name}" if email is None else f"the user {name}, or one with the address {email},"
        raise AlreadyThere(f"{taken} exists already") from error


def find_person(connection: Connection, name: str) -> Person:
    """However the name is typed (names.py). Raises BridgeError when there is nobody of that name."""
    row = connection.execute(_named(_persons(), name)).first()
    if row is None:
        raise BridgeError(f"there is no user {name}")
    return _person(row)


def person_by_id(connection: Connection, person_id: int) -> Person:
    """Raises BridgeError when there is no such person (any more)."""
    row = connection.execute(_persons().where(people.c.id == person_id)).one_or_none()
    if row is None:
        raise BridgeError("there is no such user")
    return _person(row)


def list_people(connection: Connection) -> list[dict[str, Any]]:
    query = select(people.c.name, people.c.role, people.c.email).order_by(people.c.name)
    return [dict(row._mapping) for row in connection.execute(query)]


def remove_person(connection: Connection, person: Person) -> None:
    """With their sessions and tokens; their units become nobody's."""
    end_ownerships(connection, person.id)
    connection.execute(delete(people).where(people.c.id == person.id))


def change_role(connection: Connection, person: Person, role: Role) -> None:
    """With a role that needs the second factor, every browser is logged out: its session may not have passed one. Passkeys
    end likewise: one that was added with a password alone is worth no more than that (NIST SP 800-63B, 6.1.2.1)."""
    if role in NEEDS_SECOND_FACTOR:
        log_out(connection, person)
        connection.execute(delete(passkeys).where(passkeys.c.person_id == person.id))
    connection.execute(update(people).where(people.c.id == person.id).values(role=role))


def set_password(connection: Connection, person: Person, password_hash: str) -> None:
    """Every browser is logged out, and every token and every link in a letter of theirs ends: whoever knew the old password
    may have made it. Passkeys stay, for somebody who has forgotten the password gets in by them; their page lists them."""
    connection.execute(update(people).where(people.c.id == person.id).values(password_hash=password_hash))
    log_out(connection, person)
    for table in (tokens, email_changes, password_resets):
        connection.execute(delete(table).where(table.c.person_id == person.id))


def chosen_distances(connection: Connection, person_id: int) -> Distances | None:
    """None: nothing was chosen, or it is of a newer version."""
    return _chosen(connection.execute(_DISTANCES, {"person_id": person_id}).one_or_none())


def usual_distances(connection: Connection, person_id: int) -> Distances:
    """As is usual at the person's first charge point; in Great Britain for whoever has none."""
    return _usual(connection.execute(_DISTANCES, {"person_id": person_id}).one_or_none())


def distances_of(connection: Connection, person_id: int) -> Distances:
    """In which the person reads them."""
    row = connection.execute(_DISTANCES, {"person_id": person_id}).one_or_none()
    return _chosen(row) or _usual(row)


_FIRST_ZONE = select(units.c.time_zone).where(units.c.owner_id == people.c.id).order_by(units.c.id).limit(1)
_DISTANCES = select(people.c.distances, _FIRST_ZONE.scalar_subquery()).where(people.c.id == bindparam("person_id"))


def _chosen(row: Row[Any, Any] | None) -> Distances | None:
    return Distances(row[0]) if row is not None and row[0] in tuple(Distances) else None


def _usual(row: Row[Any, Any] | None) -> Distances:
    return usual((row and row[1]) or DEFAULT_TIME_ZONE)


def choose_distances(connection: Connection, person_id: int, chosen: Distances | None) -> None:
    """None: as is usual."""
    connection.execute(update(people).where(people.c.id == person_id).values(distances=chosen))


def choose_language(connection: Connection, person_id: int, language: str | None) -> None:
    """None: as the browser asks for."""
    connection.execute(update(people).where(people.c.id == person_id).values(language=language))


def log_out(connection: Connection, person: Person) -> None:
    """In every browser, and each is as unknown as before its first login."""
    for table in (web_sessions, pending_logins):
        connection.execute(delete(table).where(table.c.person_id == person.id))
    forget_devices(connection, person.id)


def find_login(connection: Connection, name: str) -> Login | None:
    """None: there is nobody of that name."""
    row = connection.execute(_named(_persons(people.c.password_hash), name)).first()
    return None if row is None else Login(_person(row), row.password_hash)


def open_session(connection: Connection, person: Person, now_ms: int, device: str | None = None) -> str:
    """The cookie's value of a new browser session. Sessions that have ended are swept on the way. `device` is the cookie's
    value of the browser in known_devices.py: ending the session forgets it."""
    token = new_secret()
    connection.execute(delete(web_sessions).where(web_sessions.c.expires_ms <= now_ms))
    values = {"token_hash": hash_of(token), "person_id": person.id, "expires_ms": now_ms + SESSION_MS}
    values["device_hash"] = None if device is None else hash_of(device)
    connection.execute(web_sessions.insert(), values)
    return token


def who_has_session(connection: Connection, token: str, now_ms: int) -> Person | None:
    """The person behind a session cookie, or None if it is unknown or over."""
    row = connection.execute(_who_has_session(), {"token_hash": hash_of(token), "now_ms": now_ms}).one_or_none()
    return None if row is None else _person(row)


@cache
def _who_has_session() -> Select[Any]:
    session = web_sessions.c
    is_on = (session.token_hash == bindparam("token_hash"), session.expires_ms > bindparam("now_ms"))
    return _persons().join(web_sessions, session.person_id == people.c.id).where(*is_on)


def what_they_have(connection: Connection, person: Person) -> Has:
    return Has(*map(bool, connection.execute(_has(person.role), {"asker_id": person.id}).one()))


@cache
def _has(role: Role) -> Select[Any, Any]:
    person = anybody(role)
    return select(exists().where(visible(person)), exists().where(vehicles.c.person_id == person.id))


def close_session(connection: Connection, token: str) -> None:
    """The browser is not notified any more either."""
    leave_session(connection, hash_of(token))
    connection.execute(delete(web_sessions).where(web_sessions.c.token_hash == hash_of(token)))


def sessions_of(connection: Connection, person: Person, token: str, now_ms: int) -> list[WebSession]:
    """The browsers in which the person is logged in, the newest first. `token` is the cookie of the one that asks."""
    own, mine = web_sessions.c.token_hash, web_sessions.c.person_id == person.id
    query = select(own, web_sessions.c.expires_ms).where(mine, web_sessions.c.expires_ms > now_ms)
    rows = connection.execute(query.order_by(web_sessions.c.expires_ms.desc()))
    return [
        WebSession(row.token_hash[:SESSION_ID_LENGTH], row.expires_ms - SESSION_MS, row.token_hash == hash_of(token))
        for row in rows
    ]


def end_sessions(connection: Connection, person: Person, session_id: str | None = None, but: str = "") -> int:
    """End one of the person's, or every one but that of the cookie `but`; returns how many. What ends is no known device
    any more; with every other session that holds of every other device, also of those where nobody is logged in."""
    theirs, which = web_sessions.c.person_id == person.id, web_sessions.c.token_hash != hash_of(but)
    if session_id is not None:
        which = web_sessions.c.token_hash.startswith(session_id, autoescape=True)
        ending = select(web_sessions.c.device_hash).where(theirs, which, web_sessions.c.device_hash.is_not(None))
        connection.execute(delete(known_devices).where(known_devices.c.token_hash.in_(ending)))
    else:
        own = select(web_sessions.c.device_hash).where(theirs, web_sessions.c.token_hash == hash_of(but))
        forget_devices(connection, person.id, but=connection.execute(own).scalar())
    return connection.execute(delete(web_sessions).where(theirs, which)).rowcount


def _persons(*more: Any) -> Select[Any]:
    return select(people.c.id, people.c.name, people.c.role, people.c.language, *more)


def _named(query: Select[Any], name: str) -> Select[Any]:
    """Exactly so, or else in its folded form: accounts from before names were compared may share that."""
    is_exact = people.c.name == name
    return query.where(or_(is_exact, people.c.name_folded == folded(name))).order_by(is_exact.desc(), people.c.id)


def _person(row: Row[Any]) -> Person:
    return Person(row.id, row.name, Role(row.role), row.language)
