"""One poll of a car: a token refresh if it is due, one cheap read, and the effect on the link.

Blocks on the provider. Never involves the driver, and never wakes the car. The driver's Refresh button is an `eager` poll,
which also tries the refresh token, because only that shows whether the consent was withdrawn.
"""

from cloud_bridge.vehicles import repository
from cloud_bridge.vehicles.accounts import Accounts
from cloud_bridge.vehicles.linking.link import event_of
from cloud_bridge.vehicles.polling import poll_schedule
from cloud_bridge.vehicles.providers.provider import ProviderError, Reading
from cloud_bridge.vehicles.providers.provider_errors import Trouble
from cloud_bridge.vehicles.repository import Vehicle
from cloud_bridge.vehicles.tokens.encryption import SealBroken
from cloud_bridge.vehicles.tokens.keys import KeyGone
from cloud_bridge.vehicles.tokens.vault import StoredGrant

EAGER_AFTER_MS = 30_000  # a driver who presses Refresh repeatedly causes one token refresh in this time


def poll(accounts: Accounts, vehicle: Vehicle, eager: bool = False) -> Vehicle:
    """Poll a vehicle and store the result. Return the vehicle afterwards. A ProviderError is not raised, but becomes the state
    of the link."""
    trouble, advice, retry_after_ms, reading = None, "", None, None
    try:
        reading = _read(accounts, vehicle, eager)
    except ProviderError as error:
        trouble, advice, retry_after_ms = error.trouble, error.advice, error.retry_after_ms
    now_ms = accounts.clock.now_ms()
    with accounts.database.writing() as connection:
        now = repository.find(connection, vehicle.id)
        if (
            now is None or now.grant_id is None or now.grant_id != vehicle.grant_id
        ):  # the driver has changed the link meanwhile
            return now or vehicle
        refresh_ms = accounts.grants.vault.refresh_ms(connection, now.grant_id) or now_ms
        if reading is not None:
            repository.store_reading(connection, vehicle, reading)
        link = repository.apply_event(
            connection, vehicle, event_of(trouble), now_ms, trouble, advice, accounts.verified_ms()
        )
        failures = 0 if link.reason is None else vehicle.failures + 1
        wait_ms = poll_schedule.next_look_ms(link, reading or vehicle.reading, failures, retry_after_ms)
        if not failures:
            wait_ms = min(wait_ms, accounts.catalogue.look_every_ms or wait_ms)
        repository.store_poll(
            connection, vehicle, now_ms, failures, _sooner(now_ms + wait_ms, refresh_ms, now_ms, failures)
        )
        return repository.find(connection, vehicle.id) or vehicle


def _sooner(due_ms: int, refresh_ms: int, now_ms: int, failures: int) -> int:
    """Return the time of the next poll: not later than the next refresh of the grant, unless this poll has failed."""
    return due_ms if failures or refresh_ms <= now_ms else min(due_ms, refresh_ms)


def _read(accounts: Accounts, vehicle: Vehicle, eager: bool) -> Reading:
    provider = accounts.provider(vehicle.provider)
    stored = _stored(accounts, vehicle)
    now_ms = accounts.clock.now_ms()
    refreshed = now_ms >= stored.refresh_ms or (eager and now_ms - stored.grant.issued_ms >= EAGER_AFTER_MS)
    if refreshed:
        stored = _refreshed(accounts, vehicle, stored)
    try:
        return provider.read(stored.grant.access_token, vehicle.car_id, accounts.clock.now_ms())
    except ProviderError as error:
        if error.trouble is not Trouble.STALE_TOKEN:
            raise
        if refreshed:  # a new token is refused, so the consent is gone
            raise ProviderError(Trouble.CONSENT_GONE) from error
    stored = _refreshed(accounts, vehicle, stored)
    try:
        return provider.read(stored.grant.access_token, vehicle.car_id, accounts.clock.now_ms())
    except ProviderError as error:
        if error.trouble is not Trouble.STALE_TOKEN:
            raise
        raise ProviderError(Trouble.CONSENT_GONE) from error


def _stored(accounts: Accounts, vehicle: Vehicle) -> StoredGrant:
    stored = None
    try:
        if vehicle.grant_id is not None:
            with accounts.database.reading() as connection:
                stored = accounts.grants.vault.get(connection, vehicle.grant_id)
    except KeyGone as error:
        raise ProviderError(Trouble.NOT_SET_UP, str(error)) from error
    except SealBroken as error:
        raise ProviderError(Trouble.CONSENT_GONE, str(error)) from error
    if stored is None:
        raise ProviderError(Trouble.CONSENT_GONE, "there is no grant")
    return stored


def _refreshed(accounts: Accounts, vehicle: Vehicle, stored: StoredGrant) -> StoredGrant:
    outcome = accounts.grants.refresh_client.refresh(stored.id, stored.generation)
    if outcome.trouble is not None:
        raise ProviderError(outcome.trouble, advice=outcome.advice, retry_after_ms=outcome.retry_after_ms)
    return _stored(accounts, vehicle)
