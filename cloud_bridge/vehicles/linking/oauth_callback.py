"""The OAuth callback: exchanges the maker's answer for a grant, and uses the grant for vehicles of the account.

If the provider has an issuer, the answer must name it. No part of the answer is used as a redirect target. Everything is
checked before anything is stored, and a grant that cannot be used is revoked.

One authorisation restores every vehicle of the account that was linked before. A single new car is linked with it; of several
new cars, the driver selects some (vehicle_selection.py).
"""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection

from cloud_bridge.vehicles import repository
from cloud_bridge.vehicles.accounts import Accounts
from cloud_bridge.vehicles.linking.authorization_requests import (
    ATTEMPT_MS,
    LONGEST_PARAMETER,
    AuthorizationRequest,
    take,
)
from cloud_bridge.vehicles.linking.link import Event, State
from cloud_bridge.vehicles.linking.link_errors import LinkRefused, Refusal
from cloud_bridge.vehicles.linking.unlink import give_back
from cloud_bridge.vehicles.providers.provider import Car, Grant, ProviderError
from cloud_bridge.vehicles.providers.provider_errors import Trouble
from cloud_bridge.vehicles.repository import Vehicle


class Linked(NamedTuple):
    """The result of a callback."""

    vehicles: list[Vehicle]  # the vehicle that the driver came for is first
    choose_for: str | None  # the grant for which the driver has to select among several new cars


def finish(accounts: Accounts, person_id: int, session: str, provider_name: str, answer: Mapping[str, str]) -> Linked:
    """Handle the callback. `answer` is its query. Blocks on the provider. Raises LinkRefused; then nothing has changed."""
    attempt = take(accounts, person_id, session, provider_name, answer.get("state", ""))
    try:
        grant = _exchange(accounts, attempt, answer)
        return _keep(accounts, attempt, grant, _cars(attempt, grant))
    except LinkRefused:
        if attempt.vehicle is not None:
            with accounts.database.writing() as connection:
                repository.apply_event(connection, attempt.vehicle, Event.LAPSED, accounts.clock.now_ms())
        raise


def connect(
    accounts: Accounts, connection: Connection, person_id: int, provider_name: str, car: Car, grant_id: str
) -> Vehicle:
    """Use this grant for the car from now on. The car keeps its row if it has one, and is due to be polled at once."""
    now_ms = accounts.clock.now_ms()
    known = {vehicle.vin: vehicle for vehicle in repository.of_person(connection, person_id)}
    vehicle = known.get(car.vin) or repository.add(connection, person_id, provider_name, car, now_ms)
    repository.update_car(connection, vehicle, provider_name, car)
    unused = repository.assign_grant(connection, vehicle, grant_id)
    if unused is not None:
        accounts.grants.vault.delete(connection, unused)
    if vehicle.link.state is State.UNLINKED:
        repository.apply_event(connection, vehicle, Event.BEGAN, now_ms)
    repository.apply_event(connection, vehicle, Event.GRANTED, now_ms)
    repository.store_poll(connection, vehicle, now_ms, 0, now_ms)
    return repository.find(connection, vehicle.id) or vehicle


def _exchange(accounts: Accounts, attempt: AuthorizationRequest, answer: Mapping[str, str]) -> Grant:
    issuer, vehicle = attempt.provider.issuer, attempt.vehicle
    if issuer is not None and answer.get("iss") != issuer:
        raise LinkRefused(Refusal.MIXED_UP, vehicle)
    if "error" in answer:
        declined = answer["error"] == "access_denied"
        raise LinkRefused(Refusal.DECLINED if declined else Refusal.PROVIDER, vehicle)
    code = answer.get("code", "")
    if not 0 < len(code) <= LONGEST_PARAMETER:
        raise LinkRefused(Refusal.CODE, vehicle)
    return_uri = accounts.catalogue.return_uri(attempt.provider.name)
    try:
        return attempt.provider.exchange(code, attempt.verifier, return_uri, accounts.clock.now_ms())
    except ProviderError as error:
        refusals = {Trouble.SCOPE_MISSING: Refusal.SCOPES, Trouble.CODE_REFUSED: Refusal.CODE}
        raise LinkRefused(refusals.get(error.trouble, Refusal.PROVIDER), vehicle) from error


def _cars(attempt: AuthorizationRequest, grant: Grant) -> list[Car]:
    """Return the cars in the account: at least one, and the right one if a vehicle is linked again. Raises LinkRefused."""
    try:
        cars = attempt.provider.cars(grant.access_token)
    except ProviderError as error:
        give_back(attempt.provider, grant, [])
        raise LinkRefused(Refusal.PROVIDER, attempt.vehicle) from error
    if not cars or (attempt.vehicle is not None and attempt.vehicle.vin not in [car.vin for car in cars]):
        give_back(attempt.provider, grant, cars)
        raise LinkRefused(Refusal.OTHER_CAR if cars else Refusal.NO_CAR, attempt.vehicle, cars)
    return cars


def _keep(accounts: Accounts, attempt: AuthorizationRequest, grant: Grant, cars: list[Car]) -> Linked:
    """Store the grant and link the vehicles, in one transaction."""
    person_id, name, wanted = attempt.person_id, attempt.provider.name, attempt.vehicle
    with accounts.database.writing() as connection:
        theirs = repository.of_person(connection, person_id)
        mended = {vehicle.vin for vehicle in theirs if vehicle.provider == name and vehicle.grant_id is not None}
        if wanted is not None:
            mended.add(wanted.vin)
        new = [car for car in cars if car.vin not in mended] if wanted is None else []
        linked = [car for car in cars if car.vin in mended] + (new if len(new) == 1 else [])
        choose_until_ms = None if linked else accounts.verified_ms() + ATTEMPT_MS
        grant_id = accounts.grants.vault.add(connection, person_id, name, grant, choose_until_ms)
        vehicles = [connect(accounts, connection, person_id, name, car, grant_id) for car in linked]
    came_for = [car.vin for car in new] if wanted is None else [wanted.vin]
    vehicles.sort(key=lambda vehicle: vehicle.vin not in came_for)
    return Linked(vehicles, grant_id if len(new) > 1 else None)
