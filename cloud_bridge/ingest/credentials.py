"""Who may log in to the broker: the units in the store, also one added a second ago by another process."""

import asyncio
import hmac

from cloud_bridge.ingest.canary import CANARY_ID
from cloud_bridge.store.database import Database
from cloud_bridge.store.secrets import matches, new_secret
from cloud_bridge.store.units import changed_credentials, secret_hash


class Credentials:
    """Reads the store for every login, so that adding and removing units needs no restart."""

    def __init__(self, database: Database) -> None:
        self.canary_secret = new_secret()  # of this process alone
        self._database = database

    async def check(self, unit_id: str, secret: str) -> bool | None:
        """True or False for the secret of a unit; None if there is no such unit, after as much work."""
        if unit_id == CANARY_ID:
            return hmac.compare_digest(secret.encode(), self.canary_secret.encode())
        kept_hash = await asyncio.to_thread(self._secret_hash, unit_id)
        right = matches(secret, kept_hash)
        return None if kept_hash is None else right

    async def changed(self, since_ms: int) -> dict[str, int]:
        """The units whose secret was changed or taken away since then, with the time of it."""
        return await asyncio.to_thread(self._changed, since_ms)

    def _changed(self, since_ms: int) -> dict[str, int]:
        with self._database.reading() as connection:
            return changed_credentials(connection, since_ms)

    def _secret_hash(self, unit_id: str) -> str | None:
        with self._database.reading() as connection:
            return secret_hash(connection, unit_id)
