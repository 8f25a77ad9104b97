"""One refresh of one grant, protected against crashes and races.

The critical moment is between the provider's invalidation of the old refresh token and our storing the new one. The exchange
therefore runs in a separate process (refresh_worker.py), which survives its client; one at a time (store/exclusive_lock.py);
and it waits for a database that is busy or full instead of losing the new grant.

If a response is lost nevertheless, makers offer a grace period: the token that was just used stays valid for some time
(README.md says how long). A refresh without a response is therefore repeated at once with the same token. Before a consent
counts as gone, the previous token is tried as well, because the provider may have lost our last exchange.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy.exc import OperationalError

from cloud_bridge.clock import Clock
from cloud_bridge.store.database import Database
from cloud_bridge.store.exclusive_lock import LockTimeout, exclusive_lock
from cloud_bridge.store.vehicles import make_due_by
from cloud_bridge.vehicles.providers.catalogue import Catalogue
from cloud_bridge.vehicles.providers.provider import Grant, Provider, ProviderError
from cloud_bridge.vehicles.providers.provider_errors import Trouble
from cloud_bridge.vehicles.tokens.vault import StoredGrant, Vault

BUSY_S = 30.0  # wait for another process that refreshes the same grant
SOON_MS = 30_000  # until the poller retries after a crash: longer than a refresh takes, shorter than any grace period
STORE_TRIES = 60  # of storing the new grant, one second apart, besides the database's own waiting

_log = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """The result of a refresh. Without trouble, there is a newer grant now, from this refresh or another one."""

    trouble: Trouble | None = None
    advice: str = ""
    retry_after_ms: int | None = None


class Waits(NamedTuple):
    """How a refresh waits; shorter in tests."""

    pause: Callable[[float], None] = time.sleep  # in seconds
    lock_s: float = BUSY_S


@dataclass(frozen=True, slots=True)
class TokenRefresh:
    """Refreshes grants. Each refresh holds the grant's lock."""

    database: Database
    vault: Vault
    catalogue: Catalogue
    clock: Clock
    waits: Waits = Waits()

    def refresh(self, grant_id: str, generation: int) -> Outcome:
        """Refresh the grant of this generation, unless it is newer already. Raises BridgeError and SQLAlchemyError."""
        try:
            with exclusive_lock(self.database, f"refresh-{grant_id}", self.waits.lock_s):
                return self._refresh(grant_id, generation)
        except LockTimeout:
            return Outcome(Trouble.OUTAGE)
        except ProviderError as error:
            return Outcome(error.trouble, error.advice, error.retry_after_ms)

    def _refresh(self, grant_id: str, generation: int) -> Outcome:
        with self.database.writing() as connection:
            stored = self.vault.get(connection, grant_id)
            if stored is None:
                return Outcome(Trouble.CONSENT_GONE)
            if stored.generation != generation:
                return Outcome()
            now_ms = self.clock.now_ms()
            self.vault.begin_refresh(connection, grant_id, now_ms)
            make_due_by(connection, grant_id, now_ms + SOON_MS)
        provider = self.catalogue.providers.get(stored.provider)
        if provider is None:
            raise ProviderError(Trouble.NOT_SET_UP, f"the provider {stored.provider} is not in the settings any more")
        self._store(stored, self._exchange(provider, stored))
        return Outcome()

    def _exchange(self, provider: Provider, stored: StoredGrant) -> Grant:
        try:
            return self._answer(provider, stored.grant.refresh_token)
        except ProviderError as error:
            if error.trouble is not Trouble.CONSENT_GONE or not stored.before:
                raise
        return self._answer(provider, stored.before)

    def _answer(self, provider: Provider, refresh_token: str) -> Grant:
        try:
            return provider.refresh(refresh_token, self.clock.now_ms())
        except ProviderError as error:
            if error.trouble is not Trouble.OUTAGE:
                raise
        return provider.refresh(refresh_token, self.clock.now_ms())

    def _store(self, stored: StoredGrant, grant: Grant) -> None:
        for tries_left in reversed(range(STORE_TRIES)):
            try:
                with self.database.writing() as connection:
                    self.vault.renew(connection, stored, grant)
                return
            except OperationalError as error:
                _log.error("the new grant %.8s cannot be stored yet: %s", stored.id, error.orig)
                if tries_left == 0:
                    raise
                self.waits.pause(1.0)
