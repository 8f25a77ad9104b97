"""Do any bytes give a packet, a wait for more, or MalformedPacket?"""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.ingest import packets
from cloud_bridge.ingest.packets import MalformedPacket

LIMIT = 4096


@given(st.binary(max_size=300), st.integers(0, 255))
def test_any_bytes(data: bytes, first_byte: int) -> None:
    for read in (
        lambda: packets.next_frame(data, 0, LIMIT),
        lambda: packets.parse_connect(data),
        lambda: packets.parse_publish(first_byte, data),
    ):
        with suppress(MalformedPacket):
            read()


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=400)), max_size=8))
def test_packets_come_out_of_a_stream_as_they_went_in(sent: list[tuple[int, bytes]]) -> None:
    stream = b"".join(packets.whole(first_byte, body) for first_byte, body in sent)
    at, got = 0, []
    while (frame := packets.next_frame(stream, at, LIMIT)) is not None:
        got.append((stream[at], stream[frame.body_at : frame.end_at]))
        at = frame.end_at
    assert got == sent
    assert at == len(stream)
