"""umqtt.simple over a modem's stream, hardened: what is known to bite in 1.3.4 is closed here and nowhere else.

- Each packet is one write and each wait has a deadline (wire.py).
- Packet ids wrap at 65,535: the original counts on, its 65,536th publish waits for an acknowledgement that cannot come.
- What a broker says is never an AssertionError or an IndexError: it is an OSError, and the connection is over.
- A packet that is longer than we can hold, or of a kind we did not ask for, ends the connection instead of the memory.
- A PUBACK that comes too late for its publish is read to its end, so what follows is understood.
"""

import errno

from umqtt import simple

from firmware.link.wire import PACKET_MAX, Wire

PUBACK, SUBACK = 0x40, 0x90
LAST_PACKET_ID = 65535
EPROTO = 71  # Linux; MicroPython's errno has no name for it


class Mqtt(simple.MQTTClient):
    """One connection; `refused` of CONNACK stays a simple.MQTTException, everything else that goes wrong an OSError."""

    def __init__(self, transport, clock, unit_id, secret, broker, port, keepalive_s):
        super().__init__(unit_id, broker, port, unit_id, secret, keepalive_s)
        self._wire = Wire(transport, clock)

    def connect(self, clean_session=True):
        """TCP, CONNECT and CONNACK. Raises MQTTException(return code) when the broker refuses."""
        simple.socket = _OneSocket(self._wire)  # type: ignore[assignment]  # where umqtt.simple looks for sockets
        return self._run(super().connect, clean_session)

    def publish(self, topic, msg, retain=False, qos=0):
        """With QoS 1 returns once the broker has acknowledged."""
        if self.pid >= LAST_PACKET_ID:
            self.pid = 0
        return self._run(super().publish, topic, msg, retain, qos)

    def subscribe(self, topic, qos=0):
        if self.pid >= LAST_PACKET_ID:
            self.pid = 0
        return self._run(super().subscribe, topic, qos)

    def check_msg(self):
        """Handle one packet if one has come; never waits for one."""
        if self._run(super().check_msg) == PUBACK:
            self._run(self._wire.read, 3)  # of a publish we gave up on

    def wait_msg(self):
        kind = super().wait_msg()
        if kind in (None, PUBACK, SUBACK):
            return kind
        raise OSError(EPROTO)

    def disconnect(self):
        """Say goodbye if the wire still takes it; closed in any case."""
        try:
            self._run(self._wire.write, b"\xe0\0")
        except OSError:
            pass  # it is over already, which is what was wanted
        finally:
            self._wire.close()

    def _run(self, call, *arguments):
        self._wire.begin()
        try:
            answer = call(*arguments)
            self._wire.send()
            return answer
        except (AssertionError, IndexError):
            raise OSError(EPROTO) from None

    def _recv_len(self):
        length = super()._recv_len()
        if length > PACKET_MAX:
            raise OSError(errno.ENOBUFS)
        return length


class _OneSocket:
    """Stands where umqtt.simple looks for the socket module: its only socket is our wire, names are the modem's to resolve."""

    def __init__(self, wire):
        self._wire = wire

    def socket(self):
        return self._wire

    def getaddrinfo(self, host, port):
        return [(0, 0, 0, "", (host, port))]
