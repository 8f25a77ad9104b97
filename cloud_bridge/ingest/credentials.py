"""The credentials of units, read from the store at every login. A unit that another process has just added can log
in."""

import asyncio
import hmac
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from cloud_bridge.ingest.canary import CANARY_ID
from cloud_bridge.store.database import Database
from cloud_bridge.store.secrets import NO_HASH, matches, new_secret
from cloud_bridge.store.units import Protocol, changed_credentials, credentials_of, secret_hash

LOOKUPS_AT_ONCE = 3  # two logins (listener.LOGINS_AT_ONCE) and the check for changed secrets

Key = TypeVar("Key")
Found = TypeVar("Found")


class Known(NamedTuple):
    """The stored credentials of a unit, read in one transaction."""

    kept_hash: str | None  # of its secret; None if there is no such unit
    changed_ms: int | None  # when its secret was last changed or revoked


class Credentials:
    """Reads the store for every login, so that adding or removing a unit needs no restart.

    It has its own threads, so that neither pages nor upkeep can delay a login.
    """

    def __init__(
        self,
        database: Database,
        canary_secrets: Mapping[str, str] | None = None,
        protocol: Protocol = Protocol.MQTT,
    ) -> None:
        """Units with another protocol count as non-existent.

        `canary_secrets` are the secrets of our own clients, by name. Without them there is one canary, with a secret of
        this process."""
        self.canary_secret = new_secret()
        self._canary_secrets = {CANARY_ID: self.canary_secret} if canary_secrets is None else canary_secrets
        self._database = database
        self._protocol = protocol
        self._threads = ThreadPoolExecutor(LOOKUPS_AT_ONCE, "credentials")

    def close(self) -> None:
        """Stop the threads, without waiting for queries in progress."""
        self._threads.shutdown(wait=False)

    async def check(self, unit_id: str, secret: str, known: Known | None = None) -> bool | None:
        """Return whether the secret is right, or None if there is no such unit; that takes as long. Pass `known` to
        avoid reading the store. Raises SQLAlchemyError."""
        canary_secret = self._canary_secrets.get(unit_id)
        if canary_secret is not None:
            return hmac.compare_digest(secret.encode(errors="surrogatepass"), canary_secret.encode())
        kept_hash = await self._kept_hash(unit_id) if known is None else known.kept_hash
        right = matches(secret, kept_hash)
        return None if kept_hash is None else right

    async def is_unit(self, unit_id: str, known: Known | None = None) -> bool:
        """Return whether the unit exists and is not revoked."""
        kept_hash = await self._kept_hash(unit_id) if known is None else known.kept_hash
        return kept_hash not in (None, NO_HASH)

    async def changed_ms(self, unit_id: str) -> int | None:
        """Return when the unit's secret was last changed or revoked, in ms, or None if there is no such unit."""
        return await self.look_up(self._changed_ms, unit_id)

    async def changed(self, since_ms: int) -> dict[str, int]:
        """Return the units whose secret was changed or revoked since then, with the time of the change in ms."""
        return await self.look_up(self._changed, since_ms)

    async def _kept_hash(self, unit_id: str) -> str | None:
        """Return the hash of the unit's secret, or None if there is no such unit."""
        return await self.look_up(self._secret_hash, unit_id)

    def known(self, unit_id: str) -> Known:
        """Read the credentials of a unit. Blocks, so call it through `look_up`. Raises SQLAlchemyError."""
        with self._database.reading() as connection:
            return Known(secret_hash(connection, unit_id, self._protocol), credentials_of(connection, unit_id))

    async def look_up(self, query: Callable[[Key], Found], key: Key) -> Found:
        """Run a blocking query on one of the threads, and return its result."""
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
