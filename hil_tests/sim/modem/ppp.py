"""The network's end of a PPP connection, which a modem provides after ATD*99#: framing, LCP and IPCP, no
authentication.

Input: bytes of the serial line. Output: frames for the line, and IP packets for the network. No clock and no socket.

    establish -both LCP acknowledged-> network -IPCP acknowledged-> packets pass
    any of them -Terminate-Request, or no answer to ten requests-> closed

RFC 1661 (LCP), RFC 1662 (framing), RFC 1332 (IPCP). Header compression (RFC 1144), authentication, name servers, IPv6
and packet compression are refused by Configure-Reject or Protocol-Reject.
"""

import ipaddress
from collections.abc import Callable, Iterator

FLAG, ESCAPE, ESCAPE_XOR = 0x7E, 0x7D, 0x20  # RFC 1662, section 4.2
GOOD_FCS = 0xF0B8  # RFC 1662, appendix C.2
ADDRESS_CONTROL = b"\xff\x03"
FRAME_LIMIT_BYTES = 4096  # of received frames, escaped; MRU is 1500
REQUEST_EVERY_S = 3.0  # RFC 1661, section 4.6, Restart timer
REQUEST_LIMIT = 10  # Max-Configure

IP, IPCP, LCP = 0x0021, 0x8021, 0xC021
REQUEST, ACK, NAK, REJECT, TERMINATE, TERMINATED, CODE_REJECT, PROTOCOL_REJECT, ECHO, ECHOED = range(1, 11)
MRU, ACCM, AUTHENTICATION, QUALITY, MAGIC = 1, 2, 3, 4, 5
PROTOCOL_COMPRESSION, ADDRESS_COMPRESSION = 7, 8
IP_ADDRESS = 3
LCP_OPTIONS = {MRU, ACCM, MAGIC, PROTOCOL_COMPRESSION, ADDRESS_COMPRESSION}

OWN = ipaddress.IPv4Address("10.64.64.64")
ASSIGNED = ipaddress.IPv4Address("10.64.0.17")

Options = dict[int, bytes]


class Peer:
    """One connection. `send` sends bytes on the line; `on_packet` receives the client's IP packets."""

    def __init__(self, magic: bytes, send: Callable[[bytes], None], on_packet: Callable[[bytes], None]) -> None:
        self._magic, self._send, self._on_packet = magic, send, on_packet
        self._received = bytearray()
        self._wanted: dict[int, Options] = {
            LCP: {ACCM: bytes(4), MAGIC: magic},
            IPCP: {IP_ADDRESS: OWN.packed},
        }
        self._acknowledged_by_them: set[int] = set()
        self._acknowledged_by_us: set[int] = set()
        self._identifier = 0
        self._requested_as: dict[int, int] = {}  # identifier of the last Configure-Request, by protocol
        self._requests = 0
        self.closed = False
        self.bad_frames = 0

    @property
    def ready(self) -> bool:
        """Whether IP packets pass."""
        return not self.closed and self._is_open(LCP) and self._is_open(IPCP)

    def due(self) -> None:
        """Send the next Configure-Request that is due. Call it at the start and every `REQUEST_EVERY_S`."""
        if self.closed or self.ready:
            return
        self._requests += 1
        if self._requests > REQUEST_LIMIT:
            self.closed = True
            return
        self._request(IPCP if self._is_open(LCP) else LCP)

    def receive(self, chunk: bytes) -> None:
        """Handle bytes of the line, in pieces of any size."""
        self._received += chunk
        *frames, rest = self._received.split(bytes([FLAG]))
        self._received = rest if len(rest) <= FRAME_LIMIT_BYTES else bytearray()
        for escaped in frames:
            if escaped and not self.closed:
                self._frame(_unescaped(escaped))

    def packet(self, packet: bytes) -> None:
        """Send an IP packet to the client. Before `ready` it is dropped."""
        if self.ready:
            self._send(frame(IP, packet))

    def terminate(self) -> None:
        """End the connection from the network's side."""
        if not self.closed:
            self._control(LCP, TERMINATE, self._next_identifier(), b"")
            self.closed = True

    def _is_open(self, protocol: int) -> bool:
        return protocol in self._acknowledged_by_them and protocol in self._acknowledged_by_us

    def _frame(self, content: bytes) -> None:
        if len(content) < 4 or _fcs(content) != GOOD_FCS:
            self.bad_frames += 1
            return
        content = content[:-2].removeprefix(ADDRESS_CONTROL)
        size = 1 if content[:1] and content[0] & 1 else 2  # compressed protocol field, RFC 1661 section 6.5
        protocol, information = int.from_bytes(content[:size], "big"), content[size:]
        if protocol == IP:
            if self.ready:
                self._on_packet(information)
        elif protocol in self._wanted:
            self._control_packet(protocol, information)
        else:
            self._control(LCP, PROTOCOL_REJECT, self._next_identifier(), protocol.to_bytes(2, "big") + information)

    def _control_packet(self, protocol: int, information: bytes) -> None:
        if len(information) < 4 or not 4 <= (length := int.from_bytes(information[2:4], "big")) <= len(information):
            self.bad_frames += 1
            return
        code, identifier, body = information[0], information[1], information[4:length]
        if code == REQUEST:
            self._requested(protocol, identifier, body)
        elif code in (ACK, NAK, REJECT) and identifier == self._requested_as.get(protocol):
            self._answered(protocol, code, body)
        elif code == TERMINATE:
            self._control(protocol, TERMINATED, identifier, b"")
            self.closed = True
        elif code == ECHO and protocol == LCP:
            self._control(LCP, ECHOED, identifier, self._magic + body[4:])
        elif code > ECHOED + 1:  # 11 is Discard-Request
            self._control(protocol, CODE_REJECT, self._next_identifier(), information[:length])

    def _requested(self, protocol: int, identifier: int, body: bytes) -> None:
        """Reject, correct or acknowledge the client's Configure-Request."""
        try:
            options = dict(_options(body))
        except ValueError:
            self.bad_frames += 1
            return
        known = LCP_OPTIONS if protocol == LCP else {IP_ADDRESS}
        refused = {kind: value for kind, value in options.items() if kind not in known}
        self._acknowledged_by_us.discard(protocol)
        if refused:
            self._control(protocol, REJECT, identifier, _packed(refused))
        elif protocol == IPCP and options.get(IP_ADDRESS) != ASSIGNED.packed:
            self._control(IPCP, NAK, identifier, _packed({IP_ADDRESS: ASSIGNED.packed}))
        else:
            self._control(protocol, ACK, identifier, body)
            self._acknowledged_by_us.add(protocol)
            self._go_on(protocol)

    def _answered(self, protocol: int, code: int, body: bytes) -> None:
        """Handle the client's answer to a Configure-Request."""
        if code == ACK:
            self._acknowledged_by_them.add(protocol)
            self._go_on(protocol)
            return
        try:
            named = {kind for kind, _ in _options(body)}
        except ValueError:
            self.bad_frames += 1
            return
        for kind in named:  # leave the option out, whether it was refused or another value was proposed
            self._wanted[protocol].pop(kind, None)
        self._request(protocol)

    def _go_on(self, protocol: int) -> None:
        if protocol == LCP and self._is_open(LCP) and IPCP not in self._acknowledged_by_them:
            self._request(IPCP)

    def _request(self, protocol: int) -> None:
        identifier = self._requested_as[protocol] = self._next_identifier()
        self._control(protocol, REQUEST, identifier, _packed(self._wanted[protocol]))

    def _next_identifier(self) -> int:
        self._identifier = (self._identifier + 1) % 256
        return self._identifier

    def _control(self, protocol: int, code: int, identifier: int, body: bytes) -> None:
        self._send(frame(protocol, bytes([code, identifier]) + (4 + len(body)).to_bytes(2, "big") + body))


def frame(protocol: int, information: bytes) -> bytes:
    """Return one frame for the line. It escapes all control characters, which every receiver must accept."""
    content = ADDRESS_CONTROL + protocol.to_bytes(2, "big") + information
    content += (_fcs(content) ^ 0xFFFF).to_bytes(2, "little")
    escaped = bytearray([FLAG])
    for byte in content:
        if byte < 0x20 or byte in (FLAG, ESCAPE):
            escaped += bytes([ESCAPE, byte ^ ESCAPE_XOR])
        else:
            escaped.append(byte)
    escaped.append(FLAG)
    return bytes(escaped)


def _unescaped(escaped: bytes | bytearray) -> bytes:
    content = bytearray()
    mask = 0
    for byte in escaped:
        if byte == ESCAPE:
            mask = ESCAPE_XOR
        else:
            content.append(byte ^ mask)
            mask = 0
    return bytes(content)


def _fcs_table() -> Iterator[int]:
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ 0x8408 if value & 1 else value >> 1
        yield value


_FCS = tuple(_fcs_table())


def _fcs(content: bytes) -> int:
    """Return the FCS-16 as it is in the register. It is sent complemented, low byte first (RFC 1662, appendix C.2)."""
    fcs = 0xFFFF
    for byte in content:
        fcs = (fcs >> 8) ^ _FCS[(fcs ^ byte) & 0xFF]
    return fcs


def _options(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield type and value of each option. Raises ValueError for an invalid length."""
    at = 0
    while at < len(body):
        length = body[at + 1] if at + 1 < len(body) else 0
        if length < 2 or at + length > len(body):
            raise ValueError(f"option of {length} bytes")
        yield body[at], body[at + 2 : at + length]
        at += length


def _packed(options: Options) -> bytes:
    return b"".join(bytes([kind, 2 + len(value)]) + value for kind, value in options.items())
