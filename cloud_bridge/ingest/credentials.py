"""Who may log in to the broker: the units in the store, also one added a second ago by another process."""

import asyncio
import hmac
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from cloud_bridge.ingest.canary import CANARY_ID
from cloud_bridge.store.database import Database
from cloud_bridge.store.secrets import NO_HASH, matches, new_secret
from cloud_bridge.store.units import Protocol, changed_credentials, credentials_of, secret_hash

LOOKUPS_AT_ONCE = 3  # two logins (listener.LOGINS_AT_ONCE) and the look for secrets that were taken away

Key = TypeVar("Key")
Found = TypeVar("Found")


class Known(NamedTuple):
    """What the store knows of a unit that logs in, all of one moment."""

    kept_hash: str | None  # of its secret; None: no such unit
    changed_ms: int | None  # when its secret was changed or taken away last


class Credentials:
    """Reads the store for every login, so that adding and removing units needs no restart.

    On threads of its own: neither pages nor upkeep can keep a unit waiting at the login.
    """

    def __init__(
        self,
        database: Database,
        canary_secrets: Mapping[str, str] | None = None,
        protocol: Protocol = Protocol.MQTT,
    ) -> None:
        """Of the units that speak this protocol: by the door of another there is no such unit.

        `canary_secrets` are those of our own clients, by name; without them there is one, of this process alone."""
        self.canary_secret = new_secret()
        self._canary_secrets = {CANARY_ID: self.canary_secret} if canary_secrets is None else canary_secrets
        self._database = database
        self._protocol = protocol
        self._threads = ThreadPoolExecutor(LOOKUPS_AT_ONCE, "credentials")

    def close(self) -> None:
        """Does not wait for what is being looked up."""
        self._threads.shutdown(wait=False)

    async def check(self, unit_id: str, secret: str, known: Known | None = None) -> bool | None:
        """True or False for the secret of a unit; None if there is no such unit, after as much work. The store is asked unless
        it is `known`."""
        canary_secret = self._canary_secrets.get(unit_id)
        if canary_secret is not None:
            return hmac.compare_digest(secret.encode(errors="surrogatepass"), canary_secret.encode())
        kept_hash = await self._kept_hash(unit_id) if known is None else known.kept_hash
        right = matches(secret, kept_hash)
        return None if kept_hash is None else right

    async def is_unit(self, unit_id: str, known: Known | None = None) -> bool:
        """Whether it may log in, by whatever proof."""
        kept_hash = await self._kept_hash(unit_id) if known is None else known.kept_hash
        return kept_hash not in (None, NO_HASH)

    async def changed_ms(self, unit_id: str) -> int | None:
        """When the secret of the unit was changed or taken away last; None if there is no such unit."""
        return await self.look_up(self._changed_ms, unit_id)

    async def changed(self, since_ms: int) -> dict[str, int]:
        """The units whose secret was changed or taken away since then, with the time of it."""
        return await self.look_up(self._changed, since_ms)

    async def _kept_hash(self, unit_id: str) -> str | None:
        """Of the unit's secret; None: no such unit."""
        return await self.look_up(self._secret_hash, unit_id)

    def known(self, unit_id: str) -> Known:
        """Asks the database, and so on a thread (look_up). Raises SQLAlchemyError."""
        with self._database.reading() as connection:
            return Known(secret_hash(connection, unit_id, self._protocol), credentials_of(connection, unit_id))

    async def look_up(self, query: Callable[[Key], Found], key: Key) -> Found:
        """The answer of a query that asks the database, on one of these threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, query, key)

    def _changed(self, since_ms: int) -> dict[str, int]:
        with self._database.reading() as connection:
            return changed_credentials(connection, since_ms)

    def _changed_ms(self, unit_id: str) -> int | None:
        with self._database.reading() as connection:
            return credentials_of(connection, unit_id)

    def _secret_hash(self, unit_id: str) -> str | None:
        with self._database.reading() as connection:
            return secret_hash(connection, unit_id, self._protocol)
