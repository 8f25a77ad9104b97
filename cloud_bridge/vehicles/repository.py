"""Vehicles in the store: read as values, changed by what they mean."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, delete, select, update

from cloud_bridge.store.vehicle_tables import vehicle_attempts, vehicles
from cloud_bridge.vehicles.linking.link import Event, Link, State, follow
from cloud_bridge.vehicles.providers.provider import Car, Reading
from cloud_bridge.vehicles.providers.provider_errors import Trouble


class Vehicle(NamedTuple):
    """A vehicle as it stands."""

    id: int
    person_id: int
    provider: str
    car_id: str
    vin: str
    name: str
    grant_id: str | None
    link: Link
    advice: str
    reading: Reading | None  # the last one, however old
    looked_ms: int | None
    failures: int
    due_ms: int


def find(connection: Connection, vehicle_id: int, person_id: int | None = None) -> Vehicle | None:
    """None for one that does not exist or, where a person is given, is not theirs."""
    query = select(vehicles).where(vehicles.c.id == vehicle_id)
    if person_id is not None:
        query = query.where(vehicles.c.person_id == person_id)
    return next(iter(_read(connection, query)), None)


def as_it_stands(connection: Connection, vehicle: Vehicle) -> Vehicle:
    """Read again what this very transaction has changed."""
    return _vehicle(connection.execute(select(vehicles).where(vehicles.c.id == vehicle.id)).one())


def of_person(connection: Connection, person_id: int) -> list[Vehicle]:
    return _read(connection, select(vehicles).where(vehicles.c.person_id == person_id).order_by(vehicles.c.id))


def of_grant(connection: Connection, grant_id: str) -> list[Vehicle]:
    return _read(connection, select(vehicles).where(vehicles.c.grant_id == grant_id))


def mark(shown: list[Vehicle]) -> str:
    """The same for as long as there is nothing new to say of them."""
    said = [(vehicle.id, vehicle.name, vehicle.link, vehicle.advice, vehicle.reading) for vehicle in shown]
    return hashlib.blake2s(repr(said).encode(), digest_size=8).hexdigest()


def of_car(connection: Connection, provider: str, car_id: str) -> list[Vehicle]:
    """Everybody who has linked this car: a household may have two drivers."""
    return _read(connection, select(vehicles).where(vehicles.c.provider == provider, vehicles.c.car_id == car_id))


def due(connection: Connection, now_ms: int, limit: int) -> list[Vehicle]:
    """Those with a grant that it is time to look at, longest overdue first."""
    query = (
        select(vehicles)
        .where(vehicles.c.grant_id.is_not(None), vehicles.c.due_ms <= now_ms)
        .order_by(vehicles.c.due_ms)
        .limit(limit)
    )
    return _read(connection, query)


def add(connection: Connection, person_id: int, provider: str, car: Car, now_ms: int) -> Vehicle:
    values = {"person_id": person_id, "provider": provider, "created_ms": now_ms, "since_ms": now_ms, **_told(car)}
    added = vehicles.insert().values(values | {"state": State.LINKING}).returning(vehicles)
    return _vehicle(connection.execute(added).one())


def meet_again(connection: Connection, vehicle: Vehicle, provider: str, car: Car) -> None:
    """The same car in another authorisation: its name may be new, even its provider."""
    connection.execute(_update(vehicle).values(provider=provider, **_told(car)))


def happened(
    connection: Connection, vehicle: Vehicle, event: Event, now_ms: int, reason: Trouble | None = None, advice: str = ""
) -> Link:
    """Follow the event in the row as it is in this transaction, and nobody else's meanwhile."""
    found = _read(connection, select(vehicles).where(vehicles.c.id == vehicle.id).with_for_update())
    if not found:
        return vehicle.link
    now = found[0]
    link = follow(now.link, event, now_ms, reason)
    kept = advice if reason is link.reason else now.advice
    connection.execute(
        _update(vehicle).values(
            state=link.state,
            since_ms=link.since_ms,
            reason=link.reason,
            before=link.before,
            advice=kept if link.reason else "",
        )
    )
    return link


def said(connection: Connection, vehicle: Vehicle, reading: Reading) -> None:
    """Keep what is known in a reading, unless a newer one is there."""
    connection.execute(
        _update(vehicle)
        .where((vehicles.c.seen_ms.is_(None)) | (vehicles.c.seen_ms <= reading.seen_ms))
        .values(
            **{name: value for name, value in asdict(reading).items() if value is not None},
        )
    )


def looked(connection: Connection, vehicle: Vehicle, now_ms: int, failures: int, due_ms: int) -> None:
    connection.execute(_update(vehicle).values(looked_ms=now_ms, failures=failures, due_ms=due_ms))


def take_turn(connection: Connection, vehicle: Vehicle, until_ms: int) -> bool:
    """Whether it is ours to look at this vehicle, which was due; of several processes one looks."""
    taken = connection.execute(_update(vehicle).where(vehicles.c.due_ms == vehicle.due_ms).values(due_ms=until_ms))
    return taken.rowcount == 1


def entrust(connection: Connection, vehicle: Vehicle, grant_id: str | None) -> str | None:
    """From now on it is read with this grant. Returns the one before, if nothing is read with that any more."""
    connection.execute(_update(vehicle).values(grant_id=grant_id))
    if vehicle.grant_id in (None, grant_id):
        return None
    return vehicle.grant_id if not of_grant(connection, vehicle.grant_id) else None


def look_within(connection: Connection, grant_id: str, until_ms: int) -> None:
    """Every vehicle of the grant is due by then."""
    sooner = (vehicles.c.grant_id == grant_id, vehicles.c.due_ms > until_ms)
    connection.execute(update(vehicles).where(*sooner).values(due_ms=until_ms))


def look_soon(connection: Connection, vehicle: Vehicle) -> None:
    """It is due at once."""
    connection.execute(_update(vehicle).values(due_ms=0))


def remove(connection: Connection, vehicle: Vehicle) -> None:
    connection.execute(delete(vehicles).where(vehicles.c.id == vehicle.id))


def lapse(connection: Connection, now_ms: int) -> None:
    """Drivers who did not come back from the maker's page: their vehicles are as they were before."""
    connection.execute(delete(vehicle_attempts).where(vehicle_attempts.c.expires_ms <= now_ms))
    open_ones = select(vehicle_attempts.c.vehicle_id).where(vehicle_attempts.c.vehicle_id.is_not(None))
    query = select(vehicles).where(vehicles.c.state == State.LINKING, vehicles.c.id.not_in(open_ones))
    for vehicle in _read(connection, query):
        happened(connection, vehicle, Event.LAPSED, now_ms)


def _update(vehicle: Vehicle) -> Any:
    return update(vehicles).where(vehicles.c.id == vehicle.id)


def _told(car: Car) -> dict[str, str]:
    return {"car_id": car.id, "vin": car.vin, "name": car.name}


def _read(connection: Connection, query: Select[Any]) -> list[Vehicle]:
    rows: Sequence[Row[Any]] = connection.execute(query).all()
    return [_vehicle(row) for row in rows]


def _vehicle(row: Row[Any]) -> Vehicle:
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
        link=Link(
            State(row.state),
            row.since_ms,
            None if row.reason is None else Trouble(row.reason),
            None if row.before is None else State(row.before),
        ),
        advice=row.advice,
        reading=reading,
        looked_ms=row.looked_ms,
        failures=row.failures,
        due_ms=row.due_ms,
    )
