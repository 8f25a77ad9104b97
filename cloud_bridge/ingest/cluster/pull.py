"""Takes messages out of the cluster: one durable consumer on the stream of all that units publish, shared by our workers.

The stream is the one in which the nodes keep what they have acknowledged to units (replicated), so nothing that was
acknowledged is lost with a node. A copy of it in a stream of our own would be: when that one's leader was killed,
acknowledged messages were missing. The nodes would make one for all topics when the first MQTT client comes, and keep in it
only what a consumer waits for. Ours are made before any unit is let in (`keep_messages`), or its first words would be lost:

    $MQTT_msgs    commands. The nodes look for it by this name, and each unit's subscription is a consumer of it
    messages      what units publish. It has one consumer, ours

They are two because a node that drops an acknowledged message of such a stream asks every consumer of it first: with 2,000
units connected that was half of what a message costs, and it would grow with each unit (`bench.scale nodes`).

A message is ours until we acknowledge it, and is delivered to another worker when we do not in ACK_WAIT_S. An
acknowledgement that is lost on its way only has the message delivered once more, and a message that is stored twice is
stored once (store/record.py). So we do not wait until the cluster has confirmed an acknowledgement.

Of nats-py only the connection is used (pull_client.py): its `fetch` waits for a full batch or its deadline once a first
message has come.
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
MAX_UNACKNOWLEDGED = 20_000  # by all workers together; then the cluster waits
BATCH = 500  # messages asked for at once
ASK_FOR_S = 2.0  # then the cluster answers that there are none
ANSWER_WITHIN_S = 3.0  # without any answer the node is gone, and is asked again
_ASK = f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{DURABLE}"
REPLICAS = 3
OTHER_REPLICAS = (
    "the cluster keeps each message at {kept} of its nodes, and would at {replicas} with the {nodes} that the file of "
    "CHARGEKEEPER_NATS names: name all nodes in `nats write`. A cluster of one or two grows by `nats stream edit "
    "--replicas=3` of each of its streams"
)


class Delivery(NamedTuple):
    """One message as the cluster delivered it."""

    unit_id: str
    kind: str  # the rest of the topic: heartbeat, event, ...
    payload: bytes
    server_ms: int  # when a node stored it, by its clock
    caught_up_ms: int | None  # it was stored later than this, by our clock (stamps.py); None: not known
    again: bool  # not for the first time
    sequence: int  # in the stream
    acknowledge_to: bytes


async def keep_messages(stream: JetStreamContext, nodes: int) -> None:
    """From now on the cluster keeps what units say until a worker has acknowledged it. It may do so already.

    Raises SettingError where the cluster has another number of nodes than the file says; what is derived from
    nats.errors.Error, and TimeoutError, while the nodes are not agreed.
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
    """For these kinds of messages beside those that another version of ours has it for."""
    wanted = {f"{PREFIX}*.{kind}" for kind in kinds}
    try:
        config = (await stream.stream_info(name)).config
    except NotFoundError:  # otherwise as a node makes it (nats-server 2.15.1, server/mqtt.go)
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
    subjects = config.subjects or []  # $MQTT.msgs.> where a client was earlier than we, and a node has made it
    kept = {subject for subject in subjects if subject.startswith(PREFIX)}
    if kept | wanted != set(subjects):
        await stream.update_stream(config.evolve(subjects=sorted(kept | wanted)))


async def settled_to(stream: JetStreamContext) -> int:
    """Up to which message of the stream all are acknowledged, by whatever worker. Raises nats.errors.Error, TimeoutError."""
    floor = (await stream.consumer_info(STREAM, DURABLE)).ack_floor
    return 0 if floor is None else floor.stream_seq


class Pull:
    """Used on one event loop, one `next` at a time."""

    def __init__(self, connection: PullClient, now_ms: Callable[[], int]) -> None:
        self._connection = connection
        self._now_ms = now_ms
        self._inbox = connection.new_inbox()
        self._subscription: Subscription | None = None
        self._deliveries: list[Delivery] = []
        self._came = asyncio.Event()
        self._left = 0  # of what was asked for
        self._ask_again_s = 0.0
        self._asked_ms: int | None = None
        self._asked_before_ms: int | None = None  # the time before: an answer may be to either
        self._caught_up_ms: int | None = None

    async def open(self) -> None:
        """Raises nats.errors.Error."""
        self._connection.deliver(PREFIX.encode(), self._receive)
        self._subscription = await self._connection.subscribe(self._inbox, cb=self._receive_status)

    async def close(self) -> None:
        """What has come and was not handed out is delivered again. Raises nats.errors.Error."""
        if self._subscription is not None:
            await self._subscription.unsubscribe()

    async def next(self, room: int) -> list[Delivery]:
        """What has come, after at most ANSWER_WITHIN_S; may be empty. Asks for no more than `room` messages, of at least
        one. Raises nats.errors.Error."""
        loop = asyncio.get_running_loop()
        if not self._deliveries:
            if self._left <= 0 or loop.time() >= self._ask_again_s:
                if self._connection.is_connected:  # else the questions of an outage would all be answered after it
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
        """There are none, or the consumer has moved to another node."""
        self._left = 0
        self._came.set()

    def _receive(self, subject: bytes, reply: bytes, payload: bytes) -> None:
        """Raises ValueError or IndexError where a node does not say what it has to."""
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
