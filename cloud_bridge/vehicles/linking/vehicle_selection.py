"""Selects which vehicles of an account are linked with one authorisation, among all that the maker lists."""

from collections.abc import Collection

from cloud_bridge.vehicles import repository
from cloud_bridge.vehicles.accounts import Accounts
from cloud_bridge.vehicles.linking.oauth_callback import connect
from cloud_bridge.vehicles.linking.unlink import drop
from cloud_bridge.vehicles.providers.provider import Car
from cloud_bridge.vehicles.repository import Vehicle
from cloud_bridge.vehicles.tokens.vault import StoredGrant


class NoSuchGrant(Exception):
    """The grant does not exist, or is not this person's."""


def choices(accounts: Accounts, person_id: int, grant_id: str) -> list[Car]:
    """Return the cars of the account that are not linked yet. Raises NoSuchGrant, ProviderError, KeyGone or SealBroken."""
    return _not_linked(accounts, person_id, _stored(accounts, person_id, grant_id))


def choose(accounts: Accounts, person_id: int, grant_id: str, car_ids: Collection[str]) -> list[Vehicle]:
    """Link the chosen cars, after asking the maker again which there are. If the grant then has no vehicle, it is revoked and
    deleted.

    Raises the same errors as `choices`.
    """
    stored = _stored(accounts, person_id, grant_id)
    chosen = [car for car in _not_linked(accounts, person_id, stored) if car.id in car_ids]
    with accounts.database.writing() as connection:
        if accounts.grants.vault.refresh_ms(connection, grant_id) is None:
            raise NoSuchGrant
        linked = [connect(accounts, connection, person_id, stored.provider, car, grant_id) for car in chosen]
        unused = not repository.of_grant(connection, grant_id)
        if linked:
            accounts.grants.vault.mark_selected(connection, grant_id)
    if unused:
        drop(accounts, grant_id)
    return linked


def _stored(accounts: Accounts, person_id: int, grant_id: str) -> StoredGrant:
    with accounts.database.reading() as connection:
        stored = accounts.grants.vault.get(connection, grant_id)
    if stored is None or stored.person_id != person_id:
        raise NoSuchGrant
    return stored


def _not_linked(accounts: Accounts, person_id: int, stored: StoredGrant) -> list[Car]:
    cars = accounts.provider(stored.provider).cars(stored.grant.access_token)
    with accounts.database.reading() as connection:
        theirs = repository.of_person(connection, person_id)
    linked = {vehicle.vin for vehicle in theirs if vehicle.grant_id is not None}
    return [car for car in cars if car.vin not in linked]
