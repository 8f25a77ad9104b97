"""A car maker that behaves like real ones (rotation; reuse revokes everything), and drivers with accounts."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from sqlalchemy import select

from cloud_bridge.store.access import Role
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.people import add_person
from cloud_bridge.store.tables import people
from cloud_bridge.vehicles import repository
from cloud_bridge.vehicles.accounts import Accounts
from cloud_bridge.vehicles.linking.authorization_requests import begin
from cloud_bridge.vehicles.linking.oauth_callback import Linked, finish
from cloud_bridge.vehicles.linking.vehicle_selection import choose
from cloud_bridge.vehicles.providers.catalogue import Catalogue
from cloud_bridge.vehicles.providers.provider import Car, Grant, ProviderError, Reading, Webhook
from cloud_bridge.vehicles.providers.provider_errors import Trouble
from cloud_bridge.vehicles.repository import Vehicle
from cloud_bridge.vehicles.tokens.grants import Grants
from cloud_bridge.vehicles.tokens.keys import KeyFile
from cloud_bridge.vehicles.tokens.token_refresh import Outcome, TokenRefresh, Waits
from cloud_bridge.vehicles.tokens.vault import Vault
from cloud_bridge.verified_time import clocks_of
from tests.cloud_bridge.running import HandClock, store_at

LIFE_MS = 8 * 3600 * 1000
BLUE = Car("car-1", "VIN0000000000BLUE", "Blue")
RED = Car("car-2", "VIN00000000000RED", "Red")


class Maker:
    """Implements Provider. The test sets its behaviour."""

    def __init__(self, name: str = "maker", issuer: str | None = None) -> None:
        self.name, self.title, self.issuer = name, name.title(), issuer
        self.webhook: Webhook | None = None
        self.garage = [BLUE]
        self.charge: dict[str, Any] = {"battery_percent": 50.0, "plugged_in": True, "charging": False}
        self.trouble: dict[str, ProviderError] = {}  # method -> the error that it raises
        self.released: list[str] = []
        self.revoked = 0
        self.refreshes: list[str] = []  # the tokens used
        self.lost_answers = 0  # number of coming refreshes whose answer is lost
        self.second_chance = False  # whether the token used last is accepted once more
        self._count = 0
        self._live: dict[str, int] = {}  # token -> number of its grant
        self._used: dict[str, int] = {}
        self._last_used = ""

    def authorise_url(self, state: str, verifier: str, redirect_uri: str, again: bool) -> str:
        return "https://maker.example/authorize?" + urlencode({"state": state, "redirect_uri": redirect_uri})

    def exchange(self, code: str, verifier: str, redirect_uri: str, now_ms: int) -> Grant:
        self._trouble("exchange")
        self._count += 1
        return self._grant(self._count, now_ms)

    def refresh(self, refresh_token: str, now_ms: int) -> Grant:
        self.refreshes.append(refresh_token)
        self._trouble("refresh")
        if refresh_token in self._used and not (self.second_chance and refresh_token == self._last_used):
            self.end_grant(self._used[refresh_token])  # as oidc-provider: reuse means theft, so all of it ends
        grant = self._live.pop(refresh_token, None) or (self.second_chance and self._used.get(refresh_token))
        if not grant:
            raise ProviderError(Trouble.CONSENT_GONE, "invalid_grant")
        self._used[refresh_token] = grant
        self._last_used = refresh_token
        fresh = self._grant(grant, now_ms)
        if self.lost_answers:
            self.lost_answers -= 1
            raise ProviderError(Trouble.OUTAGE)
        return fresh

    def cars(self, access_token: str) -> list[Car]:
        self._trouble("cars")
        return self.garage

    def read(self, access_token: str, car_id: str, now_ms: int) -> Reading:
        self._trouble("read")
        if access_token not in self._live:
            raise ProviderError(Trouble.STALE_TOKEN)
        return Reading(now_ms, **self.charge)

    def release(self, grant: Grant, car_id: str) -> None:
        self._trouble("release")
        self.released.append(car_id)

    def revoke(self, grant: Grant) -> None:
        self._trouble("revoke")
        self.revoked += 1
        self.end_grant(self._live.get(grant.refresh_token, 0))

    def end_grant(self, number: int) -> None:
        """Revoke the consent, as the driver does at the maker's site."""
        self._live = {token: grant for token, grant in self._live.items() if grant != number}

    def forget(self, refresh_token: str) -> None:
        """Lose the last exchange, as after a failure of the maker's database: the token becomes unknown."""
        del self._live[refresh_token]

    def end_access_tokens(self) -> None:
        self._live = {token: grant for token, grant in self._live.items() if not token.startswith("access")}

    def _grant(self, number: int, now_ms: int) -> Grant:
        self._count += 1
        access, refresh_token = f"access-{self._count}", f"refresh-{self._count}"
        self._live |= {access: number, refresh_token: number}
        return Grant(access, refresh_token, now_ms, now_ms + LIFE_MS, ("read",))

    def _trouble(self, method: str) -> None:
        if method in self.trouble:
            raise self.trouble[method]


class Door:
    """Refreshes in this process."""

    def __init__(self, database: Database, vault: Vault, catalogue: Catalogue, clock: HandClock) -> None:
        self._refreshing = TokenRefresh(database, vault, catalogue, clock, Waits(lock_s=0))

    def refresh(self, grant_id: str, generation: int) -> Outcome:
        return self._refreshing.refresh(grant_id, generation)

    def close(self) -> None:
        pass


class Scene:
    """Two drivers, and one maker or more."""

    maker: Maker

    def __init__(self, folder: Path, database: Database, clock: HandClock, catalogue: Catalogue) -> None:
        self.folder, self.clock = folder, clock
        vault = Vault(KeyFile(folder))
        grants = Grants(vault, Door(database, vault, catalogue, clock))
        self.accounts = Accounts(database, clocks_of(clock), catalogue, grants)

    def begin(self, vehicle: Vehicle | None = None, person: int = 1, session: str = "s", name: str = "maker") -> str:
        """Begin linking; return the state in the URL of the maker's page."""
        url = begin(self.accounts, person, session, name, vehicle)
        return dict(parse_qsl(urlsplit(url).query))["state"]

    def link(self, vehicle: Vehicle | None = None, person: int = 1) -> Vehicle:
        state = self.begin(vehicle, person)
        return self.come_back(state, person).vehicles[0]

    def come_back(self, state: str, person: int = 1, name: str = "maker") -> Linked:
        return finish(self.accounts, person, "s", name, {"state": state, "code": "c"})

    def add_all(self) -> list[Vehicle]:
        """Link every car of a garage with several cars."""
        chosen = self.come_back(self.begin()).choose_for or ""
        return choose(self.accounts, 1, chosen, [car.id for car in self.maker.garage])

    def vehicle(self, vehicle_id: int = 1) -> Vehicle:
        with self.accounts.database.reading() as connection:
            found = repository.find(connection, vehicle_id)
        assert found is not None
        return found

    def vehicles(self, person: int = 1) -> list[Vehicle]:
        with self.accounts.database.reading() as connection:
            return repository.of_person(connection, person)


@contextmanager
def scene_with(folder: Path, catalogue: Catalogue) -> Iterator[Scene]:
    """Yield a scene with these providers, in which Ann and Bob have the ids 1 and 2."""
    database = open_database(store_at(folder))
    with database.writing() as connection:
        for name in ("ann", "bob"):
            add_person(connection, name, "a hash", Role.DRIVER, 0)
        assert list(connection.execute(select(people.c.id)).scalars()) == [1, 2]
    play = Scene(folder, database, HandClock(), catalogue)
    try:
        yield play
    finally:
        play.accounts.close()
        database.close()


@contextmanager
def scene(folder: Path, *makers: Maker) -> Iterator[Scene]:
    """Yield a scene with these makers; default: one."""
    some = makers or (Maker(),)
    with scene_with(folder, Catalogue("https://app.example", {maker.name: maker for maker in some})) as play:
        play.maker = some[0]
        yield play
