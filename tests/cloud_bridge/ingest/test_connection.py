"""Does the socket of a unit keep its bounds, both ways, and is a message acknowledged when it is told to?"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from cloud_bridge.ingest import packets
from cloud_bridge.ingest.connection import MAX_UNSENT_BYTES, RECORD_PACKETS, MqttConnection, UnitWriter
from cloud_bridge.ingest.packets import MalformedPacket
from cloud_bridge.ingest.session import MAX_UNCOMMITTED, ConnectReceived, ForBroker, PublishReceived, State
from tests.cloud_bridge.raw import CONNACK_OK, connect_packet, publish_packet

CONNECT = connect_packet("cp-1", "cp-1", "secret", keep_alive_s=60)
PINGREQ = b"\xc0\x00"


def publish(number: int) -> bytes:
    return publish_packet("cp/cp-1/heartbeat", b"{}", number)


class Transport:
    """Of asyncio; `unsent` bytes wait in it."""

    def __init__(self) -> None:
        self.unsent = 0
        self.done: list[Any] = []  # what was asked of it
        self.ended = False

    def is_closing(self) -> bool:
        return self.ended

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def get_extra_info(self, name: str) -> Any:
        return {"peername": ("192.0.2.7", 50_000, 0, 0)}.get(name)

    def write(self, data: bytes) -> None:
        self.done.append(data)

    def writelines(self, several: list[bytes]) -> None:
        self.done.append(several)

    def pause_reading(self) -> None:
        self.done.append("pauses")

    def resume_reading(self) -> None:
        self.done.append("reads")

    def abort(self) -> None:
        self.done.append("aborted")
        self.ended = True

    def close(self) -> None:
        self.done.append("closed")
        self.ended = True


class Loop:
    """Time that stands still, and what is to be called soon."""

    def __init__(self) -> None:
        self.soon: list[Callable[[], None]] = []

    def time(self) -> float:
        return 0.0

    def call_soon(self, call: Callable[[], None]) -> None:
        self.soon.append(call)


class Unit:
    """A connection with all around it."""

    def __init__(self, over_tls: bool = False) -> None:
        self.transport, self.loop, self.shut = Transport(), Loop(), 0
        self.events: list[Any] = []
        self.lost = 0
        accepted: Any = self
        self.connection = MqttConnection(cast(Any, self.loop), accepted, self._happened, self._lost, over_tls)

    def _happened(self, connection: MqttConnection, event: Any) -> None:
        assert connection is self.connection
        self.events.append(event)

    def _lost(self, connection: MqttConnection) -> None:
        assert connection is self.connection
        self.lost += 1

    def shutdown(self, _how: int) -> None:
        self.shut += 1
        if self.shut > 1:
            raise OSError("it has ended already")

    def made(self) -> "Unit":
        self.connection.connection_made(cast(asyncio.BaseTransport, self.transport))
        return self

    def let_in(self) -> "Unit":
        """With its CONNACK, and all that was asked of the transport meanwhile forgotten."""
        self.made().connection.data_received(CONNECT)
        [event] = self.events
        assert isinstance(event, ConnectReceived)
        self.reader, self.writer = self.connection.accept("cp-1", 60, event.body)
        self.writer.write(CONNACK_OK)
        for call in self.loop.soon:
            call()
        self.events.clear()
        self.transport.done.clear()
        return self

    def kinds(self) -> list[type]:
        return [type(event) for event in self.events]


@pytest.fixture(autouse=True)
def loop() -> Iterator[None]:
    """For what asyncio makes in it."""
    running = asyncio.new_event_loop()
    asyncio.set_event_loop(running)
    yield
    asyncio.set_event_loop(None)
    running.close()


def test_it_is_made_once_its_transport_is_there_and_can_be_ended_before() -> None:
    unit = Unit()
    assert not unit.connection.is_made
    unit.connection.abort()
    unit.connection.abort()
    assert unit.shut == 2 and unit.transport.done == []
    unit.made().connection.abort()
    assert unit.connection.is_made and unit.transport.done == ["aborted"] and unit.shut == 2


@pytest.mark.parametrize(("over_tls", "within_s"), [(False, 20.0), (True, 60.0)])
def test_over_tls_it_has_longer_for_its_connect(over_tls: bool, within_s: float) -> None:
    session = Unit(over_tls).connection.session
    assert not session.is_overdue(within_s) and session.is_overdue(within_s + 0.1)


def test_what_came_while_the_broker_was_asked_is_taken_after_its_connack() -> None:
    unit = Unit().made()
    unit.connection.data_received(CONNECT + publish(7))
    assert unit.kinds() == [ConnectReceived]
    _, writer = unit.connection.accept("cp-1", 60, unit.events[0].body)
    assert not unit.connection.answered.is_set()
    writer.write(CONNACK_OK)
    assert unit.transport.done == [CONNACK_OK] and unit.connection.answered.is_set()
    assert unit.kinds() == [ConnectReceived], "not before the CONNACK is out"
    [soon] = unit.loop.soon
    soon()
    assert unit.kinds() == [ConnectReceived, PublishReceived]
    writer.write(b"\xd0\x00")
    assert unit.transport.done[1:] == [b"\xd0\x00"] and len(unit.loop.soon) == 1, "only the first word opens it"


def test_the_broker_reads_the_connect_first_and_then_what_is_passed_on() -> None:
    unit = Unit().made()
    unit.connection.pass_on(PINGREQ)  # nobody reads it yet
    unit.connection.data_received(CONNECT)
    body = unit.events[0].body
    reader, writer = unit.connection.accept("cp-1", 60, body)
    unit.connection.pass_on(PINGREQ)
    unit.connection.connection_lost(None)

    with pytest.raises(asyncio.IncompleteReadError) as ended:
        asyncio.get_event_loop().run_until_complete(reader.read(1000))
    assert ended.value.partial == packets.whole(0x10, body) + PINGREQ
    assert isinstance(writer, UnitWriter) and writer.get_peer_info() == ("192.0.2.7", 50_000)
    assert writer.get_ssl_info() is None


def test_the_end_is_told_once_and_whoever_waits_for_the_connack_waits_no_longer() -> None:
    unit = Unit().made()
    unit.connection.connection_lost(None)
    assert (unit.lost, unit.connection.session.state) == (1, State.CLOSED)
    assert unit.connection.answered.is_set()


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n", b"\x10\xff\xff\xff\xff\x01"])
def test_what_is_no_mqtt_is_an_event(data: bytes) -> None:
    unit = Unit().made()
    unit.connection.data_received(data)
    assert [isinstance(event, MalformedPacket) for event in unit.events] == [True]


def test_too_much_before_the_connack_is_an_event_and_nothing_of_it_is_taken() -> None:
    unit = Unit().made()
    unit.connection.data_received(CONNECT)
    unit.connection.data_received(b"x" * 100_000)
    assert len(unit.events) == 2 and isinstance(unit.events[1], MalformedPacket)


def test_nothing_is_taken_of_a_connection_that_ends() -> None:
    unit = Unit().let_in()
    unit.transport.ended = True
    unit.connection.data_received(publish(7))
    assert unit.events == []


def test_a_refusal_is_answered_and_closed() -> None:
    unit = Unit().made()
    unit.connection.refuse(packets.NOT_AUTHORISED)
    assert unit.transport.done == [b"\x20\x02\x00\x05", "closed"]


@pytest.mark.parametrize(("unsent", "done"), [(MAX_UNSENT_BYTES, [b"x"]), (MAX_UNSENT_BYTES + 1, ["aborted"])])
def test_a_unit_that_does_not_read_is_cut_off(unsent: int, done: list[Any]) -> None:
    unit = Unit().made()
    unit.transport.unsent = unsent
    unit.connection.write(b"x")
    assert unit.transport.done == done


def test_nothing_is_written_to_what_ends() -> None:
    unit = Unit().made()
    unit.transport.ended = True
    unit.connection.write(b"x")
    unit.connection.write_several([b"x"])
    assert unit.transport.done == []


def test_packets_that_belong_together_are_four_to_a_record() -> None:
    unit = Unit().made()
    unit.connection.write_several([b"%d" % number for number in range(2 * RECORD_PACKETS + 1)])
    assert unit.transport.done == [[b"0123", b"4567", b"8"]]


def test_the_socket_is_not_read_while_too_much_waits_for_its_commit() -> None:
    unit = Unit().let_in()
    commits = []
    for number in range(1, MAX_UNCOMMITTED + 2):
        unit.connection.data_received(publish(number))
        commits.append(unit.connection.committed(number))
        assert unit.transport.done == (["pauses"] if number >= MAX_UNCOMMITTED else [])
    unit.transport.done.clear()
    for number, commit in enumerate(commits[: MAX_UNCOMMITTED // 2 + 2], 1):
        commit()
        assert unit.transport.done.pop(0) == packets.puback(number)
        assert unit.transport.done == (["reads"] if number == MAX_UNCOMMITTED // 2 + 2 else [])
    commits[-1]()
    assert unit.transport.done == ["reads", packets.puback(MAX_UNCOMMITTED + 1)], "it reads already"


def test_with_qos_0_nothing_is_acknowledged() -> None:
    unit = Unit().let_in()
    unit.connection.data_received(packets.whole(0x30, b"\x00\x11cp/cp-1/heartbeat{}"))
    unit.connection.committed(None)()
    assert unit.transport.done == [] and unit.connection.session.uncommitted == 0


def test_what_is_committed_after_the_end_is_harmless() -> None:
    unit = Unit().let_in()
    commits = []
    for number in range(1, MAX_UNCOMMITTED + 1):
        unit.connection.data_received(publish(number))
        unit.transport.ended = number == MAX_UNCOMMITTED
        commits.append(unit.connection.committed(number))
    for commit in commits:
        commit()
    assert unit.transport.done == []


def test_other_packets_are_for_the_broker() -> None:
    unit = Unit().let_in()
    unit.connection.data_received(PINGREQ)
    assert unit.events == [ForBroker(PINGREQ)]
