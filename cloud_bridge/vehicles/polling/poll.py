"""One look at a car: a silent refresh where it is time, one cheap read, and what that means for the link.

Blocks on the provider; never asks the driver, never wakes the car. What the driver's Refresh does is a look with
`eager`, which also tries the refresh token: that is where a consent that was taken back shows.
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
from cloud_bridge.vehicles.tokens.vault import Kept

EAGER_AFTER_MS = 30_000  # a driver who presses Refresh again and again costs one refresh in this time


def poll(accounts: Accounts, vehicle: Vehicle, eager: bool = False) -> Vehicle:
    """The vehicle as it stands after the look."""
    trouble, advice, retry_after_ms, reading = None, "", None, None
    try:
        reading = _read(accounts, vehicle, eager)
    except ProviderError as error:
        trouble, advice, retry_after_ms = error.trouble, error.advice, error.retry_after_ms
    now_ms = accounts.clock.now_ms()
    with accounts.database.writing() as connection:
        now = repository.find(connection, vehicle.id)
        if now is None or now.grant_id is None or now.grant_id != vehicle.grant_id:  # the driver did more than look
            return now or vehicle
        refresh_ms = accounts.grants.vault.refresh_ms(connection, now.grant_id) or now_ms
        if reading is not None:
            repository.store_reading(connection, vehicle, reading)
        link = repository.apply_event(connection, vehicle, event_of(trouble), now_ms, trouble, advice)
        failures = 0 if link.reason is None else vehicle.failures + 1
        wait_ms = poll_schedule.next_look_ms(link, reading or vehicle.reading, failures, retry_after_ms)
        if not failures:
            wait_ms = min(wait_ms, accounts.catalogue.look_every_ms or wait_ms)
        repository.store_poll(
            connection, vehicle, now_ms, failures, _sooner(now_ms + wait_ms, refresh_ms, now_ms, failures)
        )
        return repository.find(connection, vehicle.id) or vehicle


def _sooner(due_ms: int, refresh_ms: int, now_ms: int, failures: int) -> int:
    """The grant is refreshed in time, unless that is what has just failed."""
    return due_ms if failures or refresh_ms <= now_ms else min(due_ms, refresh_ms)


def _read(accounts: Accounts, vehicle: Vehicle, eager: bool) -> Reading:
    provider = accounts.provider(vehicle.provider)
    kept = _kept(accounts, vehicle)
    now_ms = accounts.clock.now_ms()
    refreshed = now_ms >= kept.refresh_ms or (eager and now_ms - kept.grant.issued_ms >= EAGER_AFTER_MS)
    if refreshed:
        kept = _refreshed(accounts, vehicle, kept)
    try:
        return provider.read(kept.grant.access_token, vehicle.car_id, accounts.clock.now_ms())
    except ProviderError as error:
        if error.trouble is not Trouble.STALE_TOKEN:
            raise
        if refreshed:  # a brand-new token is refused: it is the consent that is gone
            raise ProviderError(Trouble.CONSENT_GONE) from error
    kept = _refreshed(accounts, vehicle, kept)
    try:
        return provider.read(kept.grant.access_token, vehicle.car_id, accounts.clock.now_ms())
    except ProviderError as error:
        if error.trouble is not Trouble.STALE_TOKEN:
            raise
        raise ProviderError(Trouble.CONSENT_GONE) from error


def _kept(accounts: Accounts, vehicle: Vehicle) -> Kept:
    kept = None
    try:
        if vehicle.grant_id is not None:
            with accounts.database.reading() as connection:
                kept = accounts.grants.vault.get(connection, vehicle.grant_id)
    except KeyGone as error:
        raise ProviderError(Trouble.NOT_SET_UP, str(error)) from error
    except SealBroken as error:
        raise ProviderError(Trouble.CONSENT_GONE, str(error)) from error
    if kept is None:
        raise ProviderError(Trouble.CONSENT_GONE, "there is no grant")
    return kept


def _refreshed(accounts: Accounts, vehicle: Vehicle, kept: Kept) -> Kept:
    outcome = accounts.grants.refresh_client.refresh(kept.id, kept.generation)
    if outcome.trouble is not None:
        raise ProviderError(outcome.trouble, advice=outcome.advice, retry_after_ms=outcome.retry_after_ms)
    return _kept(accounts, vehicle)
