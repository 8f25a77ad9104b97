"""Credentials for thousands of simultaneous logins: waiting logins share a query, and repeated logins of a unit are
cached.

While the database is away, no login is accepted by an old cache entry. It waits for the database, up to
LOOKUP_WITHIN_S, so that units keep their TLS handshake over a failover of a few seconds.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Collection, Mapping
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.ingest.credentials import Credentials
from cloud_bridge.store.database import Database
from cloud_bridge.store.error_text import reason_of
from cloud_bridge.store.units import credentials_times, secret_hashes

LOOKUP_WITHIN_S = 6.0  # a node waits for 10 s
AGAIN_AFTER_S = 0.5  # after an error of the database
READ_WITHIN_S = 3.0  # the result of a slower read may be out of date, and is not used
KNOWN_FOR_S = 2.0
MAX_KNOWN = 10_000  # units
AT_ONCE = 1000  # units in one query

_log = logging.getLogger(__name__)


class _Known(NamedTuple):
    secret_hash: str
    until_s: float


class _Wanted(NamedTuple):
    found: "asyncio.Future[str | None]"
    until_s: float  # nobody waits for it after this


class BatchedCredentials(Credentials):
    """Used on one event loop. Only hashes of existing units are cached, so that a unit that was just added is found."""

    def __init__(self, database: Database, canary_secrets: Mapping[str, str]) -> None:
        super().__init__(database, canary_secrets)
        self.queries = 0
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._wanted: dict[str, _Wanted] = {}
        self._reading: asyncio.Task[None] | None = None
        self._now_s = time.monotonic

    def forget(self, unit_id: str) -> None:
        """Remove a unit from the cache, because its secret was changed or revoked."""
        self._known.pop(unit_id, None)

    def is_canary(self, name: str) -> bool:
        """Return whether this is the name of one of our canaries."""
        return name in self._canary_secrets

    async def changed_of(self, unit_ids: Collection[str]) -> dict[str, int]:
        """Return when the secret of each unit was last changed or revoked, in ms. Ids that are not units are left
        out."""
        return await self.look_up(self._changed_of, unit_ids)

    async def _kept_hash(self, unit_id: str) -> str | None:
        """Return the hash of a unit's secret, or None. Raises TimeoutError if the database does not answer in time."""
        known = self._known.get(unit_id)
        if known is not None and self._now_s() < known.until_s:
            return known.secret_hash
        wanted = self._wanted.get(unit_id)
        if wanted is None:
            future = asyncio.get_running_loop().create_future()
            wanted = self._wanted[unit_id] = _Wanted(future, self._now_s() + LOOKUP_WITHIN_S)
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_wanted())
        async with asyncio.timeout(LOOKUP_WITHIN_S):
            return await asyncio.shield(wanted.found)

    async def _read_wanted(self) -> None:
        """Run queries until nobody waits. A login that arrives during a query waits for the next one, since the running
        one may not see its unit."""
        while self._wanted:
            asked = {unit_id: self._wanted.pop(unit_id) for unit_id in list(self._wanted)[:AT_ONCE]}
            found = await self._read(asked)
            if found is not None:
                for unit_id, wanted in asked.items():
                    wanted.found.set_result(found.get(unit_id))
                continue
            await asyncio.sleep(AGAIN_AFTER_S)
            self._wanted = {
                unit_id: wanted for unit_id, wanted in (asked | self._wanted).items() if self._now_s() < wanted.until_s
            }

    async def _read(self, ids: Collection[str]) -> dict[str, str] | None:
        """Read the hashes of units. Return None if the database could not be read or was too slow."""
        began_s = self._now_s()
        try:
            found = await self.look_up(self._secret_hashes, list(ids))
        except SQLAlchemyError as error:
            _log.warning("cannot read credentials from the database: %s", reason_of(error))
            return None
        self.queries += 1
        if self._now_s() - began_s > READ_WITHIN_S:
            return None
        for unit_id, secret_hash in found.items():
            self._known[unit_id] = _Known(secret_hash, began_s + KNOWN_FOR_S)
            self._known.move_to_end(unit_id)
        while len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return found

    def _secret_hashes(self, ids: Collection[str]) -> dict[str, str]:
        with self._database.reading() as connection:
            return secret_hashes(connection, ids)

    def _changed_of(self, ids: Collection[str]) -> dict[str, int]:
        with self._database.reading() as connection:
            return credentials_times(connection, ids)
