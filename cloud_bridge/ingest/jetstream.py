"""Ingest from a NATS cluster, through a JetStream stream that survives the loss of any node and of any of our
processes.

A node sends a unit its PUBACK when a majority of the nodes has stored the message. Any of our workers then takes it:

    unit -> a node's listener -> the stream -> a worker -> the database -> acknowledged to the stream

A message is acknowledged to the stream when it is committed, so a worker may be killed at any time: its uncommitted
messages are redelivered to another worker after pull.ACK_WAIT_S. The time of the contact is when a node received the
message, whenever it is read (stamps.py). Messages that were queued during an outage of ours are contacts at their own
time.

Effect of faults:
    a node is down               its units connect to another node; that path does not listen (cloud_bridge/paths.py)
    the database is away         nothing is acknowledged to the stream, and at most IN_HAND messages are fetched; units
                                 still receive PUBACKs
    the stream stores nothing    no unit receives a PUBACK: most nodes are down, or their disks are full. Canaries fail

A canary proves listening once every message before it is stored, by any worker (`_Mark`). The messages of a killed
worker are stored only after pull.ACK_WAIT_S. Until then it is not known which units were heard, so that time counts as
an outage.

Wills are in the same stream and are ignored. The permissions on the nodes ensure that only the unit itself publishes on
its topics. A retained message is delivered once, as a normal message. An empty message is dropped, as on any broker.
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

IN_HAND = 5000  # messages fetched and not committed; at this number no more are fetched
RETRY_S = 1.0
COUNT_EVERY_S = 0.5
KEPT_MARKS = 1000  # canaries; older ones are too old to prove anything
TELL_CLOCK_EVERY_S = 60.0
STORED_WITHIN_S = 5.0  # when stopping; messages that are not stored by then are redelivered
FLUSHED_WITHIN_S = 2
NOT_KEPT = "the cluster stores no messages for us yet: most nodes must be running, with free disk space"

_log = logging.getLogger(__name__)


class _Mark(NamedTuple):
    """A canary that was received."""

    sequence: int  # in the stream
    path: int
    at_ms: int


class JetStreamIngest:
    """A worker that takes messages from the stream. Used on one event loop."""

    def __init__(
        self,
        cluster: Cluster,
        ingest: Ingest,
        membership: Membership,
        unknown_clients: UnknownClients,
        commands: CommandSender,
    ) -> None:
        self.ready = asyncio.Event()  # set when the consumer exists: from then on no message is lost
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
        self._done: list[bytes] = []  # reply subjects of the messages to acknowledge
        self._is_done = asyncio.Event()
        self._marks: deque[_Mark] = deque(maxlen=KEPT_MARKS)  # waiting for the messages before them to be stored
        self._tell_clock_s = 0.0  # the next warning about a node's clock is not logged before this time
        self._trouble: str | None = None  # why the unit registry could not be read; None if it can

    def start(self) -> None:
        """Connect in the background, and reconnect when the connection is lost."""
        self._commands.start()
        self._running = asyncio.get_running_loop().create_task(
            self._ingest.duties.every(RETRY_S, "cluster", self._serve)
        )

    async def stop(self) -> None:
        """Stop fetching, and wait up to STORED_WITHIN_S for the commits. Other workers get what is not stored by
        then."""
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
        """Return the canaries, one for each node."""
        return DoorCanaries(self._cluster, self._counters)

    @property
    def trouble(self) -> str | None:
        """NOT_KEPT until this worker takes part in the consumption of the stream; None afterwards."""
        return None if self.ready.is_set() else NOT_KEPT

    @property
    def connections(self) -> int:
        """Always 0: only the nodes know the connections of units."""
        return 0

    async def command(self, unit_id: str, payload: bytes) -> bool:
        """Send a command through CommandSender.command."""
        return await self._commands.command(unit_id, payload)

    async def pieces(self, unit_id: str, payloads: list[bytes]) -> bool:
        """Send pieces through CommandSender.pieces."""
        return await self._commands.pieces(unit_id, payloads)

    async def _serve(self) -> None:
        """Take messages until an error occurs. Raises OSError, also for errors of nats, or TimeoutError."""
        try:
            await self._pull()
        except NatsError as error:
            raise OSError(f"the cluster: {error}") from error  # an expected error (duties.EXPECTED)

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
        """Process all messages in order. They wait while the unit registry cannot be read, since no other worker can
        read it either."""
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
            status = statuses.get(one.unit_id) if one.kind in UNIT_TOPICS else None  # not a will or a command
            try:
                self._settle(one, status, now_ms)
            except Exception:  # a bug: one message must not block all others
                self._counters.failed_messages += 1
                self._leave()
                _log.exception("message processing failed; the message is not acknowledged")

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
        """Acknowledge a message that is committed, or that has nothing to store."""
        self._leave()
        self._done.append(acknowledge_to)
        self._is_done.set()

    def _leave(self) -> None:
        """Remove a message from the count of IN_HAND. If it is not acknowledged, it is redelivered."""
        self._in_hand -= 1
        self._has_room.set()

    async def _wait_for_room(self) -> None:
        self._has_room.clear()
        await self._has_room.wait()

    async def _acknowledge(self, connection: PullClient) -> None:
        """Send acknowledgements until cancelled. While the connection is lost, those that do not fit into its buffer
        are dropped, and their messages redelivered."""
        while True:
            await self._is_done.wait()
            self._is_done.clear()
            with suppress(NatsError):
                await self._acknowledge_done(connection)

    async def _count(self, connection: PullClient) -> None:
        """Take canaries, once all messages before them are stored, until cancelled."""
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
                "the clock of a node is %d s %s ours, its timestamps are ignored: synchronise both clocks by NTP",
                round(abs(ahead_ms) / 1000),
                direction,
            )

    def _note_trouble(self, reason: str | None) -> None:
        if reason != self._trouble:
            if reason is None:
                _log.warning("the unit registry can be read again")
            else:
                _log.error("the unit registry cannot be read, messages are waiting: %s", reason)
        self._trouble = reason
