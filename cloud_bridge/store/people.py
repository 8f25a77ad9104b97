"""People with a login, and their browser sessions."""

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

SESSION_ID_LENGTH = 16  # hexadecimal digits of the 64 of a hash
SESSION_MS = 30 * 24 * 3600 * 1000  # so that a phone stays logged in for a month
NEEDS_SECOND_FACTOR = frozenset({Role.OPERATOR})  # roles with a mandatory second factor; for others it is optional


class Login(NamedTuple):
    """A person, and the hash of their password (passwords.py)."""

    person: Person
    password_hash: str


class Has(NamedTuple):
    """Whether a person has any charger or vehicle to see."""

    charger: bool
    vehicle: bool


class WebSession(NamedTuple):
    """A browser in which a person is logged in."""

    id: str  # the first digits of its hash
    since_ms: int
    is_this: bool  # the browser of the request


def add_person(
    connection: Connection, name: str, password_hash: str, role: Role, now_ms: int, email: str | None = None
) -> None:
    """Add a person. Raises AlreadyThere, also if the name looks like that of another person, and BridgeError for an
    invalid name."""
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
    """Return the person with this name, however it is typed (names.py). Raises BridgeError if there is none."""
    row = connection.execute(_named(_persons(), name)).first()
    if row is None:
        raise BridgeError(f"there is no user {name}")
    return _person(row)


def person_by_id(connection: Connection, person_id: int) -> Person:
    """Return the person with this id. Raises BridgeError if there is none."""
    row = connection.execute(_persons().where(people.c.id == person_id)).one_or_none()
    if row is None:
        raise BridgeError("there is no such user")
    return _person(row)


def list_people(connection: Connection) -> list[dict[str, Any]]:
    query = select(people.c.name, people.c.role, people.c.email).order_by(people.c.name)
    return [dict(row._mapping) for row in connection.execute(query)]


def remove_person(connection: Connection, person: Person) -> None:
    """Remove a person with their sessions and tokens. Their units then have no owner."""
    end_ownerships(connection, person.id)
    connection.execute(delete(people).where(people.c.id == person.id))


def change_role(connection: Connection, person: Person, role: Role) -> None:
    """Change a person's role. With a role that needs a second factor, all browsers are logged out, because their
    sessions may not have passed one, and all passkeys are deleted, because a passkey that was added with only a
    password is no stronger than the password (NIST SP 800-63B, 6.1.2.1)."""
    if role in NEEDS_SECOND_FACTOR:
        log_out(connection, person)
        connection.execute(delete(passkeys).where(passkeys.c.person_id == person.id))
    connection.execute(update(people).where(people.c.id == person.id).values(role=role))


def set_password(connection: Connection, person: Person, password_hash: str) -> None:
    """Set a person's password. All browsers are logged out, and all tokens and links in letters are deleted, because
    somebody who knew the old password may have created them. Passkeys stay, since they are the way in after a forgotten
    password; the person's page lists them."""
    connection.execute(update(people).where(people.c.id == person.id).values(password_hash=password_hash))
    log_out(connection, person)
    for table in (tokens, email_changes, password_resets):
        connection.execute(delete(table).where(table.c.person_id == person.id))


def chosen_distances(connection: Connection, person_id: int) -> Distances | None:
    """Return the unit that the person has chosen, or None if they have chosen none or this version does not know it."""
    return _chosen(connection.execute(_DISTANCES, {"person_id": person_id}).one_or_none())


def usual_distances(connection: Connection, person_id: int) -> Distances:
    """Return the default unit at the person's first charge point, or that of Great Britain if they have none."""
    return _usual(connection.execute(_DISTANCES, {"person_id": person_id}).one_or_none())


def distances_of(connection: Connection, person_id: int) -> Distances:
    """Return the unit in which the person reads distances."""
    row = connection.execute(_DISTANCES, {"person_id": person_id}).one_or_none()
    return _chosen(row) or _usual(row)


_FIRST_ZONE = select(units.c.time_zone).where(units.c.owner_id == people.c.id).order_by(units.c.id).limit(1)
_DISTANCES = select(people.c.distances, _FIRST_ZONE.scalar_subquery()).where(people.c.id == bindparam("person_id"))


def _chosen(row: Row[Any, Any] | None) -> Distances | None:
    return Distances(row[0]) if row is not None and row[0] in tuple(Distances) else None


def _usual(row: Row[Any, Any] | None) -> Distances:
    return usual((row and row[1]) or DEFAULT_TIME_ZONE)


def choose_distances(connection: Connection, person_id: int, chosen: Distances | None) -> None:
    """Store the chosen unit, or None for the default."""
    connection.execute(update(people).where(people.c.id == person_id).values(distances=chosen))


def choose_language(connection: Connection, person_id: int, language: str | None) -> None:
    """Store the chosen language, or None for that of the browser."""
    connection.execute(update(people).where(people.c.id == person_id).values(language=language))


def log_out(connection: Connection, person: Person) -> None:
    """Log a person out in all browsers, and forget the browsers as known devices."""
    for table in (web_sessions, pending_logins):
        connection.execute(delete(table).where(table.c.person_id == person.id))
    forget_devices(connection, person.id)


def find_login(connection: Connection, name: str) -> Login | None:
    """Return the login with this name, or None."""
    row = connection.execute(_named(_persons(people.c.password_hash), name)).first()
    return None if row is None else Login(_person(row), row.password_hash)


def open_session(connection: Connection, person: Person, now_ms: int, device: str | None = None) -> str:
    """Open a browser session and return the value of its cookie. Also deletes expired sessions. `device` is the value
    of the browser's cookie of known_devices.py; ending the session removes that device too."""
    token = new_secret()
    connection.execute(delete(web_sessions).where(web_sessions.c.expires_ms <= now_ms))
    values = {"token_hash": hash_of(token), "person_id": person.id, "expires_ms": now_ms + SESSION_MS}
    values["device_hash"] = None if device is None else hash_of(device)
    connection.execute(web_sessions.insert(), values)
    return token


def who_has_session(connection: Connection, token: str, now_ms: int) -> Person | None:
    """Return the person of a session cookie, or None if it is unknown or expired."""
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
    """Close a browser session. The browser receives no notifications any more either."""
    leave_session(connection, hash_of(token))
    connection.execute(delete(web_sessions).where(web_sessions.c.token_hash == hash_of(token)))


def sessions_of(connection: Connection, person: Person, token: str, now_ms: int) -> list[WebSession]:
    """Return the browsers in which the person is logged in, newest first. `token` is the cookie of the request."""
    own, mine = web_sessions.c.token_hash, web_sessions.c.person_id == person.id
    query = select(own, web_sessions.c.expires_ms).where(mine, web_sessions.c.expires_ms > now_ms)
    rows = connection.execute(query.order_by(web_sessions.c.expires_ms.desc()))
    return [
        WebSession(row.token_hash[:SESSION_ID_LENGTH], row.expires_ms - SESSION_MS, row.token_hash == hash_of(token))
        for row in rows
    ]


def end_sessions(connection: Connection, person: Person, session_id: str | None = None, but: str = "") -> int:
    """End one session of the person, or all except that with the cookie `but`. Return how many were ended. Their
    browsers are removed from the known devices. If all others are ended, so are all other known devices, also without a
    session."""
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
    """Restrict a query to a name, exact matches first, then the folded form, which older accounts may share."""
    is_exact = people.c.name == name
    return query.where(or_(is_exact, people.c.name_folded == folded(name))).order_by(is_exact.desc(), people.c.id)


def _person(row: Row[Any]) -> Person:
    return Person(row.id, row.name, Role(row.role), row.language)
