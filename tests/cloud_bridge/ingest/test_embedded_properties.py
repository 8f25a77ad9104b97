"""Do any bytes sent to the running broker at most end their own connection?

`make fuzz` takes FUZZ_STEPS / 10 inputs; `make test` uses the default below.
"""

import os
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_bridge.ingest import packets
from cloud_bridge.ingest.session import MAX_PACKET_BYTES
from tests.cloud_bridge.raw import RawUnit, connect_packet, publish_packet, text
from tests.cloud_bridge.running import Bridge, running_bridge

EXAMPLES = int(os.environ.get("FUZZ_STEPS", "1000")) // 10
OURS = "fuzzed"
NEVER_SENT = (0, 2, 5, 6, 7, 9, 11, 13, 15)  # packet types that no unit sends

quickly = settings(max_examples=EXAMPLES, deadline=None)


class Ward:
    """The running bridge, a unit that publishes all the time as a witness, and the secret of another unit."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self.secret = bridge.add_unit(OURS).secret
        self._witness = RawUnit(bridge).connect("witness", bridge.add_unit("witness").secret)
        self._said = 0

    def stranger(self) -> RawUnit:
        return RawUnit(self.bridge)

    def unit(self) -> RawUnit:
        return RawUnit(self.bridge).connect(OURS, self.secret)

    def is_well(self) -> bool:
        """Check that the witness is served as before, and that no other connection remains."""
        self._said = self._said % 0xFFFF + 1
        self._witness.send(publish_packet("cp/witness/heartbeat", b"{}", self._said))
        heard = self._witness.receive(4) == packets.puback(self._said)
        self.bridge.until(lambda: self.bridge.broker.connections == 1, "only the witness was left")
        return heard and self.bridge.broker.sessions <= 2


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    with running_bridge(tmp_path_factory.mktemp("fuzz")) as bridge:
        yield Ward(bridge)


def proper(secret: str = "guess") -> list[bytes]:
    """Return one of each packet that a unit may send."""
    return [
        connect_packet(OURS, OURS, secret, will=f"cp/{OURS}/lwt"),
        publish_packet(f"cp/{OURS}/event", b'{"k":"tamper"}'),
        packets.whole(0x82, b"\0\x07" + text(f"cp/{OURS}/command") + b"\x01"),
        packets.whole(0xA2, b"\0\x08" + text(f"cp/{OURS}/command")),
        packets.puback(9),
        b"\xc0\0",
        b"\xe0\0",
    ]


@st.composite
def bent(draw: st.DrawFn) -> bytes:
    """Draw valid packets in which some bytes are wrong, missing or added."""
    stream = bytearray(b"".join(draw(st.lists(st.sampled_from(proper()), min_size=1, max_size=4))))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(stream)))
        stream[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(stream)


malformed = st.one_of(
    st.builds(
        lambda kind, flags, body: packets.whole(kind << 4 | flags, body),
        st.sampled_from(NEVER_SENT),
        *[st.integers(0, 15), st.binary(max_size=40)],
    ),
    st.builds(lambda body: packets.whole(0x36, text("cp/a/event") + b"\0\x01" + body), st.binary(max_size=40)),  # QoS 3
    st.builds(
        lambda body: packets.whole(0x32, text("cp/a/event") + b"\0\0" + body), st.binary(max_size=40)
    ),  # packet id 0
    st.builds(lambda size: packets.whole(0x32, size.to_bytes(2) + b"cp"), st.integers(3, 0xFFFF)),  # a topic cut short
    st.builds(
        lambda bad: packets.whole(0x32, b"\0\x02" + bad + b"\0\x01"), st.sampled_from([b"\xff\xfe", b"a\0", b"\xc3("])
    ),
    st.builds(lambda rest: b"\x32\xff\xff\xff\xff" + rest, st.binary(min_size=1, max_size=4)),  # length of five bytes
    st.builds(
        lambda size: b"\x32" + bytes((size & 127 | 128, size >> 7 & 127 | 128, size >> 14)),
        st.integers(MAX_PACKET_BYTES + 1, 2**20),
    ),
)


@quickly
@given(malformed)
def test_a_malformed_packet_ends_its_connection(ward: Ward, packet: bytes) -> None:
    unit = ward.unit()
    unit.send(packet)
    assert unit.was_closed
    unit.close()
    assert ward.is_well()


@quickly
@given(data=bent() | st.binary(min_size=1, max_size=300), known=st.booleans())
def test_any_bytes_disturb_nobody_else(ward: Ward, data: bytes, known: bool) -> None:
    unit = ward.unit() if known else ward.stranger()
    unit.send(data)
    unit.close()
    assert ward.is_well()
