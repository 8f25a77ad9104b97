"""People who log in to the pages, and their browser sessions."""

from threading import BoundedSemaphore
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import Connection, Row, Select, delete, select, update
from sqlalchemy.exc import IntegrityError

from cloud_bridge.errors import AlreadyThere, BridgeError
from cloud_bridge.store.access import Person, Role
from cloud_bridge.store.secrets import hash_of, new_secret
from cloud_bridge.store.tables import people, web_sessions

__all__ = ["MIN_PASSWORD", "SESSION_MS", "Person", "Role"]

SESSION_MS = 30 * 24 * 3600 * 1000  # a phone in a pocket stays logged in for a month
MAX_NAME = 100
MIN_PASSWORD = 10  # characters, when a person chooses; length is what counts (NIST SP 800-63B)
MAX_PASSWORD = 200

_hasher = PasswordHasher()  # argon2id with the parameters of RFC 9106's low-memory choice
_at_once = BoundedSemaphore(2)  # each takes 64 MiB: a crowd at the login must not take the house down
_NOBODY = _hasher.hash(new_secret())  # an unknown name costs as much time as a wrong password


def add_person(
    connection: Connection, name: str, password: str, role: Role, now_ms: int, email: str | None = None
) -> None:
    """Takes as long as argon2 does. Raises AlreadyThere, or BridgeError for a name that is none."""
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise BridgeError(f"{name!r} is no user name: use 1 to {MAX_NAME} printable characters")
    values = {
        "name": name,
        "password_hash": _hasher.hash(password),
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
    """Raises BridgeError when there is nobody of that name."""
    row = connection.execute(_persons().where(people.c.name == name)).one_or_none()
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
    connection.execute(delete(people).where(people.c.id == person.id))


def change_role(connection: Connection, person: Person, role: Role) -> None:
    connection.execute(update(people).where(people.c.id == person.id).values(role=role))


def set_password(connection: Connection, person: Person, password: str) -> None:
    """Every browser is logged out. Takes as long as argon2 does. Raises BridgeError for one that is too short."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise BridgeError(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    changed = update(people).where(people.c.id == person.id).values(password_hash=_hasher.hash(password))
    connection.execute(changed)
    connection.execute(delete(web_sessions).where(web_sessions.c.person_id == person.id))


def who_logs_in(connection: Connection, name: str, password: str) -> Person | None:
    """The person of that name if the password is right. Takes as long as argon2 does, also for a stranger."""
    row = connection.execute(_persons(people.c.password_hash).where(people.c.name == name)).one_or_none()
    try:
        with _at_once:
            _hasher.verify(_NOBODY if row is None else row.password_hash, password)
    except (Argon2Error, InvalidHashError):
        return None
    return None if row is None else _person(row)


def open_session(connection: Connection, person: Person, now_ms: int) -> str:
    """The cookie's value of a new browser session. Sessions that have ended are swept on the way."""
    token = new_secret()
    connection.execute(delete(web_sessions).where(web_sessions.c.expires_ms <= now_ms))
    values = {"token_hash": hash_of(token), "person_id": person.id, "expires_ms": now_ms + SESSION_MS}
    connection.execute(web_sessions.insert(), values)
    return token


def who_has_session(connection: Connection, token: str, now_ms: int) -> Person | None:
    """The person behind a session cookie, or None if it is unknown or over."""
    query = (
        _persons()
        .join(web_sessions, web_sessions.c.person_id == people.c.id)
        .where(web_sessions.c.token_hash == hash_of(token), web_sessions.c.expires_ms > now_ms)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _person(row)


def close_session(connection: Connection, token: str) -> None:
    connection.execute(delete(web_sessions).where(web_sessions.c.token_hash == hash_of(token)))


def _persons(*more: Any) -> Select[Any]:
    return select(people.c.id, people.c.name, people.c.role, *more)


def _person(row: Row[Any]) -> Person:
    return Person(row.id, row.name, Role(row.role))
