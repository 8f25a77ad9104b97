"""Disconnecting a vehicle. A consent that no vehicle is read with any more is given back to the maker."""

from contextlib import suppress

from sqlalchemy import Connection

from cloud_bridge.vehicles import repository
from cloud_bridge.vehicles.accounts import Accounts
from cloud_bridge.vehicles.linking.link import Event
from cloud_bridge.vehicles.providers.provider import Car, Grant, Provider, ProviderError
from cloud_bridge.vehicles.repository import Vehicle
from cloud_bridge.vehicles.tokens.encryption import SealBroken
from cloud_bridge.vehicles.tokens.keys import KeyGone
from cloud_bridge.vehicles.tokens.vault import StoredGrant


def unlink(accounts: Accounts, vehicle: Vehicle, erase: bool = False) -> bool:
    """Disconnect it; with `erase` delete the vehicle too. Blocks on the provider. False if that was not told.

    The last vehicle of a grant takes the grant with it.
    """
    with accounts.database.writing() as connection:
        now = repository.find(connection, vehicle.id) or vehicle
        stored = opened(accounts, connection, now.grant_id)
        unused = repository.assign_grant(connection, now, None)
        if unused is not None:
            accounts.grants.vault.delete(connection, unused)
        repository.apply_event(connection, now, Event.UNLINKED, accounts.clock.now_ms())
        if erase:
            repository.remove(connection, now)
    if stored is None:
        return now.grant_id is None
    try:
        provider = accounts.provider(stored.provider)
        provider.release(stored.grant, now.car_id)
        if unused is not None:
            provider.revoke(stored.grant)
    except ProviderError:
        return False
    return True


def drop(accounts: Accounts, grant_id: str) -> None:
    """Give back and delete a grant without vehicles."""
    with accounts.database.writing() as connection:
        stored = opened(accounts, connection, grant_id)
        accounts.grants.vault.delete(connection, grant_id)
    if stored is not None:
        with suppress(ProviderError):
            provider = accounts.provider(stored.provider)
            give_back(provider, stored.grant, provider.cars(stored.grant.access_token))


def give_back(provider: Provider, grant: Grant, cars: list[Car]) -> None:
    """Give a grant back as far as the provider can be reached; it is not stored either way."""
    with suppress(ProviderError):
        for car in cars:
            provider.release(grant, car.id)
        provider.revoke(grant)


def opened(accounts: Accounts, connection: Connection, grant_id: str | None) -> StoredGrant | None:
    """The stored grant. None if there is none, or if it cannot be opened and so cannot be given back either."""
    with suppress(KeyGone, SealBroken):
        return None if grant_id is None else accounts.grants.vault.get(connection, grant_id)
    return None
