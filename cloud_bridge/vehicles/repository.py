"""Vehicles as values, and the changes to them. The statements are in store/vehicles.py.

Every function works in the caller's transaction. Times are UTC in milliseconds since 1970.
"""

import hashlib
from dataclasses import asdict
from typing import NamedTuple

from sqlalchemy import Connection

from cloud_bridge.contact import later
from cloud_bridge.durations import DAY_MS
from cloud_bridge.store import vehicles as rows
from cloud_bridge.store.authorization_requests import delete_expired_requests
from cloud_bridge.store.vehicles import VehicleRow
from cloud_bridge.vehicles.linking.link import Event, Link, State, follow
from cloud_bridge.vehicles.providers.provider import Car, Reading
from cloud_bridge.vehicles.providers.provider_errors import Trouble

LONGEST_WAIT_MS = 2 * DAY_MS  # longer than any interval between two polls (poll_schedule.py, calls.MAX_WAIT_MS)


class Vehicle(NamedTuple):
    """A vehicle as it was when it was read."""

    id: int
    person_id: int
    provider: str
    car_id: str
    vin: str
    name: str
    grant_id: str | None
    link: Link
    advice: str  # the provider's text for the driver; empty if there is none
    reading: Reading | None  # the last one, of any age
    looked_ms: int | None  # time of the last poll
    heard_ms: int | None  # time of the account's last answer or webhook delivery
    failures: int  # consecutive
    due_ms: int  # time of the next poll


def find(connection: Connection, vehicle_id: int, person_id: int | None = None) -> Vehicle | None:
    """Return the vehicle. Return None if it does not exist or, if a person is given, is not theirs."""
    row = rows.vehicle_row(connection, vehicle_id, person_id)
    return None if row is None else _vehicle(row)


def of_person(connection: Connection, person_id: int) -> list[Vehicle]:
    return [_vehicle(row) for row in rows.rows_of_person(connection, person_id)]


def of_grant(connection: Connection, grant_id: str) -> list[Vehicle]:
    return [_vehicle(row) for row in rows.rows_of_grant(connection, grant_id)]


def of_car(connection: Connection, provider: str, car_id: str) -> list[Vehicle]:
    """Return the vehicle of everybody who has linked this car: a household may have two drivers."""
    return [_vehicle(row) for row in rows.rows_of_car(connection, provider, car_id)]


def due(connection: Connection, now_ms: int, limit: int) -> list[Vehicle]:
    """Return the vehicles with a grant that are due to be polled, the longest overdue first. Vehicles whose next poll is
    impossibly far in the future are included, because a clock was wrong."""
    return [_vehicle(row) for row in rows.due_rows(connection, now_ms, now_ms + LONGEST_WAIT_MS, limit)]


def lost(connection: Connection, since_ms: int, until_ms: int) -> list[Vehicle]:
    """Return the vehicles whose access was lost between the two times."""
    return [_vehicle(row) for row in rows.rows_in_state(connection, State.ACCESS_LOST.value, since_ms, until_ms)]


def mark(shown: list[Vehicle]) -> str:
    """Return a hash of what the pages show of these vehicles."""
    content = [(vehicle.id, vehicle.name, vehicle.link, vehicle.advice, vehicle.reading) for vehicle in shown]
    return hashlib.blake2s(repr(content).encode(), digest_size=8).hexdigest()


def add(connection: Connection, person_id: int, provider: str, car: Car, now_ms: int) -> Vehicle:
    """Add a vehicle that is being linked for the first time."""
    owner = {"person_id": person_id, "provider": provider, "created_ms": now_ms}
    return _vehicle(
        rows.add_row(connection, owner | _columns(car) | {"state": State.LINKING.value, "since_ms": now_ms})
    )


def update_car(connection: Connection, vehicle: Vehicle, provider: str, car: Car) -> None:
    """Update a car that is linked again with another authorisation: its name and even its provider may have changed."""
    rows.set_columns(connection, vehicle.id, provider=provider, **_columns(car))


def apply_event(
    connection: Connection,
    vehicle: Vehicle,
    event: Event,
    now_ms: int,
    reason: Trouble | None = None,
    advice: str = "",
    verified_ms: int | None = None,
) -> Link:
    """Apply an event to the present state of the row, which is locked until the transaction ends. Return the new link."""
    row = rows.vehicle_row(connection, vehicle.id, lock=True)
    if row is None:
        return vehicle.link
    link = follow(_link(row), event, now_ms, reason, verified_ms)
    shown_advice = advice if reason is link.reason else row.advice
    has_answered = event in (Event.ANSWERED, Event.GRANTED)
    rows.set_columns(
        connection,
        vehicle.id,
        state=link.state.value,
        since_ms=link.since_ms,
        reason=link.reason,
        before=link.before,
        refused_ms=link.refused_ms,
        advice=shown_advice if link.reason else "",
        heard_ms=later(row.heard_ms, now_ms) if has_answered else row.heard_ms,
    )
    return link


def store_heard(connection: Connection, vehicle: Vehicle, now_ms: int) -> None:
    """Store that the account has sent a webhook delivery about the vehicle."""
    rows.set_columns(connection, vehicle.id, heard_ms=later(vehicle.heard_ms, now_ms))


def store_reading(connection: Connection, vehicle: Vehicle, reading: Reading) -> None:
    """Store the known values of a reading, unless a newer reading is stored. Unknown values leave the stored ones
    unchanged."""
    known = {name: value for name, value in asdict(reading).items() if value is not None}
    rows.set_reading(connection, vehicle.id, reading.seen_ms, known)


def store_poll(connection: Connection, vehicle: Vehicle, now_ms: int, failures: int, due_ms: int) -> None:
    """Store the end of a poll. `failures` are consecutive and include this poll. `due_ms` is the time of the next poll."""
    rows.set_columns(connection, vehicle.id, looked_ms=now_ms, failures=failures, due_ms=due_ms)


def claim_poll(connection: Connection, vehicle: Vehicle, until_ms: int) -> bool:
    """Return True if this process may poll the vehicle, which was due. Of several processes, only one may."""
    return rows.postpone_if_due(connection, vehicle.id, vehicle.due_ms, until_ms)


def assign_grant(connection: Connection, vehicle: Vehicle, grant_id: str | None) -> str | None:
    """Use this grant for the vehicle from now on. Return the previous grant if no vehicle uses it any more, else None."""
    rows.set_columns(connection, vehicle.id, grant_id=grant_id)
    if vehicle.grant_id in (None, grant_id):
        return None
    return vehicle.grant_id if not of_grant(connection, vehicle.grant_id) else None


def make_due(connection: Connection, vehicle: Vehicle) -> None:
    """Make the vehicle due to be polled at once."""
    rows.set_columns(connection, vehicle.id, due_ms=0)


def remove(connection: Connection, vehicle: Vehicle) -> None:
    rows.delete_row(connection, vehicle.id)


def lapse_requests(connection: Connection, now_ms: int) -> None:
    """Restore the previous state of vehicles whose drivers did not return from the maker's page."""
    delete_expired_requests(connection, now_ms)
    for row in rows.rows_without_request(connection, State.LINKING.value):
        apply_event(connection, _vehicle(row), Event.LAPSED, now_ms)


def _columns(car: Car) -> dict[str, str]:
    return {"car_id": car.id, "vin": car.vin, "name": car.name}


def _link(row: VehicleRow) -> Link:
    reason = None if row.reason is None else Trouble(row.reason)
    return Link(
        State(row.state), row.since_ms, reason, None if row.before is None else State(row.before), row.refused_ms
    )


def _vehicle(row: VehicleRow) -> Vehicle:
    reading = None
    if row.seen_ms is not None:
        reading = Reading(row.seen_ms, row.battery_percent, row.plugged_in, row.charging, row.range_km)
    return Vehicle(
        id=row.id,
        person_id=row.person_id,
        provider=row.provider,
        car_id=row.car_id,
        vin=row.vin,
        name=row.name,
        grant_id=row.grant_id,
        link=_link(row),
        advice=row.advice,
        reading=reading,
        looked_ms=row.looked_ms,
        heard_ms=row.heard_ms,
        failures=row.failures,
        due_ms=row.due_ms,
    )
