"""A driver who is at the maker's page: what was begun there, for as long as the way back is open. Held to RFC 9700.

The state is random, kept as a hash, good once, for ten minutes, in the browser session that began it and for the person
who is logged in there. Each provider has a return address of its own, so that an answer of one cannot be taken for
another's. The code is worthless without the PKCE verifier, which never leaves us.
"""

from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from cloud_bridge.store.secrets import hash_of, new_secret
from cloud_bridge.store.vehicle_tables import vehicle_attempts
from cloud_bridge.vehicles import repository
from cloud_bridge.vehicles.accounts import Accounts
from cloud_bridge.vehicles.linking.link import Event
from cloud_bridge.vehicles.linking.link_errors import LinkRefused, Refusal
from cloud_bridge.vehicles.providers.provider import Provider, ProviderError
from cloud_bridge.vehicles.repository import Vehicle

ATTEMPT_MS = 10 * 60 * 1000
MAX_ATTEMPTS = 10  # of one person at once; the oldest go
LONGEST_PARAMETER = 4096


class AuthorizationRequest(NamedTuple):
    person_id: int
    provider: Provider
    verifier: str
    vehicle: Vehicle | None  # the one to link again


def begin(accounts: Accounts, person_id: int, session: str, provider_name: str, vehicle: Vehicle | None) -> str:
    """Where to send the driver. `vehicle` is the one to link again. Raises ProviderError for an unknown provider."""
    provider = accounts.provider(provider_name)
    state, verifier, now_ms = new_secret(), new_secret(), accounts.clock.now_ms()
    with accounts.database.writing() as connection:
        repository.lapse(connection, now_ms)
        _make_room(connection, person_id)
        values = {
            "state_hash": hash_of(state),
            "session_hash": hash_of(session),
            "person_id": person_id,
            "provider": provider_name,
            "vehicle_id": None if vehicle is None else vehicle.id,
            "verifier": verifier,
            "expires_ms": now_ms + ATTEMPT_MS,
        }
        connection.execute(vehicle_attempts.insert(), values)
        if vehicle is not None:
            repository.happened(connection, vehicle, Event.BEGAN, now_ms)
    again = vehicle is not None
    return provider.authorise_url(state, verifier, accounts.catalogue.return_uri(provider_name), again)


def take(accounts: Accounts, person_id: int, session: str, provider_name: str, state: str) -> AuthorizationRequest:
    """The attempt of this state, which is used up by being looked at. Raises LinkRefused."""
    state_hash = hash_of(state[:LONGEST_PARAMETER])
    with accounts.database.writing() as connection:
        used_up = delete(vehicle_attempts).where(vehicle_attempts.c.state_hash == state_hash)
        row = connection.execute(used_up.returning(*vehicle_attempts.columns)).one_or_none()
        vehicle = None
        if row is not None and row.vehicle_id is not None:
            vehicle = repository.find(connection, row.vehicle_id, person_id)
    if (
        row is None
        or row.person_id != person_id
        or row.session_hash != hash_of(session)
        or row.expires_ms <= accounts.clock.now_ms()
    ):
        raise LinkRefused(Refusal.NOT_OURS)
    if row.provider != provider_name:
        raise LinkRefused(Refusal.MIXED_UP, vehicle)
    try:
        return AuthorizationRequest(person_id, accounts.provider(provider_name), row.verifier, vehicle)
    except ProviderError as error:
        raise LinkRefused(Refusal.PROVIDER, vehicle) from error


def _make_room(connection: Connection, person_id: int) -> None:
    oldest_first = (
        select(vehicle_attempts.c.state_hash)
        .where(vehicle_attempts.c.person_id == person_id)
        .order_by(vehicle_attempts.c.expires_ms.desc())
        .offset(MAX_ATTEMPTS - 1)
    )
    too_many = list(connection.execute(oldest_first).scalars())
    connection.execute(delete(vehicle_attempts).where(vehicle_attempts.c.state_hash.in_(too_many)))
