"""Store which units are connected to the cluster.

Nodes publish an event when a client connects or disconnects. The auth processes share the events as a queue group and
write them in batches. Events may be lost: if a node or a process of ours is killed, or in a burst. So once a minute the
store is compared with the connections of each node (census.py), and the units of a node that has not answered for
LOST_AFTER_S are stored as disconnected.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.clock import Clock
from cloud_bridge.counters import Counters
from cloud_bridge.duties import Duties
from cloud_bridge.ingest.cluster.connz import Page
from cloud_bridge.ingest.cluster.nodes import Nodes
from cloud_bridge.ingest.cluster.presence_event import SUBJECTS, is_unit, read_event
from cloud_bridge.store.database import Database
from cloud_bridge.store.presence import Presence, connected_at, lost_door, presence_of, record_presence
from cloud_bridge.store.units import credentials_times

QUEUE_GROUP = "presence"
WRITE_EVERY_S = 0.5
AT_ONCE = 1000  # rows in one transaction
MAX_WAITING = 100_000  # units; the census corrects what is dropped
LOOK_EVERY_S = 2.0
LOST_AFTER_S = 10.0
ASKED_AGAIN = 200  # units missing at a node that are looked up one by one; with more, they are taken as disconnected

_log = logging.getLogger(__name__)


class PresenceWriter:
    """Receives, checks and writes presence, in one auth process."""

    def __init__(
        self, nodes: Nodes, names: Collection[str], database: Database, clock: Clock, counters: Counters
    ) -> None:
        """`names` are the names of the cluster's nodes."""
        self._nodes = nodes
        self._database = database
        self._clock = clock
        self._counters = counters
        self._now_s = time.monotonic
        self._waiting: dict[str, Presence] = {}
        self._heard_s = dict.fromkeys(names, self._now_s())
        self._lost: set[str] = set()

    async def start(self, client: Client) -> None:
        """Subscribe to the events. `client` is connected to the system account."""
        await client.subscribe(SUBJECTS, QUEUE_GROUP, cb=self._told)

    async def run(self, duties: Duties) -> None:
        """Run until cancelled."""
        await asyncio.gather(
            duties.every(WRITE_EVERY_S, "presence", self.write), duties.every(LOOK_EVERY_S, "nodes", self.look)
        )

    async def write(self) -> None:
        """Store the waiting rows. Raises SQLAlchemyError; they then wait for the next call."""
        while self._waiting:
            rows = [self._waiting.pop(unit_id) for unit_id in list(self._waiting)[:AT_ONCE]]
            try:
                await asyncio.to_thread(self._in_transaction, _record, rows)
            except SQLAlchemyError:
                for row in rows:
                    self._keep(row)
                raise

    async def look(self) -> None:
        """Check that each node answers, and store the units of a lost one as disconnected. Raises SQLAlchemyError."""
        now_s = self._now_s()
        self._heard_s |= dict.fromkeys((await self._nodes.ids()).values(), now_s)
        silent = {name for name, heard_s in self._heard_s.items() if now_s - heard_s > LOST_AFTER_S}
        if len(silent) == len(self._heard_s):  # our own connection to the cluster is lost
            return
        for name in silent - self._lost:
            _log.warning("node %s does not answer: its units are stored as disconnected", name)
            await asyncio.to_thread(self._in_transaction, lost_door, name, self._clock.now_ms())
            self._lost.add(name)
        self._lost &= silent

    async def compare(self, page: Page) -> set[str]:
        """Store the connections in a page of a node where the store differs. Return the ids of its units.

        Raises SQLAlchemyError.
        """
        there = {one.client_id for one in page.connections if is_unit(one.client_id)}
        stored = await asyncio.to_thread(self._read, presence_of, there)
        for unit_id in there:
            known = stored.get(unit_id)
            if known is None or not known.connected or known.door != page.node:
                self._keep(Presence(unit_id, True, page.node, page.at_ms))
        return there

    async def compare_absent(self, node: str, there: set[str], began_ms: int) -> None:
        """Store as disconnected the units that the store has as connected to this node and that are not in `there`.
        `began_ms` is when the list was read, by the node's clock. Raises SQLAlchemyError."""
        absent = await asyncio.to_thread(self._read, _absent, node, there, began_ms)
        if len(absent) <= ASKED_AGAIN:
            absent = [
                unit_id for unit_id in absent if not (await self._nodes.connections_of(unit_id, True)).connections
            ]
        for unit_id in absent:
            self._keep(Presence(unit_id, False, node, began_ms))

    async def _told(self, message: Msg) -> None:
        row = read_event(message.subject, message.data)
        if row is not None:
            self._keep(row)

    def _keep(self, row: Presence) -> None:
        waiting = self._waiting.get(row.unit_id)
        if waiting is not None and waiting.changed_ms > row.changed_ms:
            return
        if waiting is None and len(self._waiting) >= MAX_WAITING:
            self._counters.dropped_presence += 1
            return
        self._waiting[row.unit_id] = row

    def _in_transaction(self, act: Callable[..., None], *arguments: Any) -> None:
        with self._database.writing() as connection:
            act(connection, *arguments)

    def _read(self, query: Callable[..., Any], *arguments: Any) -> Any:
        with self._database.reading() as connection:
            return query(connection, *arguments)


def _absent(connection: Connection, node: str, there: set[str], began_ms: int) -> list[str]:
    return [unit_id for unit_id in connected_at(connection, node, began_ms) if unit_id not in there]


def _record(connection: Connection, rows: list[Presence]) -> None:
    units = credentials_times(connection, [row.unit_id for row in rows])  # a unit may have been removed meanwhile
    record_presence(connection, [row for row in rows if row.unit_id in units])
