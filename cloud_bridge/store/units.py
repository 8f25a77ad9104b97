"""Charge points: added by the operator, identified by their id."""

from collections.abc import Collection, Sequence
from enum import StrEnum
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, bindparam, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from cloud_bridge.contact import StoredContact
from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.errors import AlreadyThere, BridgeError
from cloud_bridge.store.access import Asker, Role, anybody, at_home, visible
from cloud_bridge.store.duplicates import DUPLICATE_COLUMNS, Duplicate, duplicate_of, forget_duplicate
from cloud_bridge.store.ownership import Period, joined_ms, period_for
from cloud_bridge.store.secrets import NO_HASH, broker_hash, hash_of, new_authorization_key, new_claim_code, new_secret
from cloud_bridge.store.tables import (
    contacts,
    duplicate_identities,
    heartbeats,
    ocpp_lines,
    over_quota,
    people,
    presence,
    totals,
    units,
)
from cloud_bridge.store.upsert import insert_one
from cloud_bridge.wire import UNIT_ID

SILENT_AFTER_LEAST_MS = 5 * MINUTE_MS
SILENT_AFTER_MOST_MS = 7 * 24 * 60 * MINUTE_MS  # a unit that sends less often cannot be monitored
OURS = "_"  # the names of our own MQTT clients begin with it


class Protocol(StrEnum):
    """The protocol by which a unit communicates with us."""

    MQTT = "mqtt"  # our own wire format
    OCPP = "ocpp"  # 1.6J or 2.0.1, of chargers of other makers (ingest/ocpp)


class Listed(NamedTuple):
    """A unit in the operator's list."""

    unit_id: str
    protocol: str
    owner: str | None  # None: it has no owner
    claimed_ms: int | None
    silent_after_ms: int
    last_contact_ms: int | None  # None: never heard


class NewUnit(NamedTuple):
    """What is shown only once: the unit's password for the broker and the code on its label."""

    id: str
    secret: str
    claim_code: str


class UnitHashes(NamedTuple):
    """The stored hashes of a unit's secret and of the code on its label."""

    secret_hash: str
    claim_hash: str


class Unit(NamedTuple):
    """A charge point as stored, for one asker; the live state may be up to a second newer."""

    id: str
    time_zone: str
    silent_after_ms: int
    heartbeat_ms: int | None
    heartbeat: str | None  # the payload
    name: str  # given by its owner; may be empty
    owner_id: int | None
    protocol: str  # a Protocol
    duplicate: Duplicate | None  # of its identity, as last found
    period: Period  # the part of its past that the asker may see
    contact: StoredContact | None  # the last one; None: never
    connected: bool | None = None  # has a connection open; None: not known, since its broker does not tell
    door: str | None = None  # that reported the connection
    over_quota_ms: int | None = None  # when it last sent too much
    is_unreadable: bool = False  # a stored value of the above is not valid and was left out


_SPEAKS_MQTT = units.c.protocol == Protocol.MQTT
_CONTACT = (contacts.c.last_contact_ms, contacts.c.listened_ms, contacts.c.latest_ms, contacts.c.shard)
_NOW = tuple(  # subqueries, so that most readers need not join tables for values that only a few rows have
    select(column).where(column.table.c.unit_id == units.c.id).scalar_subquery()
    for column in (presence.c.connected, presence.c.door, over_quota.c.at_ms)
)
_OWN = (
    units.c.id,
    units.c.time_zone,
    units.c.silent_after_ms,
    heartbeats.c.received_ms,
    heartbeats.c.payload,
    units.c.name,
    units.c.owner_id,
    units.c.protocol,
)


def unit_columns(asker: Asker) -> tuple[ColumnElement[Any], ...]:
    """The columns for `unit_for`, in the order of `Unit`; those of its contact last."""
    return (*_OWN, *DUPLICATE_COLUMNS, units.c.owned_from_ms, joined_ms(asker), *_NOW, *_CONTACT)


_OF_ITS_MESSAGES = [(at, column) for at, column in enumerate(_OWN) if column.table is heartbeats]


def unit_for(asker: Asker, row: Sequence[Any]) -> Unit:
    """Make a unit from a row of `unit_columns` that the asker may see (access.visible)."""
    columns = iter(row)
    known, duplicate_row = (list(islice(columns, len(of_them))) for of_them in (_OWN, DUPLICATE_COLUMNS))
    owned_from_ms, joined = islice(columns, 2)
    connected, door, over_quota_ms = islice(columns, len(_NOW))
    contact_row = list(columns)
    valid = list(known)
    for at, column in _OF_ITS_MESSAGES:
        if not _is_valid(column, known[at]):
            valid[at] = None
    duplicate, contact = duplicate_of(duplicate_row), _contact_of(contact_row)
    is_unreadable = (
        valid != known
        or (duplicate is None and duplicate_row[0] is not None)
        or (contact is None and contact_row[0] is not None)
    )
    period = period_for(asker, known[0], owned_from_ms, joined)
    return Unit(*[*valid, duplicate, period, contact, connected, door, over_quota_ms, is_unreadable])


def _is_valid(column: Any, value: Any) -> bool:
    if isinstance(column.type, BigInteger):
        return value is None or (type(value) is int and value >= 0)
    return value is None or type(value) is str


def _contact_of(row: Sequence[Any]) -> StoredContact | None:
    """The last contact. None if it was never heard, or if the row is not valid. Times in the future are left for the
    reader to assess: our clock may have been wrong (contact.py)."""
    is_valid = all(type(value) is int for value in row) and row[0] >= 0
    return StoredContact(*row) if is_valid else None


def register_unit(connection: Connection, unit_id: str, now_ms: int, hashes: UnitHashes) -> bool:
    """Add a manufactured unit, given the hashes of its secret and of the code on its label. False: exactly this unit
    exists already. Raises BridgeError for an id that does not fit in a topic, AlreadyThere if the id or the code is
    taken."""
    _check_id(unit_id)
    row = {"id": unit_id, **hashes._asdict(), "created_ms": now_ms, "protocol": Protocol.MQTT}
    if insert_one(connection, units, row):
        _count_one_more(connection)
        return True
    query = select(units.c.secret_hash, units.c.claim_hash).where(units.c.id == unit_id)
    found = connection.execute(query).one_or_none()
    if found is None:
        raise AlreadyThere("another unit has this claim code")
    if tuple(found) != tuple(hashes):
        raise AlreadyThere(f"the unit {unit_id} exists already, with another secret or claim code")
    return False


def add_unit(
    connection: Connection, unit_id: str, now_ms: int, secret: str | None = None, protocol: Protocol = Protocol.MQTT
) -> NewUnit:
    """Add a unit with the given secret, or a new one. Raises BridgeError for an id that does not fit in a topic,
    AlreadyThere for an id that exists."""
    _check_id(unit_id)
    new = NewUnit(unit_id, secret or _new_secret(protocol), new_claim_code())
    values = {
        "id": unit_id,
        "secret_hash": hash_of(new.secret),
        "claim_hash": hash_of(new.claim_code),
        "broker_hash": broker_hash(new.secret),
        "created_ms": now_ms,
        "protocol": protocol,
    }
    try:
        connection.execute(units.insert(), values)
    except IntegrityError as error:
        raise AlreadyThere(f"the unit {unit_id} exists already") from error
    _count_one_more(connection)
    return new


def _check_id(unit_id: str) -> None:
    if not UNIT_ID.match(unit_id) or unit_id.startswith(OURS):
        raise BridgeError(
            f"{unit_id!r} is not a valid unit id: use 1 to 36 of A-Z a-z 0-9 _ and -, and no _ at the start"
        )


def _count_one_more(connection: Connection) -> None:
    connection.execute(update(totals).where(totals.c.name == "units").values(value=totals.c.value + 1))


def change_secret(connection: Connection, unit_id: str, now_ms: int, secret: str | None = None) -> str:
    """Set the given secret or a new one; the old one is not valid from now on. Raises BridgeError if there is no such
    unit."""
    secret = secret or _new_secret(protocol_of(connection, unit_id))
    _set_secret(connection, unit_id, hash_of(secret), broker_hash(secret), now_ms)
    return secret


def protocol_of(connection: Connection, unit_id: str) -> Protocol:
    """The protocol of a unit; MQTT if there is no such unit."""
    found = connection.execute(select(units.c.protocol).where(units.c.id == unit_id)).scalar()
    return Protocol.OCPP if found == Protocol.OCPP else Protocol.MQTT


def _new_secret(protocol: Protocol) -> str:
    return new_authorization_key() if protocol is Protocol.OCPP else new_secret()


def revoke(connection: Connection, unit_id: str, now_ms: int) -> None:
    """Revoke the unit's secret: it cannot log in until it gets a new one. Raises BridgeError if there is no such
    unit."""
    _set_secret(connection, unit_id, NO_HASH, None, now_ms)


def _set_secret(connection: Connection, unit_id: str, new_hash: str, at_broker: str | None, now_ms: int) -> None:
    # Later than any other, whatever the clock of this machine says, so that a search for changes finds it.
    changed_ms = max(now_ms, newest_credentials(connection) + 1)
    values = {"secret_hash": new_hash, "broker_hash": at_broker, "credentials_ms": changed_ms}
    statement = update(units).where(units.c.id == unit_id).values(values)
    if connection.execute(statement).rowcount == 0:
        raise BridgeError(f"there is no unit {unit_id}")
    forget_duplicate(connection, unit_id)


def broker_passwords(connection: Connection) -> list[tuple[str, str]]:
    """Every unit that may log in to an outside broker, with the hash of its secret."""
    may_log_in = (units.c.broker_hash.is_not(None), _SPEAKS_MQTT)
    query = select(units.c.id, units.c.broker_hash).where(*may_log_in).order_by(units.c.id)
    return [(row.id, row.broker_hash) for row in connection.execute(query)]


def newest_credentials(connection: Connection) -> int:
    """When a secret was last changed or revoked, by the clock that was furthest ahead; 0: never."""
    return connection.execute(select(func.max(units.c.credentials_ms))).scalar() or 0


def credentials_of(connection: Connection, unit_id: str) -> int | None:
    """When the secret of the unit was last changed or revoked; 0: never; None: no such unit."""
    return connection.execute(select(units.c.credentials_ms).where(units.c.id == unit_id)).scalar()


def credentials_times(connection: Connection, ids: Collection[str]) -> dict[str, int]:
    """The same as `credentials_of`, for those of these ids that are units."""
    query = select(units.c.id, units.c.credentials_ms).where(units.c.id.in_(ids))
    return {row.id: row.credentials_ms for row in connection.execute(query)}


def changed_credentials(connection: Connection, since_ms: int) -> dict[str, int]:
    """The units whose secret was changed or revoked since `since_ms`, with the time of the change."""
    query = select(units.c.id, units.c.credentials_ms).where(units.c.credentials_ms >= since_ms)
    return {row.id: row.credentials_ms for row in connection.execute(query)}


def login_states(connection: Connection, since_ms: int, ids: Collection[str] = ()) -> dict[str, bool]:
    """The same as `states_of`, for these units and for those whose secret was changed or revoked since `since_ms`."""
    has_changed = units.c.credentials_ms >= since_ms
    query = select(units.c.id, units.c.secret_hash != NO_HASH)
    found = connection.execute(query.where(or_(has_changed, units.c.id.in_(ids)) if ids else has_changed))
    return {unit_id: bool(may_log_in) for unit_id, may_log_in in found}


def states_of(connection: Connection, ids: Collection[str]) -> dict[str, bool]:
    """Whether each of these units may log in; ids that are missing in the result are no units. False: its secret was
    revoked and it has no new one."""
    query = select(units.c.id, units.c.secret_hash != NO_HASH).where(units.c.id.in_(ids))
    return {unit_id: bool(may_log_in) for unit_id, may_log_in in connection.execute(query)}


def secret_hash(connection: Connection, unit_id: str, protocol: Protocol) -> str | None:
    """The hash of a unit's secret. None: there is no such unit with this protocol."""
    of_unit = (units.c.id == unit_id, units.c.protocol == protocol)
    return connection.execute(select(units.c.secret_hash).where(*of_unit)).scalar()


def secret_hashes(connection: Connection, ids: Collection[str]) -> dict[str, str]:
    """The hashes for those of these ids that are units with our own wire format."""
    query = select(units.c.id, units.c.secret_hash).where(units.c.id.in_(ids), _SPEAKS_MQTT)
    return {row.id: row.secret_hash for row in connection.execute(query)}


def few_visible(asker: Asker, limit: int | None, after: str = "") -> Select[tuple[str]]:
    """The ids of the first units after `after` that the asker may see."""
    return select(units.c.id).where(visible(asker), units.c.id > after).order_by(units.c.id).limit(limit)


def visible_units(connection: Connection, asker: Asker, limit: int | None = None, after: str = "") -> list[Unit]:
    """The units that the asker may see, by id, from the one after `after`; all of them unless limited."""
    # Limited before the join: otherwise PostgreSQL sorts a whole table to join half a million rows, of which 500 are
    # needed.
    few = few_visible(asker, limit, after).subquery()
    query = _units(asker).join(few, few.c.id == units.c.id).order_by(units.c.id)
    return [unit_for(asker, row) for row in connection.execute(query)]


def units_at_home(connection: Connection, asker: Asker) -> list[Unit]:
    """The asker's own units and those that others share with them, by id, without others that their role lets them
    see."""
    query = _units(asker).where(visible(asker), at_home(asker)).order_by(units.c.id)
    return [unit_for(asker, row) for row in connection.execute(query)]


def visible_unit(connection: Connection, asker: Asker, unit_id: str) -> Unit | None:
    """A unit that the asker may see. None both for a unit that does not exist and for one that they may not see, so
    that these cannot be told apart."""
    row = connection.execute(_visible_unit(asker.role), {"asker_id": asker.id, "unit_id": unit_id}).one_or_none()
    return None if row is None else unit_for(asker, row)


@cache
def _visible_unit(role: Role) -> Select[Any]:
    asker = anybody(role)
    return _units(asker).where(visible(asker), units.c.id == bindparam("unit_id"))


def visible_ids(connection: Connection, asker: Asker, unit_ids: Collection[str]) -> set[str]:
    """The units among these that the asker may see."""
    return set(connection.execute(select(units.c.id).where(visible(asker), units.c.id.in_(unit_ids))).scalars())


def visible_zones(connection: Connection, asker: Asker, unit_ids: Collection[str]) -> dict[str, str]:
    """The time zones of those of these units that the asker may see, by id."""
    query = select(units.c.id, units.c.time_zone).where(visible(asker), units.c.id.in_(unit_ids))
    return {row.id: row.time_zone for row in connection.execute(query)}


def unit_of_past_work(connection: Connection, asker: Asker, unit_id: str) -> Unit | None:
    """The unit of a job of the asker's, whether they still see it or not: without name, owner and present state."""
    row = connection.execute(_units(asker).where(units.c.id == unit_id)).one_or_none()
    if row is None:
        return None
    past = unit_for(asker, row)._replace(name="", owner_id=None, heartbeat_ms=None, heartbeat=None, duplicate=None)
    return past._replace(connected=None, door=None, over_quota_ms=None)


def unit_ids(connection: Connection) -> list[str]:
    """The ids of all units, for the operator's command line."""
    return list(connection.execute(select(units.c.id).order_by(units.c.id)).scalars())


def listed(connection: Connection) -> list[Listed]:
    """All units, by id, for the operator's command line."""
    found = units.outerjoin(people, people.c.id == units.c.owner_id).outerjoin(
        contacts, contacts.c.unit_id == units.c.id
    )
    query = select(
        units.c.id,
        units.c.protocol,
        people.c.name,
        units.c.claimed_ms,
        units.c.silent_after_ms,
        contacts.c.last_contact_ms,
    )
    return [Listed(*row) for row in connection.execute(query.select_from(found).order_by(units.c.id))]


def set_silent_after(connection: Connection, unit_id: str, silent_after_ms: int) -> None:
    """Set after how long without a message the unit counts as silent. Raises BridgeError."""
    if not SILENT_AFTER_LEAST_MS <= silent_after_ms <= SILENT_AFTER_MOST_MS:
        raise BridgeError(
            f"a charge point may be silent for {SILENT_AFTER_LEAST_MS // MINUTE_MS} to "
            f"{SILENT_AFTER_MOST_MS // MINUTE_MS} minutes"
        )
    changed = connection.execute(update(units).where(units.c.id == unit_id).values(silent_after_ms=silent_after_ms))
    if changed.rowcount == 0:
        raise BridgeError(f"there is no unit {unit_id}")
    connection.execute(update(ocpp_lines).where(ocpp_lines.c.unit_id == unit_id).values(usual_after_ms=None))


def newest_heartbeat(connection: Connection, unit_id: str) -> str | None:
    """The payload of its newest heartbeat, for the door to which it connects; None: there was none."""
    return connection.execute(select(heartbeats.c.payload).where(heartbeats.c.unit_id == unit_id)).scalar()


def count_units(connection: Connection) -> int:
    """The number of units that were added, as counted by `add_unit`."""
    return int(connection.execute(select(totals.c.value).where(totals.c.name == "units")).scalar_one())


def count_silent(connection: Connection) -> int:
    """The number of units that were noticed silent and have not been heard since."""
    return connection.execute(select(func.count()).where(contacts.c.silent_ms.is_not(None))).scalar_one()


def _units(asker: Asker) -> Select[Any]:
    return (
        select(*unit_columns(asker))
        .outerjoin(contacts, contacts.c.unit_id == units.c.id)
        .outerjoin(heartbeats, heartbeats.c.unit_id == units.c.id)
        .outerjoin(duplicate_identities, duplicate_identities.c.unit_id == units.c.id)
    )
