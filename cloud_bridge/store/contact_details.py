"""How a person wants to be reached: shown to the driver of a unit for its installer, and to the installer for the driver."""

from typing import NamedTuple

from sqlalchemy import Connection, select

from cloud_bridge.errors import BridgeError
from cloud_bridge.store.tables import contact_details, people, unit_installers
from cloud_bridge.store.upsert import replace

MAX_NAME = 100
MAX_PHONE = 40


class Details(NamedTuple):
    """Empty where nothing was said."""

    full_name: str = ""
    phone: str = ""
    email: str = ""


def details_of(connection: Connection, person_id: int) -> Details:
    query = (
        select(contact_details.c.full_name, contact_details.c.phone, people.c.email)
        .select_from(people)
        .outerjoin(contact_details, contact_details.c.person_id == people.c.id)
        .where(people.c.id == person_id)
    )
    row = connection.execute(query).one_or_none()
    return Details() if row is None else Details(*(value or "" for value in row))


def set_details(connection: Connection, person_id: int, full_name: str, phone: str) -> None:
    """Raises BridgeError for what is too long or does not print."""
    if len(full_name) > MAX_NAME or len(phone) > MAX_PHONE or not (full_name + phone).isprintable():
        raise BridgeError(f"a name has up to {MAX_NAME} printable characters, a phone number up to {MAX_PHONE}")
    row = {"person_id": person_id, "full_name": full_name.strip(), "phone": phone.strip()}
    replace(connection, contact_details, [row])


def installer_details(connection: Connection, unit_id: str) -> Details | None:
    """Of the unit's newest installer; None where there is none. Without a name of theirs, the login's."""
    query = (
        select(people.c.id, people.c.name)
        .join(unit_installers, unit_installers.c.person_id == people.c.id)
        .where(unit_installers.c.unit_id == unit_id)
        .order_by(unit_installers.c.since_ms.desc())
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    details = details_of(connection, row.id)
    return details if details.full_name else details._replace(full_name=row.name)
