"""The grants, encrypted in the database (store/grants.py). Tokens are never logged, and the repr of a grant does not show
them.

A grant is refreshed at 80 % of its access token's lifetime, and at least weekly: some makers' refresh tokens expire after
three months without use, and a withdrawn consent is noticed early rather than at the next charge.

Refresh tokens are single use. From `begin_refresh` on, the token in the vault may already be used, so whoever reads the grant
next, even after a crash, refreshes it first. The new grant is stored before its access token can be used (`renew`), and only
if it replaces the generation that it came from. README.md has the whole sequence.
"""

import json
import secrets
from typing import NamedTuple

from sqlalchemy import Connection

from cloud_bridge.store import grants
from cloud_bridge.store.grants import SealedGrant
from cloud_bridge.vehicles.providers.provider import Grant
from cloud_bridge.vehicles.tokens.encryption import seal, unseal
from cloud_bridge.vehicles.tokens.keys import KeyGone, KeySource

REFRESH_AT = 0.8  # of the access token's lifetime
REFRESH_WEEKLY_MS = 7 * 24 * 3600 * 1000


class StoredGrant(NamedTuple):
    """A stored grant, decrypted."""

    id: str
    grant: Grant
    before: str  # the refresh token that this grant was refreshed with; empty for the first grant of an authorisation
    person_id: int
    provider: str
    generation: int
    refresh_ms: int


class Vault:
    """The storage of grants. Every method works in the caller's transaction. Thread-safe."""

    def __init__(self, source: KeySource) -> None:
        self._source = source

    def add(
        self, connection: Connection, person_id: int, provider: str, grant: Grant, choose_until_ms: int | None = None
    ) -> str:
        """Store a new grant. Return its id. Raises KeyGone.

        `choose_until_ms` is the deadline for the driver to select vehicles, if they are not known yet.
        """
        grant_id = secrets.token_hex(16)
        sealed = self._sealed(person_id, grant_id, grant, before="", generation=1)
        grants.add_grant(connection, grant_id, person_id, provider, sealed, choose_until_ms)
        return grant_id

    def get(self, connection: Connection, grant_id: str) -> StoredGrant | None:
        """Decrypt a grant. Return None if it does not exist. Raises KeyGone or SealBroken."""
        row = grants.grant_row(connection, grant_id)
        if row is None:
            return None
        key_id, sealed, generation, refresh_ms = row.sealed
        key = self._source.keys().keys.get(key_id)
        if key is None:
            raise KeyGone(f"the key {key_id} of the stored grants is missing: restore it, or connect the cars again")
        content = json.loads(unseal(key, sealed, _place(row.person_id, grant_id)))
        grant = Grant(
            content["access"],
            content["refresh"],
            content["issued_ms"],
            content["expires_ms"],
            tuple(content["scopes"]),
        )
        return StoredGrant(
            grant_id, grant, content.get("before", ""), row.person_id, row.provider, generation, refresh_ms
        )

    def refresh_ms(self, connection: Connection, grant_id: str) -> int | None:
        """Return when the grant should be refreshed; None if it does not exist. Decrypts nothing."""
        return grants.refresh_ms_of(connection, grant_id)

    def provider_of(self, connection: Connection, grant_id: str) -> str | None:
        """Return the provider's name; None if the grant does not exist. Decrypts nothing."""
        return grants.provider_of(connection, grant_id)

    def mark_selected(self, connection: Connection, grant_id: str) -> None:
        """Store that the driver has selected vehicles for the grant."""
        grants.mark_selected(connection, grant_id)

    def unselected(self, connection: Connection, now_ms: int) -> list[tuple[str, str]]:
        """Return id and provider of each grant whose driver did not select vehicles in time."""
        return grants.unselected_grants(connection, now_ms)

    def of_person(self, connection: Connection, person_id: int) -> list[str]:
        """Return the ids of the person's grants."""
        return grants.grants_of_person(connection, person_id)

    def delete(self, connection: Connection, grant_id: str) -> None:
        grants.delete_grant(connection, grant_id)

    def begin_refresh(self, connection: Connection, grant_id: str, now_ms: int) -> None:
        """Mark the grant as due. Unless `renew` replaces it, the refresh has to be repeated."""
        grants.set_refresh_ms(connection, grant_id, now_ms)

    def renew(self, connection: Connection, stored: StoredGrant, grant: Grant) -> bool:
        """Store the result of refreshing `stored`. Return False if that is no longer the newest grant, or was deleted."""
        sealed = self._sealed(stored.person_id, stored.id, grant, stored.grant.refresh_token, stored.generation + 1)
        return grants.replace_grant(connection, stored.id, stored.generation, sealed)

    def reseal(self, connection: Connection) -> int:
        """Encrypt everything with the current key. Return how many grants had another one. Raises KeyGone or SealBroken."""
        resealed = 0
        for grant_id in grants.grants_with_other_keys(connection, self._source.keys().current):
            stored = self.get(connection, grant_id)
            if stored is not None:
                key_id, sealed = self._seal(stored.person_id, grant_id, stored.grant, stored.before)
                grants.set_seal(connection, grant_id, key_id, sealed)
                resealed += 1
        return resealed

    def key_ids(self, connection: Connection) -> set[str]:
        """Return the ids of the keys that grants are encrypted with."""
        return grants.key_ids_of_grants(connection)

    def _sealed(self, person_id: int, grant_id: str, grant: Grant, before: str, generation: int) -> SealedGrant:
        key_id, sealed = self._seal(person_id, grant_id, grant, before)
        life_ms = grant.expires_ms - grant.issued_ms
        return SealedGrant(
            key_id, sealed, generation, grant.issued_ms + min(int(life_ms * REFRESH_AT), REFRESH_WEEKLY_MS)
        )

    def _seal(self, person_id: int, grant_id: str, grant: Grant, before: str) -> tuple[str, bytes]:
        current, keys = self._source.keys()
        content = {
            "access": grant.access_token,
            "refresh": grant.refresh_token,
            "before": before,
            "issued_ms": grant.issued_ms,
            "expires_ms": grant.expires_ms,
            "scopes": grant.scopes,
        }
        return current, seal(keys[current], json.dumps(content).encode(), _place(person_id, grant_id))


def _place(person_id: int, grant_id: str) -> bytes:
    """Return the authenticated place of the grant: a value that is moved elsewhere cannot be decrypted."""
    return f"person {person_id} {grant_id}".encode()
