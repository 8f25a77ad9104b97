"""People's contact details. The driver of a unit sees its installer's name and phone number, and a job is filled in
from the driver's details (job_customers.py).
"""

import re
from typing import NamedTuple

from sqlalchemy import Connection, select

from cloud_bridge.errors import BridgeError
from cloud_bridge.store.tables import contact_details, people, unit_installers
from cloud_bridge.store.upsert import replace
from cloud_bridge.words import gettext as _

MAX_NAME = 100
MAX_PHONE = 40
MAX_ADDRESS, MAX_ADDRESS_LINES = 300, 8
MAX_NOTES, MAX_NOTES_LINES = 500, 12
PHONE = re.compile(r"\+?[0-9 ()./-]*")
FEWEST_DIGITS, MOST_DIGITS = 5, 15  # ITU-T E.164 allows at most 15; internal numbers may have 5


class Details(NamedTuple):
    """The contact details of a person; "" for what was not given. Address and access notes may have several lines."""

    full_name: str = ""
    phone: str = ""
    email: str = ""
    address: str = ""
    access_notes: str = ""


class BadDetails(BridgeError):
    """Some details are not valid. `wrong` says by field name what to change."""

    def __init__(self, wrong: dict[str, str]) -> None:
        super().__init__("; ".join(wrong.values()))
        self.wrong = wrong


def checked(details: Details) -> Details:
    """Validate details and return them for storage, without surrounding spaces and empty lines. Raises BadDetails."""
    tidy = details._replace(
        full_name=details.full_name.strip(),
        phone=details.phone.strip(),
        address=_lines(details.address),
        access_notes=_lines(details.access_notes),
    )
    wrong = {}
    if len(tidy.full_name) > MAX_NAME or not tidy.full_name.isprintable():
        wrong["full_name"] = _("A name has up to {most} printable characters.").format(most=MAX_NAME)
    if not _is_phone(tidy.phone):
        wrong["phone"] = _("Type a phone number with its digits, for example +44 161 496 0000.")
    for name, characters, lines in (
        ("address", MAX_ADDRESS, MAX_ADDRESS_LINES),
        ("access_notes", MAX_NOTES, MAX_NOTES_LINES),
    ):
        text = getattr(tidy, name)
        if len(text) > characters or text.count("\n") >= lines or not all(map(str.isprintable, text.split("\n"))):
            said = _("Up to {lines} lines, and {characters} printable characters in all.")
            wrong[name] = said.format(lines=lines, characters=characters)
    if wrong:
        raise BadDetails(wrong)
    return tidy


def details_of(connection: Connection, person_id: int) -> Details:
    known = contact_details.c
    query = (
        select(known.full_name, known.phone, people.c.email, known.address, known.access_notes)
        .select_from(people)
        .outerjoin(contact_details, contact_details.c.person_id == people.c.id)
        .where(people.c.id == person_id)
    )
    row = connection.execute(query).one_or_none()
    return Details() if row is None else Details(*(value or "" for value in row))


def set_details(connection: Connection, person_id: int, details: Details) -> None:
    """Store details except for the e-mail address, which is changed in email.py. Raises BadDetails."""
    row = checked(details)._asdict()
    del row["email"]
    replace(connection, contact_details, [{"person_id": person_id, **row}])


def installer_details(connection: Connection, unit_id: str) -> Details | None:
    """Return the details of the unit's newest installer, or None if there is none."""
    query = (
        select(people.c.id)
        .join(unit_installers, unit_installers.c.person_id == people.c.id)
        .where(unit_installers.c.unit_id == unit_id)
        .order_by(unit_installers.c.since_ms.desc())
    )
    found = connection.execute(query).scalars().first()
    return None if found is None else named_details(connection, found)


def named_details(connection: Connection, person_id: int) -> Details:
    """Return the person's details, with their login name if they have given no name."""
    details = details_of(connection, person_id)
    if details.full_name:
        return details
    name = connection.execute(select(people.c.name).where(people.c.id == person_id)).scalar()
    return details._replace(full_name=name or "")


def _is_phone(text: str) -> bool:
    digits = sum(map(str.isdecimal, text))
    return text == "" or (
        len(text) <= MAX_PHONE and PHONE.fullmatch(text) is not None and FEWEST_DIGITS <= digits <= MOST_DIGITS
    )


def _lines(text: str) -> str:
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())
