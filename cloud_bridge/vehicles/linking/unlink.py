"""Disconnects vehicles. A grant that no vehicle uses any more is revoked at the maker."""

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
    """Disconnect a vehicle and, with `erase`, delete it. Blocks on the provider. Return False if the provider could not be
    told.

    Disconnecting the last vehicle of a grant also deletes the grant.
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
    """Revoke and delete a grant without vehicles."""
    with accounts.database.writing() as connection:
        stored = opened(accounts, connection, grant_id)
        accounts.grants.vault.delete(connection, grant_id)
    if stored is not None:
        with suppress(ProviderError):
            provider = accounts.provider(stored.provider)
            give_back(provider, stored.grant, provider.cars(stored.grant.access_token))


def give_back(provider: Provider, grant: Grant, cars: list[Car]) -> None:
    """Revoke a grant that is not stored, if the provider can be reached."""
    with suppress(ProviderError):
        for car in cars:
            provider.release(grant, car.id)
        provider.revoke(grant)


def opened(accounts: Accounts, connection: Connection, grant_id: str | None) -> StoredGrant | None:
    """Return the stored grant. Return None if there is none, or if it cannot be decrypted and therefore not revoked."""
    with suppress(KeyGone, SealBroken):
        return None if grant_id is None else accounts.grants.vault.get(connection, grant_id)
    return None
