"""Do a unit's packets follow the standard, and is a broker's answer parsed from pieces of any size?"""

import pytest

from cloud_bridge.ingest.packets import parse_connect
from hil_tests.fixtures.mqtt_unit import publish
from hil_tests.fleet.packets import ProtocolError, connect, next_packet, puback_for, subscribe

ANSWERS = b"\x20\x02\0\0" + b"\x90\x03\0\1\1" + b"\x40\x02\0\2"


def test_connect_is_the_firmwares() -> None:
    sent = connect("cp-1", "secret", 600)
    said = parse_connect(sent[2:])
    assert (said.client_id, said.user_name, said.password) == ("cp-1", "cp-1", "secret")
    assert (said.will_topic, said.keep_alive_s) == ("cp/cp-1/lwt", 600)


def test_subscribe_asks_for_the_units_commands() -> None:
    assert subscribe("cp-1", 258) == b"\x82\x14\x01\x02\0\x0fcp/cp-1/command\1"


@pytest.mark.parametrize("size", [1, 2, 3, len(ANSWERS)])
def test_answers_are_read_in_any_pieces(size: int) -> None:
    buffer, found = bytearray(), []
    for at in range(0, len(ANSWERS), size):
        buffer += ANSWERS[at : at + size]
        while (packet := next_packet(buffer)) is not None:
            found.append((packet.kind, packet.body))
    assert found == [(0x20, b"\0\0"), (0x90, b"\0\1\1"), (0x40, b"\0\2")]
    assert not buffer


def test_a_command_is_acknowledged_by_its_id() -> None:
    packet = next_packet(bytearray(publish("cp/cp-1/command", b'{"id":"' + b"x" * 200 + b'"}', 515)))
    assert packet is not None
    assert puback_for(packet) == b"\x40\x02\x02\x03"
    assert puback_for(packet._replace(first_byte=0x30)) == b""


@pytest.mark.parametrize("data", [b"\x20\xff\xff\xff\xff\x01", b"\x40\xff\xff\x7f", b"\xf0\0", b"\0\0"])
def test_what_no_broker_may_send_is_an_error(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        next_packet(bytearray(data))


def test_a_publish_without_a_packet_id_is_an_error() -> None:
    packet = next_packet(bytearray(b"\x32\x03\0\1x"))
    assert packet is not None
    with pytest.raises(ProtocolError):
        puback_for(packet)
