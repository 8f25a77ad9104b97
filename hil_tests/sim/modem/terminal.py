"""The modem's end of the UART: echo, command lines, raw payload, replies.

Bytes that come before the modem is awake are lost, as they are on the real part. Bytes that come while
a command runs wait for their turn; a command that may be aborted by them (a scan) watches `typed`.
"""

import asyncio
from collections.abc import Callable

from hil_tests.sim.modem.transcript import Transcript

LINE_LIMIT_BYTES = 556  # longest command line, AT manual section 1.4
CTRL_Z = 0x1A
ESCAPE = 0x1B


class Terminal:
    """Says and hears. `send` puts bytes on the wire; whoever owns the wire calls `receive`."""

    def __init__(self, transcript: Transcript) -> None:
        self.send: Callable[[bytes], None] = lambda _: None
        self._transcript = transcript
        self._inbox = bytearray()
        self.awake = False
        self.echo = True
        self.typed = asyncio.Event()

    def receive(self, chunk: bytes) -> None:
        """Takes bytes from the wire."""
        self._transcript.add(">" if self.awake else "> (asleep)", chunk)
        if not self.awake:
            return
        if self.echo:
            self._put(chunk)
        self._inbox += chunk
        if len(self._inbox) > 4 * LINE_LIMIT_BYTES and 0x0D not in self._inbox:
            self._inbox.clear()
        self.typed.set()

    def say(self, text: str) -> None:
        """One reply line or URC, framed by CR LF on both sides. Silent while asleep."""
        if self.awake:
            self._put(f"\r\n{text}\r\n".encode())

    def put(self, chunk: bytes) -> None:
        """Bytes as they are: a prompt, a payload. Silent while asleep."""
        if self.awake:
            self._put(chunk)

    def sleep(self) -> None:
        """Falls silent at once and forgets what was typed."""
        self.awake = False
        self._inbox.clear()

    async def line(self) -> str:
        """The next command line, from behind its "AT" up to its CR. What is no command line is skipped."""
        while True:
            raw = await self._until_cr()
            start = raw.upper().find(b"AT")
            if start >= 0 and len(raw) <= LINE_LIMIT_BYTES:
                return raw[start + 2 :].decode("ascii", "replace")

    async def counted(self, length: int) -> bytes:
        """Exactly so many raw bytes."""
        while len(self._inbox) < length:
            await self._more()
        return self._take(length)

    async def until_ctrl_z(self) -> bytes | None:
        """Raw bytes up to Ctrl-Z, or None if they were given up with Escape."""
        while True:
            for at, byte in enumerate(self._inbox):
                if byte in (CTRL_Z, ESCAPE):
                    text = self._take(at)
                    self._take(1)
                    return text if byte == CTRL_Z else None
            await self._more()

    async def _until_cr(self) -> bytes:
        while (end := self._inbox.find(b"\r")) < 0:
            await self._more()
        line = self._take(end)
        self._take(1)
        return line

    async def _more(self) -> None:
        self.typed.clear()
        await self.typed.wait()

    def _take(self, length: int) -> bytes:
        taken = bytes(self._inbox[:length])
        del self._inbox[:length]
        return taken

    def _put(self, chunk: bytes) -> None:
        self._transcript.add("<", chunk)
        self.send(chunk)
