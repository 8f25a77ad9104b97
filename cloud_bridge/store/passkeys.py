"""The rows of people's passkeys: public key, name, and time of last use.

web/security/passkey_check.py verifies what an authenticator sends.
"""

import secrets
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from cloud_bridge.errors import AlreadyThere, BridgeError
from cloud_bridge.store.access import Person, Role
from cloud_bridge.store.tables import passkeys, people, user_handles
from cloud_bridge.store.upsert import insert_new
from cloud_bridge.words import gettext as _

PASSKEYS_MAX = 10  # of one person
NAME_MAX = 60
HANDLE_BYTES = 64  # WebAuthn 14.6.1


class Passkey(NamedTuple):
    """A passkey, as shown to its person."""

    id: int
    name: str
    added_ms: int
    used_ms: int | None


class StoredPasskey(NamedTuple):
    """A passkey, with the data to verify a login."""

    id: int
    person: Person
    handle: bytes
    public_key: bytes
    sign_count: int


class PasskeyRow(NamedTuple):
    """The data of a new passkey."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


def handle_of(connection: Connection, person_id: int) -> bytes:
    """Return the WebAuthn user handle of a person: random, and created when they add their first passkey."""
    insert_new(connection, user_handles, [{"person_id": person_id, "handle": secrets.token_bytes(HANDLE_BYTES)}])
    query = select(user_handles.c.handle).where(user_handles.c.person_id == person_id)
    handle: bytes = connection.execute(query).scalar_one()
    return handle


def passkeys_of(connection: Connection, person_id: int) -> list[Passkey]:
    """Return a person's passkeys, in the order in which they were added."""
    columns = (passkeys.c[name] for name in Passkey._fields)
    query = select(*columns).where(passkeys.c.person_id == person_id).order_by(passkeys.c.id)
    return [Passkey(*row) for row in connection.execute(query)]


def credential_ids_of(connection: Connection, person_id: int) -> list[bytes]:
    """Return the credential ids of a person, so that an authenticator does not create a second passkey for them."""
    return list(connection.execute(select(passkeys.c.credential_id).where(passkeys.c.person_id == person_id)).scalars())


def find_passkey(connection: Connection, credential_id: bytes) -> StoredPasskey | None:
    """Return the passkey with this credential id, or None."""
    own = passkeys.c.id, people.c.id.label("person_id"), people.c.name, people.c.role
    query = (
        select(*own, user_handles.c.handle, passkeys.c.public_key, passkeys.c.sign_count)
        .join(people, people.c.id == passkeys.c.person_id)
        .join(user_handles, user_handles.c.person_id == people.c.id)
        .where(passkeys.c.credential_id == credential_id)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    person = Person(row.person_id, row.name, Role(row.role))
    return StoredPasskey(row.id, person, row.handle, row.public_key, row.sign_count)


def add_passkey(connection: Connection, person_id: int, name: str, new: PasskeyRow, now_ms: int) -> int:
    """Add a passkey and return its id. Raises AlreadyThere, and BridgeError for an invalid name or too many
    passkeys."""
    query = select(func.count()).select_from(passkeys).where(passkeys.c.person_id == person_id)
    if connection.execute(query).scalar_one() >= PASSKEYS_MAX:
        raise BridgeError(_("you have {most} passkeys: remove one first").format(most=PASSKEYS_MAX))
    values = {"person_id": person_id, "name": _checked(name), "added_ms": now_ms} | new._asdict()
    try:
        row_id: int = connection.execute(passkeys.insert().returning(passkeys.c.id), values).scalar_one()
    except IntegrityError as error:
        raise AlreadyThere(_("this passkey was added before")) from error
    return row_id


def use_passkey(connection: Connection, passkey: StoredPasskey, sign_count: int, now_ms: int) -> bool:
    """Record a login with a passkey. Return False if it was removed or used by another login since it was read."""
    is_same = passkeys.c.id == passkey.id, passkeys.c.sign_count == passkey.sign_count
    values = {"sign_count": sign_count, "used_ms": now_ms}
    return connection.execute(update(passkeys).where(*is_same).values(values)).rowcount == 1


def rename_passkey(connection: Connection, person_id: int, passkey_id: int, name: str) -> bool:
    """Rename a passkey. Return False if the person has no such passkey. Raises BridgeError for an invalid name."""
    theirs = passkeys.c.person_id == person_id, passkeys.c.id == passkey_id
    return connection.execute(update(passkeys).where(*theirs).values(name=_checked(name))).rowcount == 1


def remove_passkey(connection: Connection, person_id: int, passkey_id: int) -> bool:
    """Remove a passkey. Return False if the person has no such passkey."""
    theirs = passkeys.c.person_id == person_id, passkeys.c.id == passkey_id
    return connection.execute(delete(passkeys).where(*theirs)).rowcount == 1


def remove_all_passkeys(connection: Connection, person_id: int) -> int:
    """Remove all passkeys of a person, and return how many there were."""
    return connection.execute(delete(passkeys).where(passkeys.c.person_id == person_id)).rowcount


def _checked(name: str) -> str:
    name = name.strip()
    if not name or len(name) > NAME_MAX or not name.isprintable():
        raise BridgeError(_("the name of a passkey has 1 to {most} printable characters").format(most=NAME_MAX))
    return name
