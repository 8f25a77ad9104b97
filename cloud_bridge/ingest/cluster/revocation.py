"""A secret that was changed or taken away ends what was opened with it, at whatever node, whichever process changed it.

    noticed (a look at the store, twice a second)
        -> its connections that began before SETTLED_S later are ended, and asked for again
        -> until every node has told that there is none, and no login of before can be under way

A node does not tell by which secret a connection was let in. So one that a unit opens with its new secret in the first
seconds is ended once more; it comes again. When a connection began is told by its node, and compared with our own time by
its age alone: no two clocks are compared. Only where nobody has looked (when this process begins, or a node is back that did
not answer) the times are all there is (`is_former`).
"""

import asyncio
import logging
import time

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.counters import Counters
from cloud_bridge.duties import Duties
from cloud_bridge.ingest.changed_secrets import LOOK_BACK_MS
from cloud_bridge.ingest.cluster.batched_credentials import KNOWN_FOR_S, READ_WITHIN_S, BatchedCredentials
from cloud_bridge.ingest.cluster.connz import NodeConnection
from cloud_bridge.ingest.cluster.node_files import LOGIN_WITHIN_S
from cloud_bridge.ingest.cluster.nodes import Found, Nodes
from cloud_bridge.store.error_text import reason_of

LOOK_EVERY_S = 0.5
SETTLED_S = KNOWN_FOR_S + READ_WITHIN_S  # then no process lets anybody in by the secret of before
OVER_S = SETTLED_S + LOGIN_WITHIN_S  # then no login is under way that began before
GIVE_UP_S = 600.0  # on a node that does not answer; when it does, all its connections are compared
ASKED_AT_ONCE = 100  # units
MAX_PURSUED = 1000  # units; of more, all connections of the cluster are compared

_log = logging.getLogger(__name__)


class Pursuit:
    """Which connections have to end. Pure: times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self.newest_ms: int | None = None  # change of a secret that was seen; None: not looked yet
        self.has_missed = False  # too many at once; whoever compares all connections sets it back
        self._seen: dict[str, int] = {}
        self._since_s: dict[str, float] = {}

    def notice(self, changed: dict[str, int], now_s: float) -> list[str]:
        """`changed` has the units whose secret was changed lately, with the time of it by whatever machine's clock. Returns
        those that are new. At the first look that is none: they were changed before we began."""
        is_first = self.newest_ms is None
        new = [] if is_first else [unit_id for unit_id, at_ms in changed.items() if self._seen.get(unit_id) != at_ms]
        self._seen = changed
        self.newest_ms = max(changed.values(), default=self.newest_ms or 0)
        for unit_id in new:
            if len(self._since_s) < MAX_PURSUED or unit_id in self._since_s:
                self._since_s[unit_id] = now_s
            else:
                self.has_missed = True
        return new

    def pursued(self) -> list[str]:
        """The units to ask about."""
        return list(self._since_s)

    def to_end(self, unit_id: str, found: Found, now_s: float) -> list[NodeConnection]:
        """Of what was found of the unit. What is over is not asked about again."""
        since_s = self._since_s[unit_id]
        former = [one for one in found.connections if now_s - one.age_ms / 1000 <= since_s + SETTLED_S]
        is_over = found.is_complete and not former and now_s - since_s > OVER_S
        if is_over or now_s - since_s > GIVE_UP_S:
            del self._since_s[unit_id]
        return former


def is_former(connection: NodeConnection, credentials_ms: int | None) -> bool:
    """Whether it was opened before the unit's secret was changed, as far as the clocks of two machines can tell; None: there
    is no such unit."""
    return credentials_ms is None or connection.started_ms < credentials_ms


class Revocation:
    """Of one process; each does all of it."""

    def __init__(self, nodes: Nodes, credentials: BatchedCredentials, counters: Counters) -> None:
        self._nodes = nodes
        self._credentials = credentials
        self._counters = counters
        self.pursuit = Pursuit()
        self._now_s = time.monotonic

    async def run(self, duties: Duties) -> None:
        """For ever."""
        await duties.every(LOOK_EVERY_S, "revocation", self.look)

    async def look(self) -> None:
        """Raises SQLAlchemyError, when nobody logs in either; those that are pursued are asked about all the same."""
        try:
            await self._notice()
        finally:
            pursued = self.pursuit.pursued()
            for at in range(0, len(pursued), ASKED_AT_ONCE):
                await asyncio.gather(*map(self._pursue, pursued[at : at + ASKED_AT_ONCE]))

    async def end_former(self, connections: list[NodeConnection]) -> None:
        """Those that began before the secret of their unit was changed. Raises SQLAlchemyError."""
        changed_ms = await self._credentials.changed_of({one.client_id for one in connections})
        for connection in connections:
            name = connection.client_id
            if not self._credentials.is_canary(name) and is_former(connection, changed_ms.get(name)):
                await self._end(connection)

    async def _notice(self) -> None:
        since_ms = max(1, (self.pursuit.newest_ms or 0) - LOOK_BACK_MS)
        try:
            changed = await self._credentials.changed(since_ms)
        except SQLAlchemyError as error:
            _log.warning("cannot read who was revoked: %s", reason_of(error))
            raise
        for unit_id in self.pursuit.notice(changed, self._now_s()):
            self._credentials.forget(unit_id)

    async def _pursue(self, unit_id: str) -> None:
        found = await self._nodes.connections_of(unit_id)
        for connection in self.pursuit.to_end(unit_id, found, self._now_s()):
            await self._end(connection)

    async def _end(self, connection: NodeConnection) -> None:
        self._counters.closed_revoked += 1
        await self._nodes.end(connection.server_id, connection.number)
