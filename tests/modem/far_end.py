"""An open connection over a scripted modem, and its far end."""

import pytest

from modem.stream import Stream
from tests.modem.scripted import OK, PAYLOAD, line, scripted

START = 'AT+CIPSTART=0,"TCP","broker.example",1883'
GET = "AT+CIPRXGET=2,0,1460"
CLOSE = "AT+CIPCLOSE=0,1"
ACK = "AT+CIPACK=0"
NASTY = b"\r\nOK\r\nERROR\r\n> \r\n0, CLOSED\r\n+CREG: 0\r\n+PDP: DEACT\r\nRDY\r\n\x00\xff\x1a"


class FarEnd:
    """The data that the modem has received and not yet handed over, and the data that was sent."""

    def __init__(self):
        self.waiting = b""
        self.sent = 0
        self.acknowledged = 0
        self.takes = 1460

    def get(self, port):
        taken, self.waiting = self.waiting[:1460], self.waiting[1460:]
        header = "+CIPRXGET: 2,0,%d,%d" % (len(taken), len(self.waiting))
        return line(header) + taken + b"\r\nOK\r\n"

    def take(self, port):
        taken = min(self.takes, len(port.payloads[-1]))
        self.sent += taken
        return line("DATA ACCEPT:0,%d" % taken)

    def ack(self, port):
        return line("+CIPACK: %d,%d,%d" % (self.sent, self.acknowledged, self.sent - self.acknowledged)) + OK


def connected():
    """Return (stream, port, clock, far end) of an open connection."""
    far_end = FarEnd()
    answers = {
        START: OK + line("0, CONNECT OK"),
        GET: far_end.get,
        PAYLOAD: far_end.take,
        ACK: far_end.ack,
        CLOSE: line("0, CLOSE OK"),
    }
    modem, port, clock = scripted(answers)
    stream = Stream(modem, clock)
    stream.connect("broker.example", 1883)
    return stream, port, clock, far_end


def errno_of(function, *arguments):
    with pytest.raises(OSError) as caught:
        function(*arguments)
    return caught.value.errno


def arrive(port, far_end, data, delay_ms=0):
    far_end.waiting += data
    port.says("+CIPRXGET: 1,0", delay_ms)
