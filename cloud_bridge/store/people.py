"""People who log in to the pages, and their browser sessions."""

from enum import StrEnum
from threading import BoundedSemaphore
from typing import NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import Connection, delete, select
from sqlalchemy.exc import IntegrityError

from cloud_bridge.errors import AlreadyThere, BridgeError
from cloud_bridge.store.secrets import hash_of, new_secret
from cloud_bridge.store.tables import people, web_sessions

SESSION_MS = 30 * 24 * 3600 * 1000  # a phone in a pocket stays logged in for a month
MAX_NAME = 100

_hasher = PasswordHasher()  # argon2id with the parameters of RFC 9106's low-memory choice
_at_once = BoundedSemaphore(2)  # each takes 64 MiB: a crowd at the login must not take the house down
_NOBODY = _hasher.hash(new_secret())  # an unknown name costs as much time as a wrong password


class Role(StrEnum):
    """What a person may see: a driver the units claimed, an operator all."""

    DRIVER = "driver"
    INSTALLER = "installer"
    SUPPORT = "support"
    OPERATOR = "operator"


class Person(NamedTuple):
    id: int
    name: str
    role: Role


def add_person(connection: Connection, name: str, password: str, role: Role, now_ms: int) -> None:
    """Takes as long as argon2 does. Raises AlreadyThere, or BridgeError for a name that is none."""
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise BridgeError(f"{name!r} is no user name: use 1 to {MAX_NAME} printable characters")
    values = {"name": name, "password_hash": _hasher.hash(password), "role": role, "created_ms": now_ms}
    try:
        connection.execute(people.insert(), values)
    except IntegrityError as error:
        raise AlreadyThere(f"the user {name} exists already") from error


def who_logs_in(connection: Connection, name: str, password: str) -> Person | None:
    """The person of that name if the password is right. Takes as long as argon2 does, also for a stranger."""
    row = connection.execute(select(people).where(people.c.name == name)).one_or_none()
    try:
        with _at_once:
            _hasher.verify(_NOBODY if row is None else row.password_hash, password)
    except (Argon2Error, InvalidHashError):
        return None
    return None if row is None else Person(row.id, row.name, Role(row.role))


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
        select(people.c.id, people.c.name, people.c.role)
        .join(web_sessions, web_sessions.c.person_id == people.c.id)
        .where(web_sessions.c.token_hash == hash_of(token), web_sessions.c.expires_ms > now_ms)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else Person(row.id, row.name, Role(row.role))


def close_session(connection: Connection, token: str) -> None:
    connection.execute(delete(web_sessions).where(web_sessions.c.token_hash == hash_of(token)))
