"""Password resets by e-mail: each has a code that can be used once within an hour, stored as a hash."""

from sqlalchemy import Connection, delete, select

from cloud_bridge.durations import HOUR_MS
from cloud_bridge.errors import BridgeError
from cloud_bridge.store.access import Person
from cloud_bridge.store.email import person_with_email
from cloud_bridge.store.people import find_person, person_by_id
from cloud_bridge.store.secrets import hash_of, new_secret
from cloud_bridge.store.tables import password_resets

RESET_MS = HOUR_MS
RESETS_MAX = 3  # of one person, so that a new one does not invalidate a letter that is still on its way


def account_called(connection: Connection, typed: str) -> Person | None:
    """Return the person with this e-mail address, or else with this name, or None."""
    person_id = person_with_email(connection, typed.strip())
    try:
        return find_person(connection, typed) if person_id is None else person_by_id(connection, person_id)
    except BridgeError:
        return None


def ask_for_reset(connection: Connection, person: Person, now_ms: int) -> str:
    """Create a reset, and return the code to send to the person's address."""
    code = new_secret()
    theirs = password_resets.c.person_id == person.id
    newest = select(password_resets.c.code_hash).where(theirs).order_by(password_resets.c.expires_ms.desc())
    surplus = list(connection.execute(newest.offset(RESETS_MAX - 1)).scalars())
    connection.execute(delete(password_resets).where(password_resets.c.code_hash.in_(surplus)))
    values = {"code_hash": hash_of(code), "person_id": person.id, "expires_ms": now_ms + RESET_MS}
    connection.execute(password_resets.insert(), values)
    return code


def find_reset(connection: Connection, code: str, now_ms: int) -> Person | None:
    """Return the person whose password may be set with this code, or None if it is unknown, used or expired."""
    is_it = password_resets.c.code_hash == hash_of(code), password_resets.c.expires_ms > now_ms
    person_id = connection.execute(select(password_resets.c.person_id).where(*is_it)).scalar()
    return None if person_id is None else person_by_id(connection, person_id)


def use_reset(connection: Connection, code: str, now_ms: int) -> Person | None:
    """Use up a code, and return what `find_reset` returns. `set_password` deletes the person's other codes."""
    person = find_reset(connection, code, now_ms)
    used = connection.execute(delete(password_resets).where(password_resets.c.code_hash == hash_of(code)))
    return person if used.rowcount == 1 else None
