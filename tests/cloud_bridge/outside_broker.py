"""A simulated external broker on a real socket, for one client at a time, and a bridge connected to it.

It delivers what a test gives it. On the next connection it first repeats, with DUP, what was not acknowledged [MQTT-4.4.0-1].
"""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cloud_bridge.app_state import AppState
from cloud_bridge.ingest import packets
from cloud_bridge.ingest.canary import BrokerAddress
from cloud_bridge.ingest.mqtt import MqttIngest
from cloud_bridge.ingest.packets import Publish
from cloud_bridge.roles.opening import open_app_state
from cloud_bridge.settings import Settings
from cloud_bridge.store.units import NewUnit, add_unit
from tests.cloud_bridge.raw import publish_packet, text
from tests.cloud_bridge.running import DEADLINE_S, START_MS, HandClock, store_at

CONNACK, PUBACK, SUBACK = 0x20, 0x40, 0x90
NOT_AUTHORIZED = b"\x87"  # MQTT 5, section 3.4.2.1
QOS_0, QOS_1, RETAIN, DUP = 0x30, 0x32, 0x01, 0x08

_tick = threading.Event()  # never set


class OutsideBroker:
    """Echoes the client's marker. Level 4 is MQTT 3.1.1 and refuses MQTT 5; level 5 is MQTT 5 and refuses all publications."""

    def __init__(self, level: int = 4) -> None:
        self._level = level
        self._properties = b"\0" * (level == 5)  # empty
        self.levels: list[int] = []  # protocol level of each CONNECT
        self.connections = 0  # connections that have subscribed
        self.published: list[Publish] = []  # publications of the client, without its markers
        self.acknowledged: set[int] = set()
        self._unacknowledged: dict[int, bytes] = {}
        self._client: socket.socket | None = None
        self._is_away = False
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def deliver(self, topic: str, payload: bytes, packet_id: int, retain: bool = False) -> None:
        """Publish with QoS 1."""
        with self._lock:
            self._unacknowledged[packet_id] = publish_packet(
                topic, self._properties + payload, packet_id, QOS_1 | (RETAIN * retain)
            )
            assert self._client is not None
            self._client.sendall(self._unacknowledged[packet_id])

    def deliver_once(self, topic: str, payload: bytes) -> None:
        """Publish with QoS 0."""
        self.send(packets.whole(QOS_0, text(topic) + self._properties + payload))

    def send(self, data: bytes) -> None:
        with self._lock:
            assert self._client is not None
            self._client.sendall(data)

    def go_away(self) -> None:
        """Close the connection, and each new one, until `come_back`."""
        self._is_away = True
        with self._lock:
            assert self._client is not None
            self._client.shutdown(socket.SHUT_RDWR)

    def come_back(self) -> None:
        self._is_away = False

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(DEADLINE_S)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, suppress(OSError):
                self._attend(client)
            self._client = None

    def _attend(self, client: socket.socket) -> None:
        buffer = b""
        while piece := client.recv(4096):
            buffer += piece
            while (frame := packets.next_frame(buffer, 0, 65536)) is not None:
                first_byte, body, buffer = buffer[0], buffer[frame.body_at : frame.end_at], buffer[frame.end_at :]
                if not self._answer(client, first_byte, body):
                    return

    def _answer(self, client: socket.socket, first_byte: int, body: bytes) -> bool:
        """Answer a packet. Return False to close the connection."""
        if self._is_away:
            return False
        match first_byte >> 4:
            case packets.CONNECT:
                self.levels.append(body[6])
                if body[6] != self._level:
                    client.sendall(packets.connack(packets.WRONG_PROTOCOL))
                    return False
                client.sendall(packets.whole(CONNACK, b"\0\0" + self._properties))
            case packets.SUBSCRIBE:
                with self._lock:
                    self._client = client
                    client.sendall(packets.whole(SUBACK, body[:2] + self._properties + b"\x01" * 4))
                    for packet in self._unacknowledged.values():
                        client.sendall(bytes((packet[0] | DUP,)) + packet[1:])
            case packets.PUBLISH:
                said = packets.parse_publish(first_byte, body)
                is_marker = said.topic == "cp/_bridge-1/heartbeat"
                if not is_marker:
                    self.published.append(said)  # before the acknowledgement, after which a test reads it
                if said.packet_id is not None:
                    refused = NOT_AUTHORIZED + self._properties if self._level == 5 else b""
                    self.send(packets.whole(PUBACK, said.packet_id.to_bytes(2) + refused))
                if is_marker:
                    self.send(packets.whole(QOS_0, text(said.topic) + said.payload))
                    self.connections += 1
            case packets.PUBACK:
                packet_id = int.from_bytes(body[:2])
                with self._lock:
                    self._unacknowledged.pop(packet_id, None)
                self.acknowledged.add(packet_id)
            case packets.DISCONNECT:
                return False
        return True


class OutsideBridge:
    """A bridge that ingests what an `OutsideBroker` delivers, for use from a test's thread."""

    def __init__(self, app_state: AppState, broker: OutsideBroker, clock: HandClock) -> None:
        assert isinstance(app_state.broker, MqttIngest)
        self.app_state = app_state
        self.broker = broker
        self.clock = clock
        self.ingest = app_state.broker

    def command(self, unit_id: str) -> bool:
        future = asyncio.run_coroutine_threadsafe(self.ingest.command(unit_id, b"{}"), self.app_state.loop)
        return future.result(DEADLINE_S)

    def add_unit(self, unit_id: str) -> NewUnit:
        with self.app_state.database.writing() as connection:
            return add_unit(connection, unit_id, START_MS)

    def counter(self, name: str) -> int:
        return int(getattr(self.app_state.counters, name))

    def contact_ms(self, unit_id: str) -> int | None:
        unit = self.app_state.live.find(unit_id)
        return None if unit is None else unit.last_contact_ms

    def until(self, condition: Callable[[], object], what: str) -> None:
        give_up_s = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < give_up_s, (
                f"timed out: {what}; {self.app_state.counters}; {self.broker.published}"
            )
            _tick.wait(0.002)

    def until_acknowledged(self, packet_id: int) -> None:
        self.until(lambda: packet_id in self.broker.acknowledged, f"acknowledged {packet_id}")


@contextmanager
def outside_bridge(
    folder: Path, prepare: Callable[[AppState], None] = lambda _house: None, level: int = 4
) -> Iterator[OutsideBridge]:
    """Run a bridge until it is connected and live. `prepare` is called with its AppState before anything is received."""
    broker = OutsideBroker(level)
    where = store_at(folder)
    settings = Settings(
        "127.0.0.1",
        0,
        0,
        folder,
        None,
        database=where if isinstance(where, str) else None,
        broker=BrokerAddress("127.0.0.1", broker.port, "secret"),
    )
    clock = HandClock()
    started: list[OutsideBridge] = []
    ready, stop = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []
    failures: list[BaseException] = []

    async def run() -> None:
        loops.append(asyncio.get_running_loop())
        async with open_app_state(settings, lambda _floor_ms: clock) as app_state:
            prepare(app_state)
            assert isinstance(app_state.broker, MqttIngest)
            app_state.broker.start()
            try:
                started.append(OutsideBridge(app_state, broker, clock))
                ready.set()
                await stop.wait()
            finally:
                await app_state.broker.stop()

    def thread() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:
            failures.append(error)
        ready.set()

    running = threading.Thread(target=thread)
    running.start()
    try:
        assert ready.wait(DEADLINE_S)
        if failures:
            raise failures[0]
        bridge = started[0]
        bridge.until(bridge.ingest.live.is_set, "live")
        yield bridge
    finally:
        for loop in loops:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(stop.set)
        running.join(DEADLINE_S)
        broker.close()
    assert not running.is_alive(), "the bridge did not stop"
    if failures:
        raise failures[0]
