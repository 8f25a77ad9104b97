"""One refresh of one grant, so that no crash and no race loses it.

The dangerous moment lies between the provider's using up the old refresh token and our storing the new one: a process
that is killed there has lost the grant, whatever it wrote before. So the exchange is done by a process of its own
(refresher.py) that the death of the one that asked does not touch, and that waits for a database that is busy or full
rather than throw the new grant away.
"""

import logging
import time
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from cloud_bridge.clock import Clock
from cloud_bridge.store.database import Database
from cloud_bridge.store.vehicle_tables import vehicles
from cloud_bridge.vehicles.catalogue import Catalogue
from cloud_bridge.vehicles.provider import Grant, ProviderError
from cloud_bridge.vehicles.trouble import Trouble
from cloud_bridge.vehicles.vault import Vault

STORE_TRIES = 60  # of the new grant, a second apart, beside the database's own waiting

_log = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """`refreshed`: there is a newer grant now, ours or another's. `busy`: another is at it."""

    refreshed: bool = False
    busy: bool = False
    trouble: Trouble | None = None
    advice: str = ""
    retry_after_ms: int | None = None


def refresh(
    database: Database,
    vault: Vault,
    catalogue: Catalogue,
    clock: Clock,
    refresher: str,
    vehicle_id: int,
    generation: int,
    pause: Callable[[float], None] = time.sleep,
) -> Outcome:
    """Refresh the grant of this generation, unless somebody has. `refresher` names this process, uniquely."""
    with database.writing() as connection:
        kept = vault.get(connection, vehicle_id)
        if kept is None:
            return Outcome(trouble=Trouble.CONSENT_GONE)
        if kept.generation != generation:
            return Outcome(refreshed=True)
        if not vault.lease(connection, vehicle_id, generation, refresher, clock.now_ms()):
            return Outcome(busy=True)
        name = connection.execute(select(vehicles.c.provider).where(vehicles.c.id == vehicle_id)).scalar_one()
    provider = catalogue.providers.get(name)
    try:
        if provider is None:
            raise ProviderError(Trouble.MISUSED, f"the provider {name} is not in the settings any more")
        grant = provider.refresh(kept.grant.refresh_token, clock.now_ms())
    except ProviderError as error:
        with database.writing() as connection:
            vault.release(connection, vehicle_id, refresher)
        return Outcome(trouble=error.trouble, advice=error.advice, retry_after_ms=error.retry_after_ms)
    _store(database, vault, refresher, vehicle_id, generation, grant, pause)
    return Outcome(refreshed=True)


def _store(
    database: Database,
    vault: Vault,
    refresher: str,
    vehicle_id: int,
    generation: int,
    grant: Grant,
    pause: Callable[[float], None],
) -> None:
    for tries_left in reversed(range(STORE_TRIES)):
        try:
            with database.writing() as connection:
                vault.renew(connection, vehicle_id, generation, refresher, grant)
            return
        except OperationalError as error:
            _log.error("the new grant of vehicle %d cannot be stored yet: %s", vehicle_id, error.orig)
            if tries_left == 0:
                raise
            pause(1.0)
