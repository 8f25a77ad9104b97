"""The grants, sealed in the database. Nothing here is ever logged, and no grant shows its tokens when printed.

A grant is refreshed at 80 % of its access token's life and at least weekly: Tesla's refresh tokens die after three
months without use, and a lost consent is noticed on the day rather than at the next charge.

Refresh tokens are single use: two processes that use the same one make the provider revoke the whole grant. So a
refresh needs the lease of the row (`lease`), which one process has at a time; and the new grant is stored before
anybody can use its access token (`renew`).
"""

import json
from typing import NamedTuple

from sqlalchemy import Connection, delete, select, update

from cloud_bridge.store.vehicle_tables import vehicle_grants, vehicles
from cloud_bridge.vehicles.keys import KeyGone, KeySource
from cloud_bridge.vehicles.provider import Grant
from cloud_bridge.vehicles.sealing import seal, unseal

REFRESH_AT = 0.8  # of the access token's life
REFRESH_WEEKLY_MS = 7 * 24 * 3600 * 1000
LEASE_MS = 90_000  # longer than a refresh can take (calls.TOTAL_S and the store's own waiting)


class Kept(NamedTuple):
    """A grant as it is kept."""

    grant: Grant
    generation: int
    refresh_ms: int


class Vault:
    """Every method works in the caller's transaction. Thread-safe."""

    def __init__(self, source: KeySource) -> None:
        self._source = source

    def put(self, connection: Connection, vehicle_id: int, grant: Grant) -> None:
        """A grant fresh from an authorisation, in place of any older one. A refresh of the older one comes to nothing."""
        generation = self.generation(connection, vehicle_id)
        values = self._values(connection, vehicle_id, grant, (generation or 0) + 1)
        if generation is None:
            connection.execute(vehicle_grants.insert(), values | {"vehicle_id": vehicle_id})
        else:
            connection.execute(update(vehicle_grants).where(vehicle_grants.c.vehicle_id == vehicle_id).values(values))

    def get(self, connection: Connection, vehicle_id: int) -> Kept | None:
        """None when there is none. Raises KeyGone or SealBroken."""
        row = connection.execute(select(vehicle_grants).where(vehicle_grants.c.vehicle_id == vehicle_id)).one_or_none()
        if row is None:
            return None
        key = self._source.keys().keys.get(row.key_id)
        if key is None:
            raise KeyGone(f"the key {row.key_id} of the stored grants is gone: put it back, or connect the cars again")
        told = json.loads(unseal(key, row.sealed, self._place(connection, vehicle_id)))
        grant = Grant(told["access"], told["refresh"], told["issued_ms"], told["expires_ms"], tuple(told["scopes"]))
        return Kept(grant, row.generation, row.refresh_ms)

    def refresh_ms(self, connection: Connection, vehicle_id: int) -> int | None:
        """When the grant should be refreshed; None when there is none. Opens nothing."""
        query = select(vehicle_grants.c.refresh_ms).where(vehicle_grants.c.vehicle_id == vehicle_id)
        return connection.execute(query).scalar()

    def generation(self, connection: Connection, vehicle_id: int) -> int | None:
        """None when there is no grant. Opens nothing."""
        query = select(vehicle_grants.c.generation).where(vehicle_grants.c.vehicle_id == vehicle_id)
        return connection.execute(query).scalar()

    def forget(self, connection: Connection, vehicle_id: int) -> None:
        connection.execute(delete(vehicle_grants).where(vehicle_grants.c.vehicle_id == vehicle_id))

    def lease(self, connection: Connection, vehicle_id: int, generation: int, refresher: str, now_ms: int) -> bool:
        """The right to refresh this generation, for LEASE_MS. False while another has it, or had it and refreshed."""
        taken = connection.execute(
            update(vehicle_grants)
            .where(
                vehicle_grants.c.vehicle_id == vehicle_id,
                vehicle_grants.c.generation == generation,
                vehicle_grants.c.lease_ms <= now_ms,
            )
            .values(refresher=refresher, lease_ms=now_ms + LEASE_MS)
        )
        return taken.rowcount == 1

    def renew(self, connection: Connection, vehicle_id: int, generation: int, refresher: str, grant: Grant) -> bool:
        """Store what the refresh gave, and end the lease. False if the driver has linked or unlinked meanwhile."""
        stored = connection.execute(
            update(vehicle_grants)
            .where(
                vehicle_grants.c.vehicle_id == vehicle_id,
                vehicle_grants.c.generation == generation,
                vehicle_grants.c.refresher == refresher,
            )
            .values(self._values(connection, vehicle_id, grant, generation + 1))
        )
        return stored.rowcount == 1

    def release(self, connection: Connection, vehicle_id: int, refresher: str) -> None:
        """End the lease of a refresh that failed."""
        connection.execute(
            update(vehicle_grants)
            .where(vehicle_grants.c.vehicle_id == vehicle_id, vehicle_grants.c.refresher == refresher)
            .values(refresher=None, lease_ms=0)
        )

    def reseal(self, connection: Connection) -> int:
        """Seal everything with the current key. Returns how many had another one."""
        current = self._source.keys().current
        others = connection.execute(
            select(vehicle_grants.c.vehicle_id).where(vehicle_grants.c.key_id != current)
        ).scalars()
        resealed = 0
        for vehicle_id in list(others):
            kept = self.get(connection, vehicle_id)
            if kept is not None:
                key_id, sealed = self._seal(connection, vehicle_id, kept.grant)
                connection.execute(
                    update(vehicle_grants)
                    .where(vehicle_grants.c.vehicle_id == vehicle_id)
                    .values(key_id=key_id, sealed=sealed)
                )
                resealed += 1
        return resealed

    def key_ids(self, connection: Connection) -> set[str]:
        """The keys that something is sealed with."""
        return set(connection.execute(select(vehicle_grants.c.key_id).distinct()).scalars())

    def _values(self, connection: Connection, vehicle_id: int, grant: Grant, generation: int) -> dict[str, object]:
        key_id, sealed = self._seal(connection, vehicle_id, grant)
        life_ms = grant.expires_ms - grant.issued_ms
        return {
            "key_id": key_id,
            "sealed": sealed,
            "generation": generation,
            "expires_ms": grant.expires_ms,
            "refresh_ms": grant.issued_ms + min(int(life_ms * REFRESH_AT), REFRESH_WEEKLY_MS),
            "refresher": None,
            "lease_ms": 0,
        }

    def _seal(self, connection: Connection, vehicle_id: int, grant: Grant) -> tuple[str, bytes]:
        current, keys = self._source.keys()
        told = {
            "access": grant.access_token,
            "refresh": grant.refresh_token,
            "issued_ms": grant.issued_ms,
            "expires_ms": grant.expires_ms,
            "scopes": grant.scopes,
        }
        return current, seal(keys[current], json.dumps(told).encode(), self._place(connection, vehicle_id))

    def _place(self, connection: Connection, vehicle_id: int) -> bytes:
        """Where the grant belongs: the person and the vehicle."""
        person_id = connection.execute(select(vehicles.c.person_id).where(vehicles.c.id == vehicle_id)).scalar_one()
        return f"person {person_id} vehicle {vehicle_id}".encode()
