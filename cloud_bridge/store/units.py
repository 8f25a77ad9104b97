"""Charge points: added by the operator, known by id."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, select
from sqlalchemy.exc import IntegrityError

from cloud_bridge.errors import AlreadyThere, BridgeError
from cloud_bridge.store.people import Person, Role
from cloud_bridge.store.secrets import hash_of, new_claim_code, new_secret
from cloud_bridge.store.tables import contacts, heartbeats, units
from cloud_bridge.wire import UNIT_ID


class NewUnit(NamedTuple):
    """What is told once and never again: the unit's password for the broker and the code on its label."""

    id: str
    secret: str
    claim_code: str


class Unit(NamedTuple):
    """A charge point as it stands in the store; the live state may be up to a second newer."""

    id: str
    time_zone: str
    silent_after_ms: int
    last_contact_ms: int | None
    heartbeat_ms: int | None
    heartbeat: str | None  # the payload


def add_unit(connection: Connection, unit_id: str, now_ms: int) -> NewUnit:
    """Raises BridgeError for an id that does not fit in a topic, AlreadyThere for one that exists."""
    if not UNIT_ID.match(unit_id):
        raise BridgeError(f"{unit_id!r} is no unit id: use 1 to 36 of A-Z a-z 0-9 _ and -")
    new = NewUnit(unit_id, new_secret(), new_claim_code())
    values = {
        "id": unit_id,
        "secret_hash": hash_of(new.secret),
        "claim_hash": hash_of(new.claim_code),
        "created_ms": now_ms,
    }
    try:
        connection.execute(units.insert(), values)
    except IntegrityError as error:
        raise AlreadyThere(f"the unit {unit_id} exists already") from error
    return new


def secret_hash(connection: Connection, unit_id: str) -> str | None:
    """None: no such unit."""
    return connection.execute(select(units.c.secret_hash).where(units.c.id == unit_id)).scalar()


def last_contacts(connection: Connection) -> Sequence[tuple[str, int]]:
    """Every unit that was ever heard, with its last contact."""
    return [(row.unit_id, row.last_contact_ms) for row in connection.execute(select(contacts))]


def visible_units(connection: Connection, viewer: Person | None) -> list[Unit]:
    """All units that the viewer may see, by id. None is an API token, which sees all."""
    return [Unit(*row) for row in connection.execute(_visible(viewer).order_by(units.c.id))]


def visible_unit(connection: Connection, viewer: Person | None, unit_id: str) -> Unit | None:
    """None both for a unit that does not exist and for one that is not the viewer's: they look the same."""
    row = connection.execute(_visible(viewer).where(units.c.id == unit_id)).one_or_none()
    return None if row is None else Unit(*row)


def _visible(viewer: Person | None) -> Select[Any]:
    query = (
        select(
            units.c.id,
            units.c.time_zone,
            units.c.silent_after_ms,
            contacts.c.last_contact_ms,
            heartbeats.c.received_ms,
            heartbeats.c.payload,
        )
        .outerjoin(contacts, contacts.c.unit_id == units.c.id)
        .outerjoin(heartbeats, heartbeats.c.unit_id == units.c.id)
    )
    if viewer is None or viewer.role is Role.OPERATOR:
        return query
    return query.where(units.c.owner_id == viewer.id)
