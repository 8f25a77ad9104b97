"""From "Continue" to a linked car and back: the authorisation code flow, held to RFC 9700.

The state is random, kept as a hash, good once, for ten minutes, in the browser session that began it and for the person
who is logged in there. Each provider has a return address of its own and, where it has one, must name its issuer, so
that an answer of one cannot be taken for another's. The code is worthless without the PKCE verifier, which never leaves
us. Nothing of the return is ever used as an address to go to.

Until all is right nothing is stored; a grant that we cannot use is given back.
"""

from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from cloud_bridge.errors import BridgeError
from cloud_bridge.store.secrets import hash_of, new_secret
from cloud_bridge.store.vehicle_tables import vehicle_attempts
from cloud_bridge.vehicles import rows
from cloud_bridge.vehicles.accounts import Accounts
from cloud_bridge.vehicles.keys import KeyGone
from cloud_bridge.vehicles.link import Event, State
from cloud_bridge.vehicles.provider import Car, Grant, Provider, ProviderError
from cloud_bridge.vehicles.rows import Vehicle
from cloud_bridge.vehicles.sealing import SealBroken
from cloud_bridge.vehicles.trouble import Trouble

ATTEMPT_MS = 10 * 60 * 1000
MAX_ATTEMPTS = 10  # of one person at once; the oldest go
LONGEST_PARAMETER = 4096


class Refusal(StrEnum):
    """Why nothing was linked. web/vehicle_words.py says it to the driver."""

    NOT_OURS = "not_ours"  # no such state, used, too old, another browser or person: all look the same
    MIXED_UP = "mixed_up"
    DECLINED = "declined"
    SCOPES = "scopes"
    CODE = "code"
    PROVIDER = "provider"
    NO_CAR = "no_car"
    OTHER_CAR = "other_car"


class LinkRefused(BridgeError):
    def __init__(self, refusal: Refusal, vehicle: Vehicle | None = None, cars: list[Car] | None = None) -> None:
        super().__init__(f"nothing was linked: {refusal}")
        self.refusal = refusal
        self.vehicle = vehicle  # the one that was to be linked again
        self.cars = cars or []  # what the account has instead


class Linked(NamedTuple):
    vehicle: Vehicle
    more_cars: int  # in the same account, not linked yet


class _Attempt(NamedTuple):
    provider: Provider
    verifier: str
    vehicle: Vehicle | None


def begin(accounts: Accounts, person_id: int, session: str, provider_name: str, vehicle: Vehicle | None) -> str:
    """Where to send the driver. `vehicle` is the one to link again. Raises ProviderError for an unknown provider."""
    provider = accounts.provider(provider_name)
    state, verifier, now_ms = new_secret(), new_secret(), accounts.clock.now_ms()
    with accounts.database.writing() as connection:
        rows.lapse(connection, now_ms)
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
            rows.happened(connection, vehicle, Event.BEGAN, now_ms)
    again = vehicle is not None
    return provider.authorise_url(state, verifier, accounts.catalogue.return_uri(provider_name), again)


def finish(accounts: Accounts, person_id: int, session: str, provider_name: str, answer: Mapping[str, str]) -> Linked:
    """Take the driver's return in. `answer` is the query. Raises LinkRefused; then nothing has changed."""
    attempt = _take(accounts, person_id, session, provider_name, answer.get("state", ""))
    try:
        grant = _exchange(accounts, attempt, answer)
        return _keep(accounts, person_id, attempt, grant)
    except LinkRefused:
        if attempt.vehicle is not None:
            with accounts.database.writing() as connection:
                rows.happened(connection, attempt.vehicle, Event.LAPSED, accounts.clock.now_ms())
        raise


def unlink(accounts: Accounts, vehicle: Vehicle, erase: bool = False) -> bool:
    """Give the consent back and forget the grant; with `erase` the vehicle too. False if the provider was not told."""
    told = True
    kept = None
    with accounts.database.writing() as connection:
        with suppress(KeyGone, SealBroken):  # what cannot be opened cannot be given back either
            kept = accounts.vault.get(connection, vehicle.id)
        accounts.vault.forget(connection, vehicle.id)
        rows.happened(connection, vehicle, Event.UNLINKED, accounts.clock.now_ms())
        if erase:
            rows.remove(connection, vehicle)
    if kept is not None:
        try:
            accounts.provider(vehicle.provider).revoke(kept.grant, vehicle.car_id)
        except ProviderError:
            told = False
    return told


def erase_person(accounts: Accounts, person_id: int) -> None:
    """Before a person is removed: every consent is given back."""
    with accounts.database.reading() as connection:
        theirs = rows.of_person(connection, person_id)
    for vehicle in theirs:
        unlink(accounts, vehicle, erase=True)


def _make_room(connection: Connection, person_id: int) -> None:
    oldest_first = (
        select(vehicle_attempts.c.state_hash)
        .where(vehicle_attempts.c.person_id == person_id)
        .order_by(vehicle_attempts.c.expires_ms.desc())
        .offset(MAX_ATTEMPTS - 1)
    )
    too_many = list(connection.execute(oldest_first).scalars())
    connection.execute(delete(vehicle_attempts).where(vehicle_attempts.c.state_hash.in_(too_many)))


def _take(accounts: Accounts, person_id: int, session: str, provider_name: str, state: str) -> _Attempt:
    """The attempt of this state, which is used up by being looked at."""
    state_hash = hash_of(state[:LONGEST_PARAMETER])
    with accounts.database.writing() as connection:
        used_up = delete(vehicle_attempts).where(vehicle_attempts.c.state_hash == state_hash)
        row = connection.execute(used_up.returning(*vehicle_attempts.columns)).one_or_none()
        vehicle = None
        if row is not None and row.vehicle_id is not None:
            vehicle = rows.find(connection, row.vehicle_id, person_id)
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
        return _Attempt(accounts.provider(provider_name), row.verifier, vehicle)
    except ProviderError as error:
        raise LinkRefused(Refusal.PROVIDER, vehicle) from error


def _exchange(accounts: Accounts, attempt: _Attempt, answer: Mapping[str, str]) -> Grant:
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


def _keep(accounts: Accounts, person_id: int, attempt: _Attempt, grant: Grant) -> Linked:
    """Find the car in the account, and store all of it in one transaction."""
    provider = attempt.provider
    try:
        cars = provider.cars(grant.access_token)
    except ProviderError as error:
        _give_back(provider, grant, [])
        raise LinkRefused(Refusal.PROVIDER, attempt.vehicle) from error
    now_ms = accounts.clock.now_ms()
    with accounts.database.writing() as connection:
        known = {vehicle.vin: vehicle for vehicle in rows.of_person(connection, person_id)}
        car = _choose(cars, known, attempt.vehicle)
        if car is not None:
            vehicle = known.get(car.vin) or rows.add(connection, person_id, provider.name, car, now_ms)
            rows.meet_again(connection, vehicle, provider.name, car)
            accounts.vault.put(connection, vehicle.id, grant)
            if vehicle.link.state is State.UNLINKED:
                rows.happened(connection, vehicle, Event.BEGAN, now_ms)
            rows.happened(connection, vehicle, Event.GRANTED, now_ms)
            rows.looked(connection, vehicle, now_ms, 0, now_ms)
            linked = rows.as_it_stands(connection, vehicle)
            return Linked(linked, sum(other.vin not in known and other.vin != car.vin for other in cars))
    _give_back(provider, grant, [other for other in cars if other.vin not in known])
    raise LinkRefused(Refusal.OTHER_CAR if cars else Refusal.NO_CAR, attempt.vehicle, cars)


def _choose(cars: list[Car], known: Mapping[str, Vehicle], wanted: Vehicle | None) -> Car | None:
    """To link again: that very car. Otherwise one that is new here, or one that is not linked, or any."""
    if wanted is not None:
        return next((car for car in cars if car.vin == wanted.vin), None)

    def preference(car: Car) -> int:
        vehicle = known.get(car.vin)
        return 0 if vehicle is None else 1 if vehicle.link.state is not State.LINKED else 2

    return min(cars, key=preference, default=None)


def _give_back(provider: Provider, grant: Grant, cars: list[Car]) -> None:
    """As far as the provider can be reached: we keep nothing either way."""
    car_ids: list[str | None] = [car.id for car in cars]
    for car_id in car_ids or [None]:
        try:
            provider.revoke(grant, car_id)
        except ProviderError:
            return
