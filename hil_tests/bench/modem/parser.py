"""Lines per second through the tokenizer and through python-gsmmodem-new's: from a serial line (a pty), and from
memory.

The first is what a program gets, reading and parsing together; the second leaves the reading out. The product's reader
takes all that has arrived; the peer reads byte by byte, which is part of its parser. The second is processor time, the
best of many short rounds: on a busy machine the slower parser would be interrupted more often, and would look slower
than it is.
"""

import io
import os
import threading
import time
import tty
from collections.abc import Callable

from gsmmodem.serial_comms import SerialComms  # type: ignore[import-untyped]  # it comes without types

from modem import at
from modem.families import sim800
from modem.ports.pyserial_port import Port

ANSWER = b"\r\n+CSQ: 17,0\r\n\r\nOK\r\n"
BETWEEN = b'\r\n+CGREG: 5,"01F4","2A3B"\r\n'
EXCHANGES = 500
LINE_EXCHANGES = 2_000
CHUNK_BYTES = 64  # what one read of the line brings at 115,200 baud
RATIO = 5
ROUNDS = 300


class _Line(io.BytesIO):
    """A serial port that holds all input from the start."""

    def inWaiting(self) -> int:  # noqa: N802  (the name that pyserial has)
        return 1


class _Peer(SerialComms):  # type: ignore[misc]  # untyped
    def __init__(self, text: bytes) -> None:
        super().__init__("")
        self.serial = self
        self._line = _Line(text)
        self._left = len(text)
        self.alive = True

    def read(self, size: int) -> bytes:
        self._left -= size
        if self._left < 0:
            self.alive = False
        return self._line.read(size)

    def inWaiting(self) -> int:  # noqa: N802  (the name that pyserial has)
        return 1


def _ours() -> float:
    tokenizer = at.Tokenizer(sim800.FAMILY.URCS, sim800.FAMILY.LINK_URCS)
    text = (ANSWER + BETWEEN) * EXCHANGES
    lines = 0
    start_s = time.process_time()
    for place in range(0, len(text), CHUNK_BYTES):
        tokenizer.expect("AT+CSQ", ("+CSQ:",))
        lines += len(tokenizer.feed(text[place : place + CHUNK_BYTES]))
    return lines / (time.process_time() - start_s)


def _peer() -> float:
    peer = _Peer((ANSWER + BETWEEN) * EXCHANGES)
    start_s = time.process_time()
    peer._readLoop()
    return len(peer._notification) / (time.process_time() - start_s)


def _from_line(read: Callable[[str, Callable[[], None]], int]) -> float:
    """Return lines per second. `read(path, begin)` counts the lines, and calls `begin` when it listens."""
    master, slave = os.openpty()
    tty.setraw(slave)
    talking = threading.Thread(target=_say, args=(master, (ANSWER + BETWEEN) * LINE_EXCHANGES))
    start_s = time.perf_counter()

    def begin() -> None:
        nonlocal start_s
        talking.start()
        start_s = time.perf_counter()

    lines = read(os.ttyname(slave), begin)
    took_s = time.perf_counter() - start_s
    talking.join()
    os.close(master)
    os.close(slave)
    return lines / took_s


def _say(master: int, text: bytes) -> None:
    while text:
        text = text[os.write(master, text[:4096]) :]


def _read_ours(path: str, begin: Callable[[], None]) -> int:
    port = Port(path)
    begin()
    tokenizer = at.Tokenizer(sim800.FAMILY.URCS, sim800.FAMILY.LINK_URCS)
    lines = 0
    while lines < 3 * LINE_EXCHANGES and port.wait(1000):
        lines += len(tokenizer.feed(port.read()))
    port.close()
    return lines


def _read_peer(path: str, begin: Callable[[], None]) -> int:
    peer = SerialComms(path)
    seen = threading.Event()
    lines = 0

    def take(_line: str) -> None:
        nonlocal lines
        lines += 1
        if lines == 3 * LINE_EXCHANGES:
            seen.set()

    peer._handleLineRead = take
    peer.connect()
    begin()
    seen.wait(60)
    peer.alive = False
    return lines


def run() -> bool:
    """Print both rates. Return True if the product's is at least five times the peer's, for both sources."""
    rounds = [(_ours(), _peer()) for _ in range(ROUNDS)]
    memory = [max(rates) for rates in zip(*rounds, strict=True)]
    line = [_from_line(_read_ours), _from_line(_read_peer)]
    for where, (ours, peer) in (("a serial line", line), ("memory", memory)):
        print(f"parser, from {where}: {ours:,.0f} lines/s; python-gsmmodem-new {peer:,.0f}; ratio {ours / peer:.1f}")
    print(f"  hold {RATIO}")
    return line[0] / line[1] >= RATIO and memory[0] / memory[1] >= RATIO
