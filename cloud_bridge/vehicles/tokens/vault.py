"""The grants, sealed in the database. Nothing here is ever logged, and no grant shows its tokens when printed.

A grant is refreshed at 80 % of its access token's life and at least weekly: some makers' refresh tokens expire after
three months without use, and a lost consent is noticed on the day rather than at the next charge.

Refresh tokens are single use, so from `begin` on the one in the vault may be used up already: whoever looks at the
grant next, after whatever crash, refreshes it before anything else. The new grant is stored before anybody can use
its access token (`renew`), and only in place of the generation that it came from. README.md tells the whole story.
"""

import json
import secrets
from typing import NamedTuple

from sqlalchemy import Connection, delete, select, update

from cloud_bridge.store.vehicle_tables import account_grants
from cloud_bridge.vehicles.providers.provider import Grant
from cloud_bridge.vehicles.tokens.encryption import seal, unseal
from cloud_bridge.vehicles.tokens.keys import KeyGone, KeySource

REFRESH_AT = 0.8  # of the access token's life
REFRESH_WEEKLY_MS = 7 * 24 * 3600 * 1000


class Kept(NamedTuple):
    """A grant as it is kept."""

    id: str
    grant: Grant
    before: str  # the refresh token that this grant came from; empty for one of an authorisation
    person_id: int
    provider: str
    generation: int
    refresh_ms: int


class Vault:
    """Every method works in the caller's transaction. Thread-safe."""

    def __init__(self, source: KeySource) -> None:
        self._source = source

    def add(
        self, connection: Connection, person_id: int, provider: str, grant: Grant, choose_until_ms: int | None = None
    ) -> str:
        """A grant fresh from an authorisation. Returns its id."""
        grant_id = secrets.token_hex(16)
        told = {"id": grant_id, "person_id": person_id, "provider": provider, "choose_until_ms": choose_until_ms}
        values = self._values(person_id, grant_id, grant, before="", generation=1)
        connection.execute(account_grants.insert(), told | values)
        return grant_id

    def get(self, connection: Connection, grant_id: str) -> Kept | None:
        """None when there is none. Raises KeyGone or SealBroken."""
        row = connection.execute(select(account_grants).where(account_grants.c.id == grant_id)).one_or_none()
        if row is None:
            return None
        key = self._source.keys().keys.get(row.key_id)
        if key is None:
            raise KeyGone(f"the key {row.key_id} of the stored grants is gone: put it back, or connect the cars again")
        told = json.loads(unseal(key, row.sealed, _place(row.person_id, grant_id)))
        grant = Grant(told["access"], told["refresh"], told["issued_ms"], told["expires_ms"], tuple(told["scopes"]))
        return Kept(
            grant_id, grant, told.get("before", ""), row.person_id, row.provider, row.generation, row.refresh_ms
        )

    def refresh_ms(self, connection: Connection, grant_id: str) -> int | None:
        """When the grant should be refreshed; None when there is none. Opens nothing."""
        query = select(account_grants.c.refresh_ms).where(account_grants.c.id == grant_id)
        return connection.execute(query).scalar()

    def provider_of(self, connection: Connection, grant_id: str) -> str | None:
        """The provider's name; None if there is no such grant."""
        return connection.execute(select(account_grants.c.provider).where(account_grants.c.id == grant_id)).scalar()

    def chosen(self, connection: Connection, grant_id: str) -> None:
        """The driver has said which vehicles it is for."""
        connection.execute(update(account_grants).where(account_grants.c.id == grant_id).values(choose_until_ms=None))

    def unchosen(self, connection: Connection, now_ms: int) -> list[tuple[str, str]]:
        """The grants, each with its provider, whose drivers did not say in time which vehicles they are for."""
        query = select(account_grants.c.id, account_grants.c.provider)
        return [
            (row.id, row.provider)
            for row in connection.execute(query.where(account_grants.c.choose_until_ms <= now_ms))
        ]

    def of_person(self, connection: Connection, person_id: int) -> list[str]:
        query = select(account_grants.c.id).where(account_grants.c.person_id == person_id)
        return list(connection.execute(query).scalars())

    def forget(self, connection: Connection, grant_id: str) -> None:
        connection.execute(delete(account_grants).where(account_grants.c.id == grant_id))

    def begin(self, connection: Connection, grant_id: str, now_ms: int) -> None:
        """A refresh begins. Unless `renew` says otherwise it has to be done again."""
        connection.execute(update(account_grants).where(account_grants.c.id == grant_id).values(refresh_ms=now_ms))

    def renew(self, connection: Connection, kept: Kept, grant: Grant) -> bool:
        """Store what the refresh of `kept` gave. False if it is not the newest any more, or has been forgotten."""
        values = self._values(kept.person_id, kept.id, grant, kept.grant.refresh_token, kept.generation + 1)
        same = (account_grants.c.id == kept.id, account_grants.c.generation == kept.generation)
        return connection.execute(update(account_grants).where(*same).values(values)).rowcount == 1

    def reseal(self, connection: Connection) -> int:
        """Seal everything with the current key. Returns how many had another one."""
        current = self._source.keys().current
        others = connection.execute(select(account_grants.c.id).where(account_grants.c.key_id != current)).scalars()
        resealed = 0
        for grant_id in list(others):
            kept = self.get(connection, grant_id)
            if kept is not None:
                key_id, sealed = self._seal(kept.person_id, grant_id, kept.grant, kept.before)
                connection.execute(
                    update(account_grants).where(account_grants.c.id == grant_id).values(key_id=key_id, sealed=sealed)
                )
                resealed += 1
        return resealed

    def key_ids(self, connection: Connection) -> set[str]:
        """The keys that something is sealed with."""
        return set(connection.execute(select(account_grants.c.key_id).distinct()).scalars())

    def _values(self, person_id: int, grant_id: str, grant: Grant, before: str, generation: int) -> dict[str, object]:
        key_id, sealed = self._seal(person_id, grant_id, grant, before)
        life_ms = grant.expires_ms - grant.issued_ms
        return {
            "key_id": key_id,
            "sealed": sealed,
            "generation": generation,
            "refresh_ms": grant.issued_ms + min(int(life_ms * REFRESH_AT), REFRESH_WEEKLY_MS),
        }

    def _seal(self, person_id: int, grant_id: str, grant: Grant, before: str) -> tuple[str, bytes]:
        current, keys = self._source.keys()
        told = {
            "access": grant.access_token,
            "refresh": grant.refresh_token,
            "before": before,
            "issued_ms": grant.issued_ms,
            "expires_ms": grant.expires_ms,
            "scopes": grant.scopes,
        }
        return current, seal(keys[current], json.dumps(told).encode(), _place(person_id, grant_id))


def _place(person_id: int, grant_id: str) -> bytes:
    """Where the grant belongs: nothing that is sealed opens anywhere else."""
    return f"person {person_id} {grant_id}".encode()
