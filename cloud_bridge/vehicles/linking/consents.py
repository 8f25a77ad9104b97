"""Revokes all consents of a person at the car makers, before the account is erased.

A maker that is down, slow or no longer configured neither delays the erasure for longer than the caller allows nor makes it
fail. The caller gets the makers that could not be told, so that the person can revoke the access there.
"""

import asyncio
import logging
from functools import partial
from typing import NamedTuple

from cloud_bridge.errors import BridgeError
from cloud_bridge.vehicles import repository
from cloud_bridge.vehicles.accounts import Accounts
from cloud_bridge.vehicles.linking.unlink import opened
from cloud_bridge.vehicles.providers.provider import Grant, Provider, ProviderError

_log = logging.getLogger(__name__)


class Consent(NamedTuple):
    """A grant, with the cars that it is used for."""

    provider: str  # its name in the settings
    grant: Grant | None  # None if it cannot be decrypted, and therefore not revoked
    car_ids: tuple[str, ...]  # empty while the driver has not selected any


def consents_of(accounts: Accounts, person_id: int) -> list[Consent]:
    """Return all consents of the person. Changes nothing."""
    found: list[Consent] = []
    with accounts.database.reading() as connection:
        for grant_id in accounts.grants.vault.of_person(connection, person_id):
            stored = opened(accounts, connection, grant_id)
            provider = accounts.grants.vault.provider_of(connection, grant_id) or ""
            cars = tuple(vehicle.car_id for vehicle in repository.of_grant(connection, grant_id))
            found.append(Consent(provider, None if stored is None else stored.grant, cars))
    return found


def return_consent(accounts: Accounts, consent: Consent) -> bool:
    """Revoke a consent. Blocks on the provider. Return False if the provider could not be told everything."""
    if consent.grant is None:
        return False
    try:
        provider = accounts.provider(consent.provider)
    except ProviderError:
        return False
    released = _release_cars(provider, consent.grant, consent.car_ids)
    try:
        provider.revoke(consent.grant)
    except ProviderError:
        return False
    return released


async def return_all(accounts: Accounts, person_id: int, within_s: float) -> list[str]:
    """Revoke all consents of the person in parallel. Returns the titles of the makers that could not be told in time.

    Takes at most `within_s`, besides the database. Calls in progress go on after that.
    """
    consents = await asyncio.to_thread(consents_of, accounts, person_id)
    calls = [
        accounts.calls.for_driver(consent.provider, partial(return_consent, accounts, consent), within_s)
        for consent in consents
    ]
    results = await asyncio.gather(*calls, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, BridgeError):
            _log.error("a consent cannot be revoked", exc_info=result)
    return _titles(accounts, [consent for consent, told in zip(consents, results, strict=True) if told is not True])


def erase_person(accounts: Accounts, person_id: int) -> list[str]:
    """Revoke all consents of the person one by one, and delete their vehicles and grants.

    Blocks on the providers. Returns the titles of the makers that could not be told.
    """
    untold = [consent for consent in consents_of(accounts, person_id) if not return_consent(accounts, consent)]
    with accounts.database.writing() as connection:
        for vehicle in repository.of_person(connection, person_id):
            repository.remove(connection, vehicle)
        for grant_id in accounts.grants.vault.of_person(connection, person_id):
            accounts.grants.vault.delete(connection, grant_id)
    return _titles(accounts, untold)


def _release_cars(provider: Provider, grant: Grant, car_ids: tuple[str, ...]) -> bool:
    """Release the cars. Return False at the first failure: if the provider is down, each call would take its whole
    deadline."""
    try:
        for car_id in car_ids or [car.id for car in provider.cars(grant.access_token)]:
            provider.release(grant, car_id)
    except ProviderError:
        return False
    return True


def _titles(accounts: Accounts, consents: list[Consent]) -> list[str]:
    providers = accounts.catalogue.providers
    names = {consent.provider for consent in consents}
    return sorted(providers[name].title if name in providers else name for name in names)
