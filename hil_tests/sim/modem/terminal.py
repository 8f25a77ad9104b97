"""The modem's end of the UART: echo, command lines, raw payload, answers.

Bytes that come before the modem is awake are lost, as on the real part. Bytes that come while a command runs wait for
their turn; a command that they may abort (a scan) watches `typed`.

In data mode (`online`) all bytes belong to a connection until the escape sequence. Lines and URCs are not sent then.
"""

import asyncio
from collections.abc import Callable

from hil_tests.sim.modem.transcript import Transcript

LINE_LIMIT_BYTES = 556  # longest command line, AT manual section 1.4
CTRL_Z = 0x1A
ESCAPE = 0x1B
ESCAPE_SEQUENCE = b"+++"
GUARD_S = 1.0  # silence before and after the escape sequence, AT manual V1.12 section 2.2.10


class Terminal:
    """The UART's end. `send` sends bytes on the line; the owner of the line calls `receive`."""

    def __init__(self, transcript: Transcript) -> None:
        self.send: Callable[[bytes], None] = lambda _: None
        self._transcript = transcript
        self._inbox = bytearray()
        self.awake = False
        self.echo = True
        self.typed = asyncio.Event()
        self._online = False

    def receive(self, chunk: bytes) -> None:
        """Handle bytes from the line."""
        self._transcript.add(">" if self.awake else "> (asleep)", chunk)
        if not self.awake:
            return
        if self.echo and not self._online:
            self._put(chunk)
        self._inbox += chunk
        if not self._online and len(self._inbox) > 4 * LINE_LIMIT_BYTES and 0x0D not in self._inbox:
            self._inbox.clear()
        self.typed.set()

    def say(self, text: str) -> None:
        """Send one line of an answer or URC, framed by CR LF on both sides. Sends nothing while asleep and in data mode."""
        if self.awake and not self._online:
            self._put(f"\r\n{text}\r\n".encode())

    def put(self, chunk: bytes) -> None:
        """Send raw bytes, such as a prompt or a payload. Sends nothing while asleep and in data mode."""
        if self.awake and not self._online:
            self._put(chunk)

    def carry(self, chunk: bytes) -> None:
        """Send raw bytes, in data mode too. Sends nothing while asleep."""
        if self.awake:
            self._put(chunk)

    def sleep(self) -> None:
        """Stop sending at once, and discard the unread input."""
        self.awake = self._online = False
        self._inbox.clear()

    async def line(self) -> str:
        """Return the next command line, from after "AT" up to its CR. Other lines are skipped."""
        while True:
            raw = await self._until_cr()
            start = raw.upper().find(b"AT")
            if start >= 0 and len(raw) <= LINE_LIMIT_BYTES:
                return raw[start + 2 :].decode("ascii", "replace")

    async def counted(self, length: int) -> bytes:
        """Return exactly `length` raw bytes."""
        while len(self._inbox) < length:
            await self._more()
        return self._take(length)

    async def until_ctrl_z(self) -> bytes | None:
        """Return raw bytes up to Ctrl-Z, or None if Escape aborts the input."""
        while True:
            for at, byte in enumerate(self._inbox):
                if byte in (CTRL_Z, ESCAPE):
                    text = self._take(at)
                    self._take(1)
                    return text if byte == CTRL_Z else None
            await self._more()

    async def online(self, take: Callable[[bytes], None], over: asyncio.Event) -> bool:
        """Stay in data mode: pass bytes to `take`. Return False when `over` is set, True at the escape sequence between
        two silences."""
        self._online = True
        try:
            return await self._online_until(take, over)
        finally:
            self._online = False

    async def _online_until(self, take: Callable[[bytes], None], over: asyncio.Event) -> bool:
        silent = True  # only a beginning of the escape sequence has come since the last silence
        while not over.is_set():
            waits_s = GUARD_S if self._inbox or not silent else None
            if not await self._typed_or(over, waits_s):
                if silent and self._inbox == ESCAPE_SEQUENCE:
                    self._inbox.clear()
                    return True
                silent = True
                take(self._take(len(self._inbox)))
            elif not (silent and ESCAPE_SEQUENCE.startswith(self._inbox)):
                silent = False
                take(self._take(len(self._inbox)))
        return False

    async def _typed_or(self, over: asyncio.Event, within_s: float | None) -> bool:
        """Wait for bytes or the end. Return False after `within_s`."""
        self.typed.clear()
        waits = [asyncio.ensure_future(event.wait()) for event in (self.typed, over)]
        done, others = await asyncio.wait(waits, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        for other in others:
            other.cancel()
        return bool(done)

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
