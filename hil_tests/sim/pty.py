"""A serial line made of a pty: this process holds the master; the program under test opens the slave by its path.

This process also keeps the slave open, so that the line survives a client that comes and goes (a master whose last
slave closes reads EIO on Linux). The slave is raw, so nothing is echoed or translated.
"""

import asyncio
import contextlib
import fcntl
import os
import struct
import termios
import tty
from collections.abc import Callable
from pathlib import Path

OUTBOX_LIMIT_BYTES = 65_536  # a UART that nobody reads loses bytes; this line does so past this size
READ_BYTES = 4096
BAUDS = {getattr(termios, name): int(name[1:]) for name in dir(termios) if name[0] == "B" and name[1:].isdecimal()}
INPUT_SPEED, OUTPUT_SPEED = 4, 5  # indexes into what tcgetattr returns


class Pty:
    """One serial line on the running event loop. `lost_bytes` counts bytes that did not fit into the outbox."""

    def __init__(self, on_bytes: Callable[[bytes], None], link: Path | None = None) -> None:
        self._on_bytes = on_bytes
        self._loop = asyncio.get_running_loop()
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        attributes = termios.tcgetattr(self._slave)  # the usual speed, until a client sets another
        attributes[INPUT_SPEED] = attributes[OUTPUT_SPEED] = termios.B115200
        termios.tcsetattr(self._slave, termios.TCSANOW, attributes)
        os.set_blocking(self._master, False)
        self.path = Path(os.ttyname(self._slave))
        self._link = link
        if link is not None:
            _point(link, self.path)
        self._outbox = bytearray()
        self.lost_bytes = 0
        self._loop.add_reader(self._master, self._readable)

    def write(self, chunk: bytes) -> None:
        """Send bytes to the slave, now or as soon as there is room. Never waits."""
        room = OUTBOX_LIMIT_BYTES - len(self._outbox)
        self.lost_bytes += max(0, len(chunk) - room)
        was_empty = not self._outbox
        self._outbox += chunk[:room]
        if was_empty and self._outbox:
            self._flush()

    def baud(self) -> int:
        """Return the speed that the client has set, 0 if it left that open. It does not change how fast bytes pass."""
        return BAUDS[termios.tcgetattr(self._slave)[OUTPUT_SPEED]]

    def unread_bytes(self) -> int:
        """Return how many bytes the client has not read yet, without those on their way to the slave."""
        (count,) = struct.unpack("i", fcntl.ioctl(self._slave, termios.FIONREAD, struct.pack("i", 0)))
        return int(count)

    def discard_unread(self) -> None:
        """Discard what the client has not read yet."""
        self._outbox.clear()
        termios.tcflush(self._slave, termios.TCIFLUSH)

    def close(self) -> None:
        """Close the line: the slave reads end of file. The link is removed if it still points here."""
        self._loop.remove_reader(self._master)
        self._loop.remove_writer(self._master)
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = -1  # the numbers may be reused: a late write raises OSError
        if self._link is not None and self._link.is_symlink() and self._link.readlink() == self.path:
            self._link.unlink()

    def _readable(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._on_bytes(os.read(self._master, READ_BYTES))

    def _flush(self) -> None:
        with contextlib.suppress(BlockingIOError):
            del self._outbox[: os.write(self._master, self._outbox)]
        if self._outbox:
            self._loop.add_writer(self._master, self._flush)
        else:
            self._loop.remove_writer(self._master)


def _point(link: Path, target: Path) -> None:
    """Make `link` a symlink to `target` in one step. It replaces an older link, but never a real file."""
    if link.exists() and not link.is_symlink():
        raise FileExistsError(f"{link} is there and is not a symlink; choose another path")
    fresh = link.with_name(link.name + ".new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)
