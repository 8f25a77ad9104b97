"""Does a broker that knows only MQTT 3.1.1 serve us as well as one of MQTT 5?"""

import asyncio
import socket
import threading
from pathlib import Path

import pytest

from cloud_bridge.ingest import packets
from cloud_bridge.ingest.canary import BrokerAddress
from cloud_bridge.ingest.mqtt import MqttIngest
from cloud_bridge.serving import open_app_state
from cloud_bridge.settings import Settings
from cloud_bridge.store.units import add_unit
from tests.cloud_bridge.raw import publish_packet
from tests.cloud_bridge.running import DEADLINE_S, START_MS, HandClock

SUBACK = 0x90
PUBLISHED_ID = 77


class OldBroker:
    """One client at a time: says no to MQTT 5, echoes what is published, and then has a heartbeat of `home-1`."""

    def __init__(self) -> None:
        self.levels: list[int] = []  # of each CONNECT
        self.acknowledged = threading.Event()  # the heartbeat
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

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
            with client:
                self._attend(client)

    def _attend(self, client: socket.socket) -> None:
        buffer = b""
        while piece := client.recv(4096):
            buffer += piece
            while (frame := packets.next_frame(buffer, 0, 65536)) is not None:
                first_byte, body, buffer = buffer[0], buffer[frame.body_at : frame.end_at], buffer[frame.end_at :]
                if not self._answer(client, first_byte, body):
                    return

    def _answer(self, client: socket.socket, first_byte: int, body: bytes) -> bool:
        """False: the connection ends here."""
        match first_byte >> 4:
            case packets.CONNECT:
                self.levels.append(body[6])
                client.sendall(packets.connack(packets.ACCEPTED if body[6] == 4 else packets.WRONG_PROTOCOL))
                return body[6] == 4
            case packets.SUBSCRIBE:
                client.sendall(packets.whole(SUBACK, body[:2] + b"\x01" * 4))
            case packets.PUBLISH:  # our marker
                said = packets.parse_publish(first_byte, body)
                assert said.packet_id is not None
                client.sendall(packets.puback(said.packet_id) + publish_packet(said.topic, said.payload, 1))
                client.sendall(publish_packet("cp/home-1/heartbeat", b'{"n":1,"b":1,"s":"A1"}', PUBLISHED_ID))
            case packets.PUBACK if body == PUBLISHED_ID.to_bytes(2):
                self.acknowledged.set()
            case packets.DISCONNECT:
                return False
        return True


@pytest.fixture
def broker() -> OldBroker:
    return OldBroker()


def test_mqtt_5_is_tried_and_3_1_1_is_taken(broker: OldBroker, tmp_path: Path) -> None:
    address = BrokerAddress("127.0.0.1", broker.port, "secret")
    settings = Settings("127.0.0.1", 0, 0, tmp_path, None, broker=address)

    async def run() -> None:
        async with open_app_state(settings, lambda _floor_ms: HandClock()) as app_state:
            with app_state.database.writing() as connection:
                add_unit(connection, "home-1", START_MS)
            assert isinstance(app_state.broker, MqttIngest)
            app_state.broker.start()
            try:
                assert await asyncio.to_thread(broker.acknowledged.wait, DEADLINE_S), "it was not stored"
            finally:
                await app_state.broker.stop()
            unit = app_state.live.find("home-1")
            assert unit is not None
            assert unit.last_contact_ms == START_MS

    try:
        asyncio.run(run())
    finally:
        broker.close()
    assert broker.levels == [5, 4]
