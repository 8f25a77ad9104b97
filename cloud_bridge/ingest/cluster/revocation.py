"""Close connections that were opened with a secret that has since been changed or revoked, on all nodes.

    change detected (the store is polled twice a second)
        -> connections that began before the change + SETTLED_S are closed, and the nodes are queried again
        -> until every node has answered that there is none, and no earlier login can still be in progress

A node does not report with which secret a connection was opened. So a connection that a unit opens with its new secret
in the first seconds is closed once too, and the unit reconnects. The start of a connection is computed from its age,
which the node reports, so that no two clocks are compared. Timestamps are compared only for changes that were not
detected in this way: before this process began, or while a node did not answer (`is_former`).
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
SETTLED_S = KNOWN_FOR_S + READ_WITHIN_S  # after this time no process accepts the old secret any more
OVER_S = SETTLED_S + LOGIN_WITHIN_S  # after this time no earlier login is in progress any more
GIVE_UP_S = 600.0  # if a node does not answer; when it does, all its connections are compared
ASKED_AT_ONCE = 100  # units
MAX_PURSUED = 1000  # units; with more, all connections of the cluster are compared

_log = logging.getLogger(__name__)


class Pursuit:
    """Determines which connections to close. Pure: times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self.newest_ms: int | None = None  # the newest known change of a secret; None before the first poll
        self.has_missed = False  # there were too many changes; Census resets it and compares all connections
        self._seen: dict[str, int] = {}
        self._since_s: dict[str, float] = {}

    def notice(self, changed: dict[str, int], now_s: float) -> list[str]:
        """Take the result of a poll: the units whose secret has changed recently, with the time of the change by any
        machine's clock. Return those that are new; none at the first poll, because they changed before this process
        began."""
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
        """Return the ids of the units to query."""
        return list(self._since_s)

    def to_end(self, unit_id: str, found: Found, now_s: float) -> list[NodeConnection]:
        """Return the connections to close, of those that were found for the unit. Stops pursuing it when that is
        done."""
        since_s = self._since_s[unit_id]
        former = [one for one in found.connections if now_s - one.age_ms / 1000 <= since_s + SETTLED_S]
        is_over = found.is_complete and not former and now_s - since_s > OVER_S
        if is_over or now_s - since_s > GIVE_UP_S:
            del self._since_s[unit_id]
        return former


def is_former(connection: NodeConnection, credentials_ms: int | None) -> bool:
    """Return whether a connection was opened before the unit's secret was changed, by timestamps of two machines.
    `credentials_ms` is None if there is no such unit, and the result is then True."""
    return credentials_ms is None or connection.started_ms < credentials_ms


class Revocation:
    """Detects changes and closes connections. Every auth process does all of this."""

    def __init__(self, nodes: Nodes, credentials: BatchedCredentials, counters: Counters) -> None:
        self._nodes = nodes
        self._credentials = credentials
        self._counters = counters
        self.pursuit = Pursuit()
        self._now_s = time.monotonic

    async def run(self, duties: Duties) -> None:
        """Run until cancelled."""
        await duties.every(LOOK_EVERY_S, "revocation", self.look)

    async def look(self) -> None:
        """Poll the store once, and query the nodes about the pursued units, even if the store cannot be read. Raises
        SQLAlchemyError; no login is possible then either."""
        try:
            await self._notice()
        finally:
            pursued = self.pursuit.pursued()
            for at in range(0, len(pursued), ASKED_AT_ONCE):
                await asyncio.gather(*map(self._pursue, pursued[at : at + ASKED_AT_ONCE]))

    async def end_former(self, connections: list[NodeConnection]) -> None:
        """Close those of the connections that began before the secret of their unit was changed. Raises
        SQLAlchemyError."""
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
            _log.warning("cannot read revoked units from the database: %s", reason_of(error))
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
