"""Who may log in, where thousands do at once: all that wait are one query, and one unit that comes again and again is none.

While the database is away nobody is let in by what was known long ago. A login waits for it, up to LOOKUP_WITHIN_S, so
that a failover of a few seconds costs no unit its handshake.
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

LOOKUP_WITHIN_S = 6.0  # of the 10 that a node waits
AGAIN_AFTER_S = 0.5  # when the database could not be read
READ_WITHIN_S = 3.0  # what a slower read has found may be true no more
KNOWN_FOR_S = 2.0
MAX_KNOWN = 10_000  # units
AT_ONCE = 1000  # units in one query

_log = logging.getLogger(__name__)


class _Known(NamedTuple):
    secret_hash: str
    until_s: float


class _Wanted(NamedTuple):
    found: "asyncio.Future[str | None]"
    until_s: float  # then nobody waits for it any more


class BatchedCredentials(Credentials):
    """Used on one event loop. Only what lets a unit in is kept: one that was added a moment ago is found."""

    def __init__(self, database: Database, canary_secrets: Mapping[str, str]) -> None:
        super().__init__(database, canary_secrets)
        self.queries = 0
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._wanted: dict[str, _Wanted] = {}
        self._reading: asyncio.Task[None] | None = None
        self._now_s = time.monotonic

    def forget(self, unit_id: str) -> None:
        """Its secret was changed or taken away."""
        self._known.pop(unit_id, None)

    def is_canary(self, name: str) -> bool:
        """Whether it is a client of our own."""
        return name in self._canary_secrets

    async def changed_of(self, unit_ids: Collection[str]) -> dict[str, int]:
        """When the secret of each was changed or taken away last; without those that are no units."""
        return await self.look_up(self._changed_of, unit_ids)

    async def _kept_hash(self, unit_id: str) -> str | None:
        """Raises TimeoutError when the database does not answer in time."""
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
        """Until nobody waits. Who comes while a query runs waits for the next one: it may know more."""
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
        """None: the database could not be read, or only slowly."""
        began_s = self._now_s()
        try:
            found = await self.look_up(self._secret_hashes, list(ids))
        except SQLAlchemyError as error:
            _log.warning("cannot read who may log in: %s", reason_of(error))
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
