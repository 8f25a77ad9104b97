"""Authorization requests to car makers, while their drivers are at the maker's page. Secrets are stored as hashes.

What makes a request valid is decided in vehicles/linking/authorization_requests.py. Times are UTC in milliseconds since
1970.
"""

from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from cloud_bridge.store.vehicle_tables import vehicle_attempts


class RequestRow(NamedTuple):
    """A row, with the columns of the table in its order."""

    state_hash: str
    session_hash: str
    person_id: int
    provider: str
    vehicle_id: int | None  # the vehicle to link again; None: a new one
    verifier: str
    expires_ms: int


_COLUMNS = [vehicle_attempts.c[name] for name in RequestRow._fields]


def add_request(connection: Connection, request: RequestRow, most: int) -> None:
    """Of the person's requests the newest `most` stay, this one included."""
    oldest = (
        select(vehicle_attempts.c.state_hash)
        .where(vehicle_attempts.c.person_id == request.person_id)
        .order_by(vehicle_attempts.c.expires_ms.desc())
        .offset(most - 1)
    )
    too_many = list(connection.execute(oldest).scalars())
    connection.execute(delete(vehicle_attempts).where(vehicle_attempts.c.state_hash.in_(too_many)))
    connection.execute(vehicle_attempts.insert(), request._asdict())


def take_request(connection: Connection, state_hash: str) -> RequestRow | None:
    """Read and delete it: a state is good once."""
    used = delete(vehicle_attempts).where(vehicle_attempts.c.state_hash == state_hash).returning(*_COLUMNS)
    row = connection.execute(used).one_or_none()
    return None if row is None else RequestRow(*row)


def delete_expired_requests(connection: Connection, now_ms: int) -> None:
    """Those that expire at this time or earlier."""
    connection.execute(delete(vehicle_attempts).where(vehicle_attempts.c.expires_ms <= now_ms))
