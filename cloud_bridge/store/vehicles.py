"""Vehicles as rows of plain values. State, reason and event are interpreted by the vehicles room
(vehicles/repository.py).

Times are UTC in milliseconds since 1970.
"""

from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, Select, and_, bindparam, case, delete, literal, or_, select, update

from cloud_bridge.durations import HOUR_MS
from cloud_bridge.store.vehicle_tables import vehicle_attempts, vehicles

CHARGE_UNSEEN_MS = HOUR_MS  # within one charge, between two readings (poll_schedule.LONGEST_RETRY_MS)


class VehicleRow(NamedTuple):
    """A row, with the columns of the table in their order."""

    id: int
    person_id: int
    provider: str
    car_id: str
    vin: str
    name: str
    created_ms: int
    grant_id: str | None
    state: str
    since_ms: int
    reason: str | None
    before: str | None
    refused_ms: int | None
    advice: str
    seen_ms: int | None
    battery_percent: float | None
    plugged_in: bool | None
    charging: bool | None
    range_km: float | None
    looked_ms: int | None
    heard_ms: int | None
    failures: int
    due_ms: int


_COLUMNS = [vehicles.c[name] for name in VehicleRow._fields]
_select = select(*_COLUMNS)
_OF_PERSON = _select.where(vehicles.c.person_id == bindparam("person_id")).order_by(vehicles.c.id)


def vehicle_row(
    connection: Connection, vehicle_id: int, person_id: int | None = None, lock: bool = False
) -> VehicleRow | None:
    """The row of a vehicle. None if it does not exist or, if a person is given, is not theirs.

    `lock` keeps other writers from changing the row until the transaction ends.
    """
    query = _select.where(vehicles.c.id == vehicle_id)
    if person_id is not None:
        query = query.where(vehicles.c.person_id == person_id)
    return next(iter(_rows(connection, query.with_for_update() if lock else query)), None)


def rows_of_person(connection: Connection, person_id: int) -> list[VehicleRow]:
    """The person's vehicles, in the order in which they were added."""
    return [VehicleRow(*row) for row in connection.execute(_OF_PERSON, {"person_id": person_id})]


def rows_of_grant(connection: Connection, grant_id: str) -> list[VehicleRow]:
    """The vehicles that are read with this grant, in the order in which they were added."""
    return _rows(connection, _select.where(vehicles.c.grant_id == grant_id).order_by(vehicles.c.id))


def rows_of_car(connection: Connection, provider: str, car_id: str) -> list[VehicleRow]:
    """The rows of this car: one for each person who has linked it."""
    return _rows(connection, _select.where(vehicles.c.provider == provider, vehicles.c.car_id == car_id))


def due_rows(connection: Connection, now_ms: int, impossible_ms: int, limit: int) -> list[VehicleRow]:
    """The vehicles with a grant that are due now, or not before `impossible_ms`; the longest overdue first."""
    is_due = or_(vehicles.c.due_ms <= now_ms, vehicles.c.due_ms > impossible_ms)
    query = _select.where(vehicles.c.grant_id.is_not(None), is_due)
    return _rows(connection, query.order_by(vehicles.c.due_ms).limit(limit))


def rows_in_state(connection: Connection, state: str, since_ms: int, until_ms: int) -> list[VehicleRow]:
    """The vehicles that entered the state between the two times."""
    is_there = (vehicles.c.state == state, vehicles.c.since_ms.between(since_ms, until_ms))
    return _rows(connection, _select.where(*is_there).order_by(vehicles.c.id))


def rows_without_request(connection: Connection, state: str) -> list[VehicleRow]:
    """The vehicles in this state for which no authorization request is open."""
    requested = select(vehicle_attempts.c.vehicle_id).where(vehicle_attempts.c.vehicle_id.is_not(None))
    return _rows(connection, _select.where(vehicles.c.state == state, vehicles.c.id.not_in(requested)))


def add_row(connection: Connection, values: dict[str, Any]) -> VehicleRow:
    """Add a row with `values` by column; the other columns have their defaults."""
    return VehicleRow(*connection.execute(vehicles.insert().values(values).returning(*_COLUMNS)).one())


def set_columns(connection: Connection, vehicle_id: int, **values: Any) -> None:
    """Set `values` by column. Nothing happens if the row does not exist."""
    connection.execute(update(vehicles).where(vehicles.c.id == vehicle_id).values(values))


def set_reading(connection: Connection, vehicle_id: int, seen_ms: int, values: dict[str, Any]) -> None:
    """Set `seen_ms` and these columns, unless the row has a newer reading. A reading in which the vehicle charges
    belongs to the charge in progress, or begins the next one."""
    row = vehicles.c
    not_newer = (row.seen_ms.is_(None)) | (row.seen_ms <= seen_ms)
    reading: dict[str, Any] = {"seen_ms": seen_ms} | values
    if values.get("charging"):
        goes_on = and_(row.charging.is_(True), row.charging_until_ms >= seen_ms - CHARGE_UNSEEN_MS)
        began_ms = case((goes_on, row.charging_from_ms), else_=literal(seen_ms, BigInteger))
        reading |= {"charging_from_ms": began_ms, "charging_until_ms": seen_ms}
    connection.execute(update(vehicles).where(row.id == vehicle_id, not_newer).values(reading))


def postpone_if_due(connection: Connection, vehicle_id: int, due_ms: int, until_ms: int) -> bool:
    """Compare and set the time of the next poll. False if another process was first."""
    same = (vehicles.c.id == vehicle_id, vehicles.c.due_ms == due_ms)
    return connection.execute(update(vehicles).where(*same).values(due_ms=until_ms)).rowcount == 1


def make_due_by(connection: Connection, grant_id: str, until_ms: int) -> None:
    """Make every vehicle of the grant due at `until_ms` at the latest."""
    later = (vehicles.c.grant_id == grant_id, vehicles.c.due_ms > until_ms)
    connection.execute(update(vehicles).where(*later).values(due_ms=until_ms))


def delete_row(connection: Connection, vehicle_id: int) -> None:
    connection.execute(delete(vehicles).where(vehicles.c.id == vehicle_id))


def _rows(connection: Connection, query: Select[Any]) -> list[VehicleRow]:
    return [VehicleRow(*row) for row in connection.execute(query)]
