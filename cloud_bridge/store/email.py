"""Change a person's e-mail address, with a code that is sent to the new address.

The caller sends it (alerts/mail.py). The old address stays in use until the change is confirmed, so a typing mistake
locks nobody out, and somebody else's address receives only one letter.
"""

from typing import NamedTuple

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from cloud_bridge.alerts.services import EMAIL_ADDRESS
from cloud_bridge.errors import AlreadyThere, BridgeError
from cloud_bridge.store.access import Person, Role
from cloud_bridge.store.secrets import hash_of, new_secret
from cloud_bridge.store.tables import email_changes, password_resets, people
from cloud_bridge.words import gettext as _

CODE_MS = 24 * 3600 * 1000


class Change(NamedTuple):
    """A confirmed change from `former`, None if there was no address, to `address`."""

    person: Person
    address: str
    former: str | None


def checked_email(address: str) -> str:
    """Return the address without surrounding spaces. Raises BridgeError if it is not valid."""
    address = address.strip()
    if not EMAIL_ADDRESS.fullmatch(address):
        raise BridgeError(_("{address} is no e-mail address").format(address=f"{address!r}"))
    return address


def email_of(connection: Connection, person_id: int) -> str | None:
    return connection.execute(select(people.c.email).where(people.c.id == person_id)).scalar()


def person_with_email(connection: Connection, address: str) -> int | None:
    """Return the id of the person with this address, or None. Case is ignored, as mail providers do."""
    same, is_exact = func.lower(people.c.email) == address.lower(), people.c.email == address
    query = select(people.c.id).where(same).order_by(is_exact.desc(), people.c.id)
    return connection.execute(query).scalars().first()


def pending_email(connection: Connection, person_id: int, now_ms: int) -> str | None:
    """Return the address that waits to be confirmed, or None."""
    query = select(email_changes.c.email).where(
        email_changes.c.person_id == person_id, email_changes.c.expires_ms > now_ms
    )
    return connection.execute(query).scalar()


def ask_for_change(connection: Connection, person: Person, address: str, now_ms: int) -> str:
    """Return the code to send to the new address. It replaces an earlier request. Raises BridgeError."""
    code = new_secret()
    forget_change(connection, person)
    values = {"email": checked_email(address), "code_hash": hash_of(code), "expires_ms": now_ms + CODE_MS}
    connection.execute(email_changes.insert(), values | {"person_id": person.id})
    return code


def forget_change(connection: Connection, person: Person) -> None:
    """Delete the person's pending change."""
    connection.execute(delete(email_changes).where(email_changes.c.person_id == person.id))


def confirm_change(connection: Connection, code: str, now_ms: int) -> Change | None:
    """Change the address. Return None if the code is unknown, used or expired. Raises AlreadyThere."""
    columns = (email_changes, people.c.name, people.c.role, people.c.language, people.c.email.label("former"))
    query = select(*columns).join(people, people.c.id == email_changes.c.person_id)
    row = connection.execute(query.where(email_changes.c.code_hash == hash_of(code))).one_or_none()
    if row is None or row.expires_ms <= now_ms:
        return None
    for table in (email_changes, password_resets):  # their letters went to the former address
        connection.execute(delete(table).where(table.c.person_id == row.person_id))
    if person_with_email(connection, row.email) not in (None, row.person_id):  # ignores case
        raise AlreadyThere(_("another account uses this e-mail address"))
    try:
        connection.execute(update(people).where(people.c.id == row.person_id).values(email=row.email))
    except IntegrityError as error:
        raise AlreadyThere(_("another account uses this e-mail address")) from error
    return Change(Person(row.person_id, row.name, Role(row.role), row.language), row.email, row.former)
