"""Units on a NATS cluster: the same contract, through a stream that outlives any node and any of our processes.

A node acknowledges a message to the unit when most nodes have it. From there any of our workers takes it:

    unit -> a node's door -> the stream -> a worker -> the database -> acknowledged to the stream

A message is acknowledged to the stream when it is committed, so a worker may be killed anywhere: what it held is delivered
to another after pull.ACK_WAIT_S. The contact is when a node received the message, whenever we came to read it (stamps.py):
what was kept for us during an outage of ours is contact at its own time, and is shown as long ago as it is.

What stops what:
    a node is gone               its units connect to another; that path is deaf (cloud_bridge/paths.py)
    the database is away         nothing is acknowledged to the stream, and no more is asked for than IN_HAND; units are
                                 acknowledged as ever
    the stream takes nothing     no unit is acknowledged: most nodes are gone, or their disks are full. Canaries fail

A canary shows that we listened once every message before it is stored, by whatever worker (`_Mark`). A worker that is killed
holds some for pull.ACK_WAIT_S, in which nobody can say that a unit was not heard; so that time counts as one in which we did
not listen.

Wills lie in the same stream and are none of ours. Who publishes on a unit's topics is that unit, as the nodes'
permissions have it; a retained message comes through once, as a message. An empty one is dropped, as everywhere.
"""

import asyncio
import logging
from collections import deque
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from nats.errors import Error as NatsError
from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.contact import UNIT_TOPICS
from cloud_bridge.ingest.cluster.canary_login import canary_login
from cloud_bridge.ingest.cluster.cluster_file import Cluster
from cloud_bridge.ingest.cluster.command_sender import CommandSender
from cloud_bridge.ingest.cluster.connection import connect_worker
from cloud_bridge.ingest.cluster.doors import DoorCanaries
from cloud_bridge.ingest.cluster.membership import Membership
from cloud_bridge.ingest.cluster.pull import Delivery, Pull, keep_messages, settled_to
from cloud_bridge.ingest.cluster.pull_client import PullClient
from cloud_bridge.ingest.cluster.stamps import stamp_of
from cloud_bridge.ingest.inbound import Ingest
from cloud_bridge.ingest.unit_registry import UnitStatus
from cloud_bridge.ingest.unknown_clients import UnknownClients
from cloud_bridge.paths import path_number
from cloud_bridge.store.error_text import reason_of

IN_HAND = 5000  # messages taken and not committed; beyond it none is asked for
RETRY_S = 1.0
COUNT_EVERY_S = 0.5
KEPT_MARKS = 1000  # canaries; the oldest are too old to show anything
TELL_CLOCK_EVERY_S = 60.0
STORED_WITHIN_S = 5.0  # when stopping: what is not stored by then is delivered again
FLUSHED_WITHIN_S = 2
NOT_KEPT = "the cluster does not keep messages for us yet: most nodes have to run, with room on their disks"

_log = logging.getLogger(__name__)


class _Mark(NamedTuple):
    """A canary that has come."""

    sequence: int  # in the stream
    path: int
    at_ms: int


class JetStreamIngest:
    """One worker. Used on one event loop."""

    def __init__(
        self,
        cluster: Cluster,
        ingest: Ingest,
        membership: Membership,
        unknown_clients: UnknownClients,
        commands: CommandSender,
    ) -> None:
        self.ready = asyncio.Event()  # the consumer is there: from now on no message of a unit is lost
        self._cluster = cluster
        self._ingest = ingest
        self._counters = ingest.counters
        self._membership = membership
        self._unknown_clients = unknown_clients
        self._commands = commands
        self._paths = cluster.paths
        self._doors = tuple((name, number) for number, name in cluster.paths.items())
        self._path_of = {canary_login(cluster, node.name).name: path_number(node.name) for node in cluster.nodes}
        self._connection: PullClient | None = None
        self._running: asyncio.Task[None] | None = None
        self._in_hand = 0
        self._has_room = asyncio.Event()
        self._done: list[bytes] = []  # to be acknowledged
        self._is_done = asyncio.Event()
        self._marks: deque[_Mark] = deque(maxlen=KEPT_MARKS)  # that wait for what was before them
        self._tell_clock_s = 0.0  # of a node, that is wrong: not before
        self._trouble: str | None = None  # why the list of units could not be read last

    def start(self) -> None:
        """Connects in the background and keeps at it."""
        self._commands.start()
        self._running = asyncio.get_running_loop().create_task(
            self._ingest.duties.every(RETRY_S, "cluster", self._serve)
        )

    async def stop(self) -> None:
        """What is not stored in STORED_WITHIN_S is left to the other workers."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running})
        with suppress(TimeoutError):
            async with asyncio.timeout(STORED_WITHIN_S):
                while self._in_hand:
                    await self._wait_for_room()
        if self._connection is not None:
            with suppress(NatsError, TimeoutError, OSError):
                await self._acknowledge_done(self._connection)
                await self._connection.flush(FLUSHED_WITHIN_S)
                await self._connection.close()
        await self._commands.stop()
        self._membership.close()

    def canary(self) -> DoorCanaries:
        """A client at each node's door."""
        return DoorCanaries(self._cluster, self._counters)

    @property
    def trouble(self) -> str | None:
        """Until it has its part in the messages: another worker takes them, or the cluster keeps them."""
        return None if self.ready.is_set() else NOT_KEPT

    @property
    def connections(self) -> int:
        """Of units; only the nodes know."""
        return 0

    async def command(self, unit_id: str, payload: bytes) -> bool:
        """As CommandSender.command."""
        return await self._commands.command(unit_id, payload)

    async def pieces(self, unit_id: str, payloads: list[bytes]) -> bool:
        """As CommandSender.pieces."""
        return await self._commands.pieces(unit_id, payloads)

    async def _serve(self) -> None:
        """Until something fails. Raises OSError, TimeoutError, or what nats raises."""
        try:
            await self._pull()
        except NatsError as error:
            raise OSError(f"the cluster: {error}") from error  # which passes (duties.EXPECTED)

    async def _pull(self) -> None:
        if self._connection is None:
            self._connection = await connect_worker(self._cluster)
        connection = self._connection
        await keep_messages(connection.jetstream(), len(self._cluster.nodes))
        pull = Pull(connection, self._ingest.clock.now_ms)
        await pull.open()
        self.ready.set()
        beside = [asyncio.create_task(self._acknowledge(connection)), asyncio.create_task(self._count(connection))]
        try:
            while True:
                while self._in_hand >= IN_HAND:
                    await self._wait_for_room()
                batch = await pull.next(IN_HAND - self._in_hand)
                await self._take(batch)
                for task in beside:
                    if task.done():
                        task.result()
        finally:
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)
            with suppress(NatsError):
                await pull.close()

    async def _take(self, batch: list[Delivery]) -> None:
        """All of them, in their order. While the list of units cannot be read they wait: nobody else can read it either."""
        ids = {one.unit_id for one in batch if one.kind in UNIT_TOPICS and not one.unit_id.startswith("_")}
        while True:
            try:
                statuses = await self._membership.statuses(ids)
                break
            except SQLAlchemyError as error:
                self._note_trouble(reason_of(error))
                await asyncio.sleep(RETRY_S)
        self._note_trouble(None)
        now_ms = self._ingest.clock.now_ms()
        for one in batch:
            self._in_hand += 1
            status = statuses.get(one.unit_id) if one.kind in UNIT_TOPICS else None  # wills and commands lie between
            try:
                self._settle(one, status, now_ms)
            except Exception:  # of ours: one message must not keep out all others
                self._counters.failed_messages += 1
                self._leave()
                _log.exception("a message could not be taken in; it is not acknowledged")

    def _settle(self, one: Delivery, status: UnitStatus | None, now_ms: int) -> None:
        acknowledge = partial(self._finish, one.acknowledge_to)
        stamp = stamp_of(one.server_ms, one.caught_up_ms, now_ms)
        self._counters.redelivered += one.again
        if stamp.is_wrong:
            self._counters.wrong_stamps += 1
            self._note_clock(one.server_ms - now_ms)
        if status is None:
            path = self._path_of.get(one.unit_id)
            if path is not None and one.kind == "heartbeat":
                self._marks.append(_Mark(one.sequence, path, stamp.at_ms))
            self._counters.dropped_foreign_topic += path is None and one.kind not in ("command", "lwt")
        elif status is UnitStatus.UNKNOWN:
            self._counters.quarantined += 1
            self._unknown_clients.saw(one.unit_id, stamp.at_ms)
        elif not one.payload:
            self._counters.dropped_empty += 1
        elif status is UnitStatus.REVOKED:
            self._counters.dropped_revoked += 1
        elif self._ingest.admits(one.unit_id, stamp.at_ms):
            if not self._ingest.take_stamped(
                one.unit_id, one.kind, one.payload, stamp, self._doors, one.again, acknowledge
            ):
                self._leave()
            return
        acknowledge()

    def _finish(self, acknowledge_to: bytes) -> None:
        """It is stored, or there is nothing to store."""
        self._leave()
        self._done.append(acknowledge_to)
        self._is_done.set()

    def _leave(self) -> None:
        """It is not in our hands any more; unacknowledged, it is delivered again."""
        self._in_hand -= 1
        self._has_room.set()

    async def _wait_for_room(self) -> None:
        self._has_room.clear()
        await self._has_room.wait()

    async def _acknowledge(self, connection: PullClient) -> None:
        """For ever. While the connection is lost what does not fit in its buffer is left out, and delivered again."""
        while True:
            await self._is_done.wait()
            self._is_done.clear()
            with suppress(NatsError):
                await self._acknowledge_done(connection)

    async def _count(self, connection: PullClient) -> None:
        """For ever: the canaries before which all is stored."""
        stream = connection.jetstream()
        while True:
            await asyncio.sleep(COUNT_EVERY_S)
            if self._marks:
                with suppress(NatsError, TimeoutError):
                    settled = await settled_to(stream)
                    while self._marks and self._marks[0].sequence <= settled:
                        _, path, at_ms = self._marks.popleft()
                        self._ingest.take_path_canary(path, self._paths, at_ms)

    async def _acknowledge_done(self, connection: PullClient) -> None:
        done, self._done = self._done, []
        await connection.acknowledge(done)

    def _note_clock(self, ahead_ms: int) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s >= self._tell_clock_s:
            self._tell_clock_s = now_s + TELL_CLOCK_EVERY_S
            direction = "ahead of" if ahead_ms > 0 else "behind"
            _log.warning(
                "the clock of a node is %d s %s ours, and is not believed: keep both right by NTP",
                round(abs(ahead_ms) / 1000),
                direction,
            )

    def _note_trouble(self, reason: str | None) -> None:
        if reason != self._trouble:
            if reason is None:
                _log.warning("the list of units can be read again")
            else:
                _log.error("the list of units cannot be read, and messages wait: %s", reason)
        self._trouble = reason
