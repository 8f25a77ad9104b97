"""OAuth authorization requests in progress, while the driver is on the car maker's page. Secrets are stored as hashes.

vehicles/linking/authorization_requests.py decides whether a request is valid. Times are UTC in milliseconds since 1970.
"""

from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from cloud_bridge.store.vehicle_tables import vehicle_attempts


class RequestRow(NamedTuple):
    """A row of the table, with its columns in order."""

    state_hash: str
    session_hash: str
    person_id: int
    provider: str
    vehicle_id: int | None  # the vehicle to link again; None for a new one
    verifier: str
    expires_ms: int


_COLUMNS = [vehicle_attempts.c[name] for name in RequestRow._fields]


def add_request(connection: Connection, request: RequestRow, most: int) -> None:
    """Add a request, and delete the person's oldest so that `most` remain, including this one."""
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
    """Read and delete a request, since a state is valid only once. Return None if there is none."""
    used = delete(vehicle_attempts).where(vehicle_attempts.c.state_hash == state_hash).returning(*_COLUMNS)
    row = connection.execute(used).one_or_none()
    return None if row is None else RequestRow(*row)


def delete_expired_requests(connection: Connection, now_ms: int) -> None:
    """Delete the requests that expire at this time or earlier."""
    connection.execute(delete(vehicle_attempts).where(vehicle_attempts.c.expires_ms <= now_ms))
