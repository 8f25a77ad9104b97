"""Does opening a console leave the processor behind it running?"""

import fcntl
import os
import struct
import termios
from typing import Any

import pytest
import serial  # type: ignore[import-untyped]  # pyserial comes without types

from modem.ports.pyserial_port import Port

BOTH = termios.TIOCM_DTR | termios.TIOCM_RTS


class Board:
    """The two lines of a USB bridge after each change that the kernel is asked for.

    The processor is in reset while RTS is on and DTR is off (the two transistors of esptool's documentation).
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lines = [0]
        self._open = 0
        self._real_open, self._real_ioctl = os.open, fcntl.ioctl
        monkeypatch.setattr(os, "open", self.opened)
        monkeypatch.setattr(fcntl, "ioctl", self.ioctl)

    def opened(self, path: Any, *arguments: Any) -> int:
        descriptor = self._real_open(path, *arguments)
        if str(path).startswith("/dev/pts/"):
            self._open += 1
            if self._open == 1:  # tty_port_block_til_ready and tty_port_activate raise both at the first open
                self.lines.append(BOTH)
        return descriptor

    def ioctl(self, descriptor: int, request: int, argument: Any = 0, *more: Any) -> Any:
        if request not in (termios.TIOCMBIC, termios.TIOCMBIS):
            return self._real_ioctl(descriptor, request, argument, *more)
        (lines,) = struct.unpack("I", argument)
        now = self.lines[-1]
        self.lines.append(now & ~lines if request == termios.TIOCMBIC else now | lines)
        return argument

    def was_reset(self) -> bool:
        return any(lines & BOTH == termios.TIOCM_RTS for lines in self.lines)


@pytest.fixture
def path() -> Any:
    leader, follower = os.openpty()
    yield os.ttyname(follower)
    os.close(leader)
    os.close(follower)


def test_opening_a_console_resets_no_processor(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    board = Board(monkeypatch)
    port = Port(path)
    assert not board.was_reset(), board.lines
    assert board.lines[-1] == 0
    port.close()


def test_the_board_would_show_it(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """pyserial alone switches them off one after the other."""
    board = Board(monkeypatch)
    line = serial.Serial(None, 115_200)
    line.dtr = line.rts = False
    line.port = path
    line.open()
    assert board.was_reset(), board.lines
    line.close()
