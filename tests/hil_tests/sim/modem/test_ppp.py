"""Does the network's end of PPP negotiate as RFC 1661 and RFC 1332 say, and survive anything that a client sends?"""

import asyncio
import random

import pytest

from hil_tests.sim.modem.packet_network import PacketNetwork, Segment
from hil_tests.sim.modem.ppp import ASSIGNED, IP, IPCP, LCP, OWN, Peer, frame
from tests.hil_tests.sim.modem.virtual_time import run

MAGIC = b"\x01\x02\x03\x04"
SEED = 1661


class Line:
    """A peer, and what it sent as (protocol, code, identifier, body)."""

    def __init__(self) -> None:
        self.packets: list[bytes] = []
        self.sent: list[tuple[int, int, int, bytes]] = []
        self._reader = Peer(MAGIC, lambda _: None, lambda _: None)
        self.peer = Peer(MAGIC, self._note, self.packets.append)
        self.peer.due()

    def _note(self, chunk: bytes) -> None:
        content = chunk.strip(b"~")
        plain = bytearray()
        escaped = False
        for byte in content:
            if byte == 0x7D:
                escaped = True
            else:
                plain.append(byte ^ (0x20 if escaped else 0))
                escaped = False
        protocol = int.from_bytes(plain[2:4], "big")
        self.sent.append((protocol, plain[4], plain[5], bytes(plain[8:-2])))

    def say(self, protocol: int, code: int, identifier: int, body: bytes = b"") -> None:
        header = bytes([code, identifier]) + (4 + len(body)).to_bytes(2, "big")
        self.peer.receive(frame(protocol, header + body))

    def open_lcp(self) -> None:
        self.say(LCP, 1, 7, b"\x02\x06\0\0\0\0")
        self.say(LCP, 2, self.sent[0][2], self.sent[0][3])

    def open_ipcp(self) -> None:
        request = next(sent for sent in self.sent if sent[:2] == (IPCP, 1))
        self.say(IPCP, 2, request[2], request[3])
        self.say(IPCP, 1, 9, b"\x03\x06" + ASSIGNED.packed)


def test_do_packets_pass_once_both_sides_agree() -> None:
    line = Line()
    line.peer.receive(frame(IP, b"early"))
    line.open_lcp()
    assert not line.peer.ready
    line.open_ipcp()
    assert line.peer.ready
    line.peer.receive(frame(IP, b"\x7e\x7d\x11 in time"))
    assert line.packets == [b"\x7e\x7d\x11 in time"]


def test_is_an_address_that_is_not_ours_to_give_corrected() -> None:
    line = Line()
    line.open_lcp()
    line.say(IPCP, 1, 5, b"\x03\x06\0\0\0\0")
    assert line.sent[-1] == (IPCP, 3, 5, b"\x03\x06" + ASSIGNED.packed)


@pytest.mark.parametrize(
    ("protocol", "option"),
    [(LCP, b"\x03\x04\xc0\x23"), (IPCP, b"\x02\x06\x00\x2d\x0f\x01"), (IPCP, b"\x81\x06\0\0\0\0")],
    ids=["authentication", "header compression", "name server"],
)
def test_is_what_we_do_not_do_rejected(protocol: int, option: bytes) -> None:
    """That option alone, and the rest is neither acknowledged nor forgotten?"""
    line = Line()
    line.open_lcp()
    line.say(protocol, 1, 5, option + (b"\x03\x06\0\0\0\0" if protocol == IPCP else b"\x05\x06abcd"))
    assert line.sent[-1] == (protocol, 4, 5, option)
    assert not line.peer.ready


def test_is_a_protocol_that_we_do_not_know_rejected() -> None:
    line = Line()
    line.open_lcp()
    line.say(0x8057, 1, 1, b"\x01\x0a12345678")
    assert line.sent[-1][:2] == (LCP, 8)
    assert line.sent[-1][3][:2] == b"\x80\x57"


def test_is_our_option_left_out_once_it_is_refused() -> None:
    """A second request without it, and an answer to the first one counts no more?"""
    line = Line()
    first = line.sent[0]
    line.say(LCP, 4, first[2], b"\x05\x06" + MAGIC)
    assert line.sent[-1][3] == b"\x02\x06\0\0\0\0"
    line.say(LCP, 2, first[2], first[3])
    line.say(LCP, 1, 7)
    line.say(IPCP, 1, 9, b"\x03\x06" + ASSIGNED.packed)
    assert not line.peer.ready


def test_are_echo_and_end_answered() -> None:
    line = Line()
    line.open_lcp()
    line.say(LCP, 9, 3, b"abcdrest")
    assert line.sent[-1] == (LCP, 10, 3, MAGIC + b"rest")
    line.say(LCP, 5, 4, b"bye")
    assert line.sent[-1] == (LCP, 6, 4, b"")
    assert line.peer.closed


def test_do_compressed_headers_and_single_bytes_arrive() -> None:
    """Address, control and the first byte of the protocol may be left out, and a line delivers as it likes?"""
    line = Line()
    line.open_lcp()
    line.open_ipcp()
    for byte in frame(IP, b"packet") + b"~~" + frame(IP, b"another")[1:]:
        line.peer.receive(bytes([byte]))
    assert line.packets == [b"packet", b"another"]


def test_does_any_noise_leave_the_peer_in_order() -> None:
    """Bytes at random, frames with bytes lost or changed, and good frames with nonsense in them: counted, never raised?"""
    source = random.Random(SEED)
    line = Line()
    for _ in range(3000):
        good = bytearray(frame(source.choice((LCP, IPCP, IP, 0xC023)), source.randbytes(source.randrange(20))))
        if source.random() < 0.5:
            good[source.randrange(len(good))] = source.randrange(256)
        line.peer.receive(bytes(good) if source.random() < 0.9 else source.randbytes(50))
    assert line.peer.bad_frames > 100


def test_does_any_packet_leave_the_network_in_order() -> None:
    """Random packets, and good segments that are bent: neither raised nor answered for ever?"""

    async def scenario() -> None:
        source = random.Random(SEED)
        sent: list[bytes] = []
        network = PacketNetwork(sent.append, lambda: asyncio.sleep(0))
        kept: list[bytes] = []
        maker = PacketNetwork(kept.append, lambda: asyncio.sleep(0))
        for flags in range(64):
            client, server = (ASSIGNED.packed, 1000 + flags), (OWN.packed, 1)
            maker._send_segment(Segment(client, server, flags, 0, flags, 512, b"x" * (flags % 5)))
            await asyncio.sleep(0.01)
        assert len(kept) == 64
        for _ in range(3000):
            packet = bytearray(source.choice(kept))
            for _ in range(source.randrange(3)):
                packet[source.randrange(len(packet))] = source.randrange(256)
            network.receive(bytes(packet[: source.randrange(len(packet) + 1)] if source.random() < 0.2 else packet))
            await asyncio.sleep(0.01)
        assert network.lost_packets > 1000
        assert len(sent) < 3000
        network.close()
        maker.close()

    run(scenario())
