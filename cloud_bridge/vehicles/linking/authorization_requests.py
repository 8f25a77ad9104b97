"""Authorization requests: drivers who are on the car maker's page, for as long as they may return. Follows RFC 9700.

The state is random and stored as a hash. It is valid once, for ten minutes, in the browser session that started the request,
and for the person who is logged in there. Each provider has its own return address, so an answer of one provider cannot be
taken for another's. The code is useless without the PKCE verifier, which is sent only to the token endpoint.
"""

from typing import NamedTuple

from cloud_bridge.store.authorization_requests import RequestRow, add_request, take_request
from cloud_bridge.store.secrets import hash_of, new_secret
from cloud_bridge.vehicles import repository
from cloud_bridge.vehicles.accounts import Accounts
from cloud_bridge.vehicles.linking.link import Event
from cloud_bridge.vehicles.linking.link_errors import LinkRefused, Refusal
from cloud_bridge.vehicles.providers.provider import Provider, ProviderError
from cloud_bridge.vehicles.repository import Vehicle

ATTEMPT_MS = 10 * 60 * 1000
MAX_ATTEMPTS = 10  # of one person at a time; beyond this, the oldest are deleted
LONGEST_PARAMETER = 4096


class AuthorizationRequest(NamedTuple):
    """A request whose driver has returned."""

    person_id: int
    provider: Provider
    verifier: str
    vehicle: Vehicle | None  # the vehicle to link again


def begin(accounts: Accounts, person_id: int, session: str, provider_name: str, vehicle: Vehicle | None) -> str:
    """Store a request. Return the address to send the driver to. `vehicle` is the one to link again.

    Raises ProviderError for a provider that is not configured.
    """
    provider = accounts.provider(provider_name)
    state, verifier, now_ms = new_secret(), new_secret(), accounts.clock.now_ms()
    with accounts.database.writing() as connection:
        repository.lapse_requests(connection, accounts.verified_ms())
        vehicle_id = None if vehicle is None else vehicle.id
        expires_ms = accounts.verified_ms() + ATTEMPT_MS
        add_request(
            connection,
            RequestRow(hash_of(state), hash_of(session), person_id, provider_name, vehicle_id, verifier, expires_ms),
            MAX_ATTEMPTS,
        )
        if vehicle is not None:
            repository.apply_event(connection, vehicle, Event.BEGAN, now_ms)
    again = vehicle is not None
    return provider.authorise_url(state, verifier, accounts.catalogue.return_uri(provider_name), again)


def take(accounts: Accounts, person_id: int, session: str, provider_name: str, state: str) -> AuthorizationRequest:
    """Return the request with this state, and delete it in any case. Raises LinkRefused."""
    state_hash = hash_of(state[:LONGEST_PARAMETER])
    with accounts.database.writing() as connection:
        row = take_request(connection, state_hash)
        vehicle = None
        if row is not None and row.vehicle_id is not None:
            vehicle = repository.find(connection, row.vehicle_id, person_id)
    if (
        row is None
        or row.person_id != person_id
        or row.session_hash != hash_of(session)
        or row.expires_ms <= accounts.verified_ms()
    ):
        raise LinkRefused(Refusal.NOT_OURS)
    if row.provider != provider_name:
        raise LinkRefused(Refusal.MIXED_UP, vehicle)
    try:
        return AuthorizationRequest(person_id, accounts.provider(provider_name), row.verifier, vehicle)
    except ProviderError as error:
        raise LinkRefused(Refusal.PROVIDER, vehicle) from error
