"""Are the cluster's headers of a message parsed correctly, and is it asked again whatever it answers?"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from unittest.mock import Mock

import pytest
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig, RetentionPolicy, StreamConfig, StreamInfo
from nats.js.errors import NotFoundError

from cloud_bridge.ingest.cluster.login_request import PUBLISHES
from cloud_bridge.ingest.cluster.pull import BATCH, DURABLE, OF_COMMANDS, STREAM, Delivery, Pull, keep_messages
from cloud_bridge.ingest.cluster.pull_client import OnDelivery
from tests.cloud_bridge.running import HandClock

V1 = "$JS.ACK.messages.bridge.{delivered}.{sequence}.7.1800000000123456789.{pending}"
V2 = "$JS.ACK.hub.AXYZ.messages.bridge.{delivered}.{sequence}.7.1800000000123456789.{pending}.tok"


class Connection:
    """The connection to a simulated cluster."""

    def __init__(self) -> None:
        self.is_connected = True
        self.asked: list[dict[str, Any]] = []
        self._receive: OnDelivery
        self._receive_status: Callable[[Msg], Awaitable[None]]

    def new_inbox(self) -> str:
        return "inbox"

    def deliver(self, _prefix: bytes, deliver: OnDelivery) -> None:
        self._receive = deliver

    async def subscribe(self, _inbox: str, cb: Callable[[Msg], Awaitable[None]]) -> None:
        self._receive_status = cb

    async def publish(self, _subject: str, payload: bytes, _reply: str) -> None:
        self.asked.append(json.loads(payload))

    async def say(self, reply: str, topic: str = "one.heartbeat") -> None:
        """Deliver a message; without a reply subject, report that there are none."""
        if reply:
            self._receive(f"$MQTT.msgs.cp.{topic}".encode(), reply.encode(), b"{}")
        else:
            await self._receive_status(Msg(None, "inbox"))  # type: ignore[arg-type]  # no client


async def opened() -> tuple[Connection, Pull, HandClock]:
    connection, clock = Connection(), HandClock()
    pull = Pull(connection, clock.now_ms)  # type: ignore[arg-type]  # what it uses of one
    await pull.open()
    return connection, pull, clock


async def next_of(pull: Pull, connection: Connection, *replies: str, topic: str = "one.heartbeat") -> list[Delivery]:
    """Return what it yields when these arrive after its request."""
    waiting = asyncio.create_task(pull.next(BATCH))
    await asyncio.sleep(0)
    for reply in replies:
        await connection.say(reply, topic)
    return await waiting


def test_both_forms_of_a_reply_say_the_same() -> None:
    async def story() -> None:
        connection, pull, _ = await opened()
        for form in (V1, V2):
            (one,) = await next_of(pull, connection, form.format(delivered=2, sequence=42, pending=3))
            assert one[:6] == ("one", "heartbeat", b"{}", 1_800_000_000_123, None, True)
            assert one.sequence == 42
        (strange,) = await next_of(pull, connection, V1.format(delivered=1, sequence=1, pending=3), topic="one.a.b")
        assert strange.kind == "a.b", "no kind of ours"

    asyncio.run(story())


def test_what_comes_after_we_have_caught_up_came_later_than_we_had_asked_before() -> None:
    async def story() -> None:
        connection, pull, clock = await opened()
        last, more = V1.format(delivered=1, sequence=1, pending=0), V1.format(delivered=1, sequence=2, pending=5)
        first_ms = clock.now_ms()
        assert (await next_of(pull, connection, last, ""))[0].caught_up_ms is None
        clock.advance(1000)
        assert (await next_of(pull, connection, last, ""))[0].caught_up_ms is None, "nothing was asked before the first"
        clock.advance(1000)
        assert (await next_of(pull, connection, more, ""))[0].caught_up_ms == first_ms
        again = V1.format(delivered=3, sequence=2, pending=0)
        assert (await next_of(pull, connection, again, ""))[0].caught_up_ms is None, "a redelivery may be of any age"

    asyncio.run(story())


def test_it_asks_again_when_there_was_nothing_and_not_for_more_than_there_is_room() -> None:
    async def story() -> None:
        connection, pull, _ = await opened()
        assert await next_of(pull, connection, "") == []
        waiting = asyncio.create_task(pull.next(7))
        await asyncio.sleep(0)
        await connection.say("")
        await waiting
        assert [asked["batch"] for asked in connection.asked] == [BATCH, 7]

    asyncio.run(story())


class Streams:
    """The streams of a cluster, by name."""

    def __init__(self, **subjects: list[str]) -> None:
        self.subjects = subjects
        self.consumers: list[tuple[str, str | None]] = []

    async def stream_info(self, name: str) -> StreamInfo:
        if name not in self.subjects:
            raise NotFoundError
        return Mock(config=StreamConfig(name=name, subjects=self.subjects[name]))

    async def add_stream(self, config: StreamConfig) -> None:
        assert config.name is not None and config.name not in self.subjects
        assert (config.retention, config.num_replicas) == (RetentionPolicy.INTEREST, 3)
        await self.update_stream(config)

    async def update_stream(self, config: StreamConfig) -> None:
        assert config.name is not None and config.subjects is not None
        self.subjects[config.name] = config.subjects

    async def add_consumer(self, stream: str, config: ConsumerConfig) -> None:
        self.consumers.append((stream, config.durable_name))


@pytest.mark.parametrize("made", [{}, {OF_COMMANDS: ["$MQTT.msgs.>"]}], ids=["none", "by-a-node"])
def test_commands_have_a_stream_of_their_own(made: dict[str, list[str]]) -> None:
    """A node checks every consumer of a stream for each message, and each unit is a consumer of the stream of commands."""
    streams = Streams(**made)
    for _ in range(2):  # two workers
        asyncio.run(keep_messages(streams, 3))  # type: ignore[arg-type]  # what it uses of one
    assert streams.subjects[OF_COMMANDS] == ["$MQTT.msgs.cp.*.command"]
    assert sorted(streams.subjects[STREAM]) == sorted(f"$MQTT.msgs.cp.*.{kind}" for kind in PUBLISHES)
    assert streams.consumers == [(STREAM, DURABLE)] * 2


def test_what_a_newer_worker_has_a_stream_for_is_kept() -> None:
    newer = "$MQTT.msgs.cp.*.newer"
    streams = Streams(**{STREAM: [newer]})
    asyncio.run(keep_messages(streams, 3))  # type: ignore[arg-type]  # what it uses of one
    assert newer in streams.subjects[STREAM] and len(streams.subjects[STREAM]) == len(PUBLISHES) + 1
