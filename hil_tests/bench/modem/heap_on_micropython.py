"""Run on MicroPython: print the heap that a client and a stream hold, with buffers and 1,460 bytes just read."""

import gc

from modem.client import Modem
from modem.families import sim800
from modem.stream import Stream

PAYLOAD = bytes(1460)
ANSWERS = {
    b"AT+CMEE?\r": b"\r\n+CMEE: 1\r\n\r\nOK\r\n",
    b'AT+CIPSTART=0,"TCP","h",1\r': b"\r\nOK\r\n\r\n0, CONNECT OK\r\n",
    b"AT+CIPRXGET=2,0,1460\r": b"\r\n+CIPRXGET: 2,0,1460,0\r\n" + PAYLOAD + b"\r\nOK\r\n",
}


class Line:
    """A modem with three fixed answers."""

    def __init__(self):
        self.unread = b""

    def write(self, data):
        self.unread = ANSWERS.get(bytes(data), b"")

    def read(self):
        taken, self.unread = self.unread[:256], self.unread[256:]  # as much as an interrupt handler stores
        return taken

    def wait(self, timeout_ms):
        return bool(self.unread)


class Clock:
    ms = 0

    def now_ms(self):
        self.ms += 1
        return self.ms


line, clock = Line(), Clock()
got = bytearray(1460)
gc.collect()
before = gc.mem_alloc()  # type: ignore[attr-defined]  # MicroPython alone has it
stream = Stream(Modem(line, clock, sim800.FAMILY), clock)  # type: ignore[arg-type]  # the rest of their contracts is not used
stream.connect("h", 1)
stream._data_wait = True
assert stream.readinto(got) == 1460
gc.collect()
print(gc.mem_alloc() - before)  # type: ignore[attr-defined]  # MicroPython alone has it
