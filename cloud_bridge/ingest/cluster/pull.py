"""Fetch messages from the cluster with one durable consumer, which all workers share, on the stream of units' messages.

The nodes store the messages that they have acknowledged to units in this stream, with replication, so no acknowledged
message is lost with a node. A copy into a stream of our own was not safe: when its leader was killed, acknowledged
messages were missing. By default the nodes create one stream for all topics when the first MQTT client connects, and
keep only messages that a consumer waits for. We create two streams before any unit is accepted (`keep_messages`);
otherwise the first messages would be lost:

    $MQTT_msgs    commands. The nodes expect this name, and each unit's subscription is a consumer of it
    messages      what units publish. It has one consumer, ours

There are two because a node asks every consumer of such a stream before it drops an acknowledged message. With 2,000
units connected that was half of the cost of a message, and it would grow with each unit (`bench.scale nodes`).

A message that we do not acknowledge within ACK_WAIT_S is redelivered to another worker. If an acknowledgement is lost,
the message is redelivered, and the store detects the repeat (store/record.py). So we do not wait for the cluster to
confirm acknowledgements.

Only the connection of nats-py is used (pull_client.py). Its `fetch` waits, after the first message, for a full batch or
the deadline.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import BadRequestError, NotFoundError

from cloud_bridge.errors import SettingError
from cloud_bridge.ingest.cluster.login_request import PUBLISHES
from cloud_bridge.ingest.cluster.pull_client import PullClient

STREAM = "messages"
OF_COMMANDS = "$MQTT_msgs"
DURABLE = "bridge"
PREFIX = "$MQTT.msgs.cp."
ACK_WAIT_S = 30
MAX_UNACKNOWLEDGED = 20_000  # by all workers together; at this number the cluster delivers no more
BATCH = 500  # messages in one request
ASK_FOR_S = 2.0  # after this time the cluster answers that there are none
ANSWER_WITHIN_S = 3.0  # without any answer the request is repeated
_ASK = f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{DURABLE}"
REPLICAS = 3
OTHER_REPLICAS = (
    "the cluster keeps each message at {kept} of its nodes, and would at {replicas} with the {nodes} that the file of "
    "CHARGEKEEPER_NATS names: name all nodes in `nats write`. A cluster of one or two grows by `nats stream edit "
    "--replicas=3` of each of its streams"
)


class Delivery(NamedTuple):
    """A message as the cluster delivered it."""

    unit_id: str
    kind: str  # the rest of the topic: heartbeat, event, ...
    payload: bytes
    server_ms: int  # when a node stored it, by the node's clock
    caught_up_ms: int | None  # it was stored later than this, by our clock (stamps.py); None if not known
    again: bool  # a redelivery
    sequence: int  # in the stream
    acknowledge_to: bytes  # reply subject


async def keep_messages(stream: JetStreamContext, nodes: int) -> None:
    """Create the streams and the consumer, unless they exist: from then on the cluster stores units' messages until a
    worker has acknowledged them.

    Raises SettingError if the cluster has another number of nodes than the cluster file, and nats.errors.Error or
    TimeoutError while the cluster has no majority.
    """
    replicas = min(REPLICAS, nodes)
    consumer = ConsumerConfig(
        durable_name=DURABLE,
        filter_subject=f"{PREFIX}>",
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_WAIT_S,
        max_ack_pending=MAX_UNACKNOWLEDGED,
        num_replicas=replicas,
    )
    await _make(stream, OF_COMMANDS, ("command",), replicas)
    await _make(stream, STREAM, PUBLISHES, replicas)
    try:
        await stream.add_consumer(STREAM, consumer)
    except BadRequestError as error:
        kept = (await stream.stream_info(STREAM)).config.num_replicas
        if kept == replicas:
            raise
        raise SettingError(OTHER_REPLICAS.format(kept=kept, nodes=nodes, replicas=replicas)) from error


async def _make(stream: JetStreamContext, name: str, kinds: Sequence[str], replicas: int) -> None:
    """Create a stream for these kinds of messages, or add them to an existing one, which may have kinds of another
    version."""
    wanted = {f"{PREFIX}*.{kind}" for kind in kinds}
    try:
        config = (await stream.stream_info(name)).config
    except NotFoundError:  # with the configuration that a node would use (nats-server 2.15.1, server/mqtt.go)
        await stream.add_stream(
            StreamConfig(
                name=name,
                subjects=sorted(wanted),
                retention=RetentionPolicy.INTEREST,
                storage=StorageType.FILE,
                num_replicas=replicas,
            )
        )
        return
    subjects = config.subjects or []  # $MQTT.msgs.> if a client connected before us, so that a node has created it
    kept = {subject for subject in subjects if subject.startswith(PREFIX)}
    if kept | wanted != set(subjects):
        await stream.update_stream(config.evolve(subjects=sorted(kept | wanted)))


async def settled_to(stream: JetStreamContext) -> int:
    """Return the sequence number up to which all messages are acknowledged, by any worker. Raises nats.errors.Error and
    TimeoutError."""
    floor = (await stream.consumer_info(STREAM, DURABLE)).ack_floor
    return 0 if floor is None else floor.stream_seq


class Pull:
    """Fetches messages. Used on one event loop, with one call of `next` at a time."""

    def __init__(self, connection: PullClient, now_ms: Callable[[], int]) -> None:
        self._connection = connection
        self._now_ms = now_ms
        self._inbox = connection.new_inbox()
        self._subscription: Subscription | None = None
        self._deliveries: list[Delivery] = []
        self._came = asyncio.Event()
        self._left = 0  # messages of the last request that have not come
        self._ask_again_s = 0.0
        self._asked_ms: int | None = None
        self._asked_before_ms: int | None = None  # the previous request: an answer may belong to either
        self._caught_up_ms: int | None = None

    async def open(self) -> None:
        """Subscribe to deliveries. Raises nats.errors.Error."""
        self._connection.deliver(PREFIX.encode(), self._receive)
        self._subscription = await self._connection.subscribe(self._inbox, cb=self._receive_status)

    async def close(self) -> None:
        """Unsubscribe. Messages that `next` has not returned are redelivered. Raises nats.errors.Error."""
        if self._subscription is not None:
            await self._subscription.unsubscribe()

    async def next(self, room: int) -> list[Delivery]:
        """Return the messages that have come, after at most ANSWER_WITHIN_S; may be empty. Requests at most `room`
        messages, which must be at least 1. Raises nats.errors.Error."""
        loop = asyncio.get_running_loop()
        if not self._deliveries:
            if self._left <= 0 or loop.time() >= self._ask_again_s:
                if self._connection.is_connected:  # or requests from an outage would all be answered after it
                    await self._ask(min(BATCH, room))
                self._ask_again_s = loop.time() + ANSWER_WITHIN_S
            self._came.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._ask_again_s):
                    await self._came.wait()
        deliveries, self._deliveries = self._deliveries, []
        return deliveries

    async def _ask(self, count: int) -> None:
        self._left = count
        self._asked_before_ms, self._asked_ms = self._asked_ms, self._now_ms()
        asked = {"batch": count, "expires": int(ASK_FOR_S * 1e9)}
        await self._connection.publish(_ASK, json.dumps(asked).encode(), self._inbox)

    async def _receive_status(self, _message: Msg) -> None:
        """Process a status: there are no messages, or the consumer has moved to another node."""
        self._left = 0
        self._came.set()

    def _receive(self, subject: bytes, reply: bytes, payload: bytes) -> None:
        """Take a delivery. Raises ValueError or IndexError if the reply subject has not the expected format."""
        tokens = reply.split(b".")
        at = 4 if len(tokens) == 9 else 6  # newer nodes may add a domain and an account
        again, server_ns, pending = tokens[at] != b"1", int(tokens[at + 3]), tokens[at + 4]
        unit_id, _, kind = subject[len(PREFIX) :].decode().partition(".")
        caught_up_ms = None if again else self._caught_up_ms
        if pending == b"0":
            self._caught_up_ms = self._asked_before_ms
        server_ms, sequence = server_ns // 1_000_000, int(tokens[at + 1])
        self._deliveries.append(Delivery(unit_id, kind, payload, server_ms, caught_up_ms, again, sequence, reply))
        self._left -= 1
        self._came.set()
