"""Letters to people who have forgotten their password: each has a code that counts once, for an hour, stored as a hash."""

from sqlalchemy import Connection, delete, select

from cloud_bridge.durations import HOUR_MS
from cloud_bridge.errors import BridgeError
from cloud_bridge.store.access import Person
from cloud_bridge.store.email import person_with_email
from cloud_bridge.store.people import find_person, person_by_id
from cloud_bridge.store.secrets import hash_of, new_secret
from cloud_bridge.store.tables import password_resets

RESET_MS = HOUR_MS
RESETS_MAX = 3  # of one person; a further one does not end those that are on their way


def account_called(connection: Connection, typed: str) -> Person | None:
    """Whose e-mail address it is, or else whose name."""
    person_id = person_with_email(connection, typed.strip())
    try:
        return find_person(connection, typed) if person_id is None else person_by_id(connection, person_id)
    except BridgeError:
        return None


def ask_for_reset(connection: Connection, person: Person, now_ms: int) -> str:
    """The code to be sent to the person's address."""
    code = new_secret()
    theirs = password_resets.c.person_id == person.id
    newest = select(password_resets.c.code_hash).where(theirs).order_by(password_resets.c.expires_ms.desc())
    surplus = list(connection.execute(newest.offset(RESETS_MAX - 1)).scalars())
    connection.execute(delete(password_resets).where(password_resets.c.code_hash.in_(surplus)))
    values = {"code_hash": hash_of(code), "person_id": person.id, "expires_ms": now_ms + RESET_MS}
    connection.execute(password_resets.insert(), values)
    return code


def find_reset(connection: Connection, code: str, now_ms: int) -> Person | None:
    """Whose password may be set with it. None: the code is unknown, used or over."""
    is_it = password_resets.c.code_hash == hash_of(code), password_resets.c.expires_ms > now_ms
    person_id = connection.execute(select(password_resets.c.person_id).where(*is_it)).scalar()
    return None if person_id is None else person_by_id(connection, person_id)


def use_reset(connection: Connection, code: str, now_ms: int) -> Person | None:
    """As `find_reset`; it counts no more. `set_password` ends the person's others."""
    person = find_reset(connection, code, now_ms)
    used = connection.execute(delete(password_resets).where(password_resets.c.code_hash == hash_of(code)))
    return person if used.rowcount == 1 else None
