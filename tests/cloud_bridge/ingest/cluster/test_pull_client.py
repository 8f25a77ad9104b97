"""Are deliveries parsed from any bytes, and is everything else left to nats-py, in order?"""

import asyncio
from typing import Any

import pytest
from nats.errors import OutboundBufferLimitError, ProtocolError

from cloud_bridge.ingest.cluster.pull_client import MAX_UNREAD_BYTES, DeliveryParser, PullClient

PREFIX = b"$MQTT.msgs.cp."
HEADER = b"NATS/1.0\r\nNmqtt-Pub: 1\r\n\r\n"
SAID = b"".join(
    (
        b"HMSG $MQTT.msgs.cp.one.heartbeat 1 $JS.ACK.first %d %d\r\n" % (len(HEADER), len(HEADER) + 8),
        HEADER + b'{"a":\r\n}' + b"\r\n",
        b"PING\r\n",
        b"MSG $MQTT.msgs.cp.two.event 1 $JS.ACK.second 2\r\n{}\r\n",
        b"HMSG inbox 1 28 28\r\nNATS/1.0 404 No Messages\r\n\r\n\r\n",
        b"MSG $MQTT.msgs.cp.two.lwt 1 $JS.ACK.third 0\r\n\r\n",
        b"MSG inbox 2 4\r\nPING\r\n",
    )
)
HEARD = [
    (b"$MQTT.msgs.cp.one.heartbeat", b"$JS.ACK.first", b'{"a":\r\n}'),
    "ping",
    (b"$MQTT.msgs.cp.two.event", b"$JS.ACK.second", b"{}"),
    b"inbox",
    (b"$MQTT.msgs.cp.two.lwt", b"$JS.ACK.third", b""),
    b"inbox",
]


class Client:
    """The methods that nats-py's parser calls."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.parser = DeliveryParser(self)  # type: ignore[arg-type]  # what it uses of one
        self.parser.prefix = PREFIX
        self.parser.deliver = lambda *said: self.heard.append(said)

    async def _process_ping(self) -> None:
        self.heard.append("ping")

    async def _process_msg(self, _sid: int, subject: bytes, *_said: object) -> None:
        self.heard.append(subject)

    async def _process_err(self, reason: str) -> None:
        self.heard.append(reason)
        self.parser.reset()  # as when nats-py reconnects

    def hear(self, *chunks: bytes) -> list[Any]:
        async def story() -> None:
            for chunk in chunks:
                await self.parser.parse(chunk)

        asyncio.run(story())
        return self.heard


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 1000])
def test_frames_are_the_same_however_they_are_cut(size: int) -> None:
    assert Client().hear(*(SAID[at : at + size] for at in range(0, len(SAID), size))) == HEARD


def test_nothing_of_a_connection_is_left_for_the_next_one() -> None:
    client = Client()
    assert client.hear(b"-ERR 'Stale Connection'\r\nMSG $MQTT.msgs.cp.one.event 1 reply 2\r\n{") == [
        "'stale connection'"
    ]
    assert client.hear(SAID)[1:] == HEARD


@pytest.mark.parametrize(
    "said",
    [
        b"MSG $MQTT.msgs.cp.one.event 1 reply many\r\n",
        b"MSG $MQTT.msgs.cp.one.event 2\r\n{}\r\n",
        b"HMSG $MQTT.msgs.cp.one.event 1 many 2\r\n{}\r\n",
        b"MSG $MQTT.msgs.cp.one.event 1 reply -45\r\n",
        b"MSG $MQTT.msgs.cp.one.event 1 reply +2\r\n{}\r\n",
        b"MSG $MQTT.msgs.cp.one.event 1 reply 0_2\r\n{}\r\n",
        b"NEWS\r\n",
        b"MSG a 1 9999999\r\n" + b" " * MAX_UNREAD_BYTES,
        b" " * (MAX_UNREAD_BYTES + 1),
    ],
)
def test_what_no_node_says_ends_the_connection(said: bytes) -> None:
    with pytest.raises(ProtocolError):
        Client().hear(said)


def test_what_a_lost_connection_can_keep_is_bounded() -> None:
    async def story() -> None:
        client = PullClient()
        assert not client.is_connected
        with pytest.raises(OutboundBufferLimitError):
            await client.acknowledge([b"$JS.ACK." + b"1" * 50] * 100_000)

    asyncio.run(story())


def test_acknowledgements_are_one_command_that_is_sent_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []

    async def send(_client: PullClient, command: bytes) -> None:
        sent.append(command)

    async def flush(_client: PullClient) -> None:
        sent.append("at once")

    monkeypatch.setattr(PullClient, "_send_command", send)
    monkeypatch.setattr(PullClient, "_flush_pending", flush)
    monkeypatch.setattr(PullClient, "is_connected", True)
    asyncio.run(PullClient().acknowledge([b"$JS.ACK.1", b"$JS.ACK.2"]))
    assert sent == [b"PUB $JS.ACK.1 0\r\n\r\nPUB $JS.ACK.2 0\r\n\r\n", "at once"]


@pytest.mark.parametrize(("room", "is_kept"), [(19, True), (18, False)])
def test_a_lost_connection_keeps_as_many_as_it_may(monkeypatch: pytest.MonkeyPatch, room: int, is_kept: bool) -> None:
    async def send(_client: PullClient, command: bytes) -> None:
        assert len(command) == 19

    monkeypatch.setattr(PullClient, "_send_command", send)
    monkeypatch.setattr(PullClient, "_flush_pending", lambda _client: asyncio.sleep(0))
    client: Any = PullClient()
    client._pending_data_size, client._max_pending_size = 7, 7 + room
    acknowledged = client.acknowledge([b"$JS.ACK.1"])
    if is_kept:
        asyncio.run(acknowledged)
    else:
        with pytest.raises(OutboundBufferLimitError):
            asyncio.run(acknowledged)


def test_it_is_the_parser_that_nats_py_asks() -> None:
    client, heard = PullClient(), []
    client.deliver(PREFIX, lambda *said: heard.append(said))
    asyncio.run(client._ps.parse(SAID[: SAID.index(b"PING")]))
    assert heard == HEARD[:1]
