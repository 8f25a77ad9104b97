"""The packet network behind a PPP connection: it ends the client's TCP connections, and opens real loopback sockets.

`OWN` of ppp.py is its only host; each of that host's ports is the same port of 127.0.0.1 on this machine. The host
answers pings. Every other address or protocol is unreachable: TCP is reset, the rest dropped. TCP follows RFC 9293,
without window scaling and selective acknowledgements: segments in order only, go-back-N after a timeout that doubles.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hil_tests.sim.modem.ppp import OWN

TCP, ICMP = 6, 1
FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
ECHO_REQUEST, ECHO_REPLY = 8, 0
MSS = 1460
WINDOW_BYTES = 8 * MSS
RETRANSMIT_S, RETRANSMIT_LIMIT = 3.0, 8
CONNECTIONS = 16
QUEUE_PACKETS = 64  # in one direction, waiting for the air
MODULO = 1 << 32


@dataclass(frozen=True)
class Segment:
    """One TCP segment."""

    source: tuple[bytes, int]
    destination: tuple[bytes, int]
    sequence: int
    acknowledgement: int
    flags: int
    window: int
    payload: bytes


class PacketNetwork:
    """The packet network, from CONNECT to NO CARRIER. `send` sends a packet to the client; `cross` is its way through
    the air."""

    def __init__(self, send: Callable[[bytes], None], cross: Callable[[], Awaitable[None]]) -> None:
        self._cross = cross
        self._flows: dict[tuple[bytes, int, int], _Flow] = {}
        self._to_network: deque[bytes] = deque()
        self._to_client: deque[bytes] = deque()
        self._stirred = {id(queue): asyncio.Event() for queue in (self._to_network, self._to_client)}
        self._tasks = [
            asyncio.create_task(self._carry(self._to_network, self._arrived)),
            asyncio.create_task(self._carry(self._to_client, send)),
        ]
        self.lost_packets = 0

    def receive(self, packet: bytes) -> None:
        """Handle a packet from the client."""
        self._put(self._to_network, packet)

    def close(self) -> None:
        """Close all connections. Their servers read end of file."""
        for task in self._tasks:
            task.cancel()
        for flow in list(self._flows.values()):
            flow.abort()

    def _put(self, queue: deque[bytes], packet: bytes) -> None:
        if len(queue) >= QUEUE_PACKETS:
            self.lost_packets += 1
            return
        queue.append(packet)
        self._stirred[id(queue)].set()

    async def _carry(self, queue: deque[bytes], deliver: Callable[[bytes], None]) -> None:
        stirred = self._stirred[id(queue)]
        while True:
            stirred.clear()
            while queue:
                await self._cross()
                deliver(queue.popleft())
            await stirred.wait()

    def _arrived(self, packet: bytes) -> None:
        header = 4 * (packet[0] & 0x0F) if packet else 0
        total = int.from_bytes(packet[2:4], "big")
        if len(packet) < 20 or packet[0] >> 4 != 4 or not 20 <= header <= total <= len(packet):
            self.lost_packets += 1
            return
        source, destination, content = packet[12:16], packet[16:20], packet[header:total]
        if _checksum(packet[:header]) != 0:
            self.lost_packets += 1
        elif packet[9] == ICMP and destination == OWN.packed and content[:1] == bytes([ECHO_REQUEST]):
            reply = bytes([ECHO_REPLY, 0, 0, 0]) + content[4:]
            reply = reply[:2] + _checksum(reply).to_bytes(2, "big") + reply[4:]
            self._put(self._to_client, _ip(ICMP, OWN.packed, source, reply))
        elif packet[9] == TCP and len(content) >= 20:
            self._segment(source, destination, content)
        else:
            self.lost_packets += 1

    def _segment(self, source: bytes, destination: bytes, content: bytes) -> None:
        if _checksum(_pseudo(source, destination, len(content)) + content) != 0:
            self.lost_packets += 1
            return
        segment = Segment(
            (source, int.from_bytes(content[0:2], "big")),
            (destination, int.from_bytes(content[2:4], "big")),
            int.from_bytes(content[4:8], "big"),
            int.from_bytes(content[8:12], "big"),
            content[13],
            int.from_bytes(content[14:16], "big"),
            content[4 * (content[12] >> 4) :],
        )
        key = (destination, segment.source[1], segment.destination[1])
        flow = self._flows.get(key)
        if flow is not None:
            flow.receive(segment)
        elif segment.flags & RST:
            pass
        elif segment.flags & (SYN | ACK) == SYN and destination == OWN.packed and len(self._flows) < CONNECTIONS:
            self._flows[key] = _Flow(segment, self._send_segment, lambda: self._flows.pop(key, None))
        else:
            length = len(segment.payload) + bool(segment.flags & SYN) + bool(segment.flags & FIN)
            onward = (segment.sequence + length) % MODULO
            reset = (segment.acknowledgement, onward, RST | ACK, 0)
            self._send_segment(Segment(segment.destination, segment.source, *reset, b""))

    def _send_segment(self, segment: Segment) -> None:
        options = bytes([2, 4]) + MSS.to_bytes(2, "big") if segment.flags & SYN else b""
        content = (
            segment.source[1].to_bytes(2, "big")
            + segment.destination[1].to_bytes(2, "big")
            + segment.sequence.to_bytes(4, "big")
            + segment.acknowledgement.to_bytes(4, "big")
            + bytes([(20 + len(options)) // 4 << 4, segment.flags])
            + segment.window.to_bytes(2, "big")
            + bytes(4)  # checksum, urgent pointer
            + options
            + segment.payload
        )
        source, destination = segment.source[0], segment.destination[0]
        checksum = _checksum(_pseudo(source, destination, len(content)) + content)
        content = content[:16] + checksum.to_bytes(2, "big") + content[18:]
        self._put(self._to_client, _ip(TCP, source, destination, content))


class _Flow:
    """One TCP connection of the client, from its SYN on. The network's first sequence number is 0."""

    def __init__(self, syn: Segment, send: Callable[[Segment], None], on_over: Callable[[], object]) -> None:
        self._send, self._on_over = send, on_over
        self._us, self._them = syn.destination, syn.source
        self._next_in = (syn.sequence + 1) % MODULO
        self._window = syn.window
        self._synchronised = False  # the network's SYN was sent and acknowledged
        self._unacknowledged = 0  # sequence number of the first byte of `_out`
        self._out = bytearray()  # sent but not acknowledged, then not sent yet
        self._in_flight = 0  # bytes of `_out`
        self._server_ended = self._fin_sent = self._fin_acknowledged = self._client_ended = False
        self._tries = 0
        self._timer: asyncio.TimerHandle | None = None
        self._room = asyncio.Event()
        self._writer: asyncio.StreamWriter | None = None
        self._task = asyncio.create_task(self._run())

    def abort(self) -> None:
        """End the connection without notifying the client."""
        self._task.cancel()
        if self._timer is not None:
            self._timer.cancel()
        if self._writer is not None:
            self._writer.close()
        self._on_over()

    def receive(self, segment: Segment) -> None:
        """Handle a segment from the client."""
        if segment.flags & RST:
            self.abort()
        elif self._writer is None:
            return  # the server has not accepted the connection yet
        elif segment.flags & SYN:
            self._segment(ACK if self._synchronised else SYN | ACK)
        elif segment.flags & ACK:
            self._window = segment.window
            self._acknowledged((segment.acknowledgement - self._unacknowledged) % MODULO)
            if not self._synchronised:
                return
            self._take(segment, self._writer)
            self._pump()
            if self._client_ended and self._fin_acknowledged:
                self.abort()

    async def _run(self) -> None:
        try:
            reader, self._writer = await asyncio.open_connection("127.0.0.1", self._us[1])
            self._segment(SYN | ACK)
            while chunk := await reader.read(MSS):
                self._out += chunk
                self._pump()
                while len(self._out) >= WINDOW_BYTES:
                    self._room.clear()
                    await self._room.wait()
        except OSError:
            self._segment(RST | ACK)
            self.abort()
            return
        self._server_ended = True
        self._pump()

    def _acknowledged(self, count: int) -> None:
        if not self._synchronised:
            self._synchronised = count == 1
            self._unacknowledged = count if self._synchronised else 0
            return
        if not 0 < count <= self._in_flight + self._fin_sent:
            return
        if count > self._in_flight:
            self._fin_sent, self._fin_acknowledged = False, True
        del self._out[:count]
        self._in_flight = max(0, self._in_flight - count)
        self._unacknowledged = (self._unacknowledged + count) % MODULO
        self._tries = 0
        self._room.set()
        self._restart_timer()

    def _take(self, segment: Segment, writer: asyncio.StreamWriter) -> None:
        """Pass on to the server what is next in order, if it has room. Acknowledge every segment with content."""
        known = (self._next_in - segment.sequence) % MODULO  # bytes of the segment that were received before
        if known <= len(segment.payload):
            fresh = segment.payload[known:]
            if fresh and writer.transport.get_write_buffer_size() >= WINDOW_BYTES:
                return  # no acknowledgement: the client retransmits it
            writer.write(fresh)
            self._next_in = (self._next_in + len(fresh)) % MODULO
            if segment.flags & FIN and not self._client_ended:
                self._client_ended = True
                self._next_in = (self._next_in + 1) % MODULO
                writer.write_eof()
        if segment.payload or segment.flags & FIN:
            self._segment(ACK)

    def _pump(self) -> None:
        """Send as much as the client's window permits, and the FIN after the last byte."""
        if not self._synchronised:
            return
        limit = min(len(self._out), self._window, WINDOW_BYTES)
        while self._in_flight < limit:
            chunk = bytes(self._out[self._in_flight : min(limit, self._in_flight + MSS)])
            self._segment(PSH | ACK, chunk)
            self._in_flight += len(chunk)
        finished = self._fin_sent or self._fin_acknowledged
        if self._server_ended and self._in_flight == len(self._out) and not finished:
            self._segment(FIN | ACK)
            self._fin_sent = True
        if self._timer is None:
            self._restart_timer()

    def _restart_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if self._out or self._fin_sent:
            delay_s = RETRANSMIT_S * 2**self._tries
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._retransmit)

    def _retransmit(self) -> None:
        """Retransmit all that is unacknowledged, or one byte if the client's window is closed: the timer has expired."""
        self._timer = None
        self._tries += 1
        if self._tries > RETRANSMIT_LIMIT:
            self._segment(RST | ACK)
            self.abort()
            return
        self._in_flight, self._fin_sent = 0, False
        self._window = max(1, self._window)
        self._pump()

    def _segment(self, flags: int, payload: bytes = b"") -> None:
        sequence = (self._unacknowledged + self._in_flight + self._fin_sent) % MODULO
        self._send(Segment(self._us, self._them, sequence, self._next_in, flags, WINDOW_BYTES, payload))


def _ip(protocol: int, source: bytes, destination: bytes, content: bytes) -> bytes:
    header = bytes([0x45, 0]) + (20 + len(content)).to_bytes(2, "big") + bytes(4) + bytes([64, protocol])
    checksum = _checksum(header + bytes(2) + source + destination)
    return header + checksum.to_bytes(2, "big") + source + destination + content


def _pseudo(source: bytes, destination: bytes, length: int) -> bytes:
    return source + destination + bytes([0, TCP]) + length.to_bytes(2, "big")


def _checksum(content: bytes) -> int:
    """Return the Internet checksum (RFC 1071), which is 0 for content with a correct checksum."""
    if len(content) % 2:
        content += b"\0"
    total = sum(int.from_bytes(content[at : at + 2], "big") for at in range(0, len(content), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
