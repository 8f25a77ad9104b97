"""A client for the unit's service console: one question at a time, its answer as lines, in pieces where some are lost."""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from modem.installer.console_pieces import ID_MAX, Exchange, LineTooBad

LINE_LIMIT_BYTES = 1024
REMARKS_KEPT = 200
REPEAT_S = 1  # of silence, before what was written last is written again


class ConsoleError(Exception):
    """The unit refused a command; the text is what it said to do."""


class ConsoleSilent(Exception):
    """No answer within the time."""


@dataclass
class Losses:
    """What the line of a console has lost, as far as its client noticed."""

    repeats: int = 0  # lines that were written or asked for again
    unanswered: int = 0  # commands given up, of a unit that was on


class PlainExchange:
    """A command and its answer as plain lines, closed by `ok` or `error ...`: as Exchange, on a line that loses nothing."""

    def __init__(self, command: str, number: int) -> None:
        self.request = command.encode() + b"\n"
        self.lines: list[str] = []
        self.done = False
        self.error: str | None = None
        self.repeats = 0

    def repeat(self) -> bytes:
        """Nothing: a command is said once."""
        return b""

    def take(self, line: bytes) -> bytes:
        """A line that came; nothing is ever to be written for it."""
        text = line.decode("utf-8", "replace")
        if text == "ok":
            self.done = True
        elif text.startswith("error"):
            self.done, self.error = True, text.removeprefix("error").strip()
        else:
            self.lines.append(text)
        return b""


class Console:
    """`write` puts bytes on the line; whoever owns the line calls `received`.

    `exchange` says in what form it speaks: a unit in pieces, a bench's instrument in plain lines.
    `losses` is counted on; a unit that restarts has another client, on the same line.
    Lines that begin with "# " are remarks that the unit makes unasked; the last ones are kept, and `on_remark` hears each.
    """

    def __init__(
        self,
        write: Callable[[bytes], None],
        on_remark: Callable[[str], None] = lambda _: None,
        exchange: type[Exchange] | type[PlainExchange] = Exchange,
        losses: Losses | None = None,
    ) -> None:
        self._losses = losses or Losses()
        self._new_exchange = exchange
        self._write, self._on_remark = write, on_remark
        self._unfinished = b""
        self._turn = asyncio.Lock()
        self._number = random.randint(0, ID_MAX)  # of a command; another one than that of whoever asked before
        self._exchange: Exchange | PlainExchange | None = None
        self._trouble: LineTooBad | OSError | None = None  # with the exchange that is going on
        self._heard = asyncio.Event()
        self.remarks: deque[str] = deque(maxlen=REMARKS_KEPT)

    def received(self, chunk: bytes) -> None:
        """Takes bytes from the line."""
        *lines, self._unfinished = (self._unfinished + chunk).replace(b"\r", b"\n").split(b"\n")
        self._unfinished = self._unfinished[-LINE_LIMIT_BYTES:]
        for line in lines:
            if line:
                self._line(line)

    async def ask(self, command: str, within_s: float = 3) -> list[str]:
        """The lines of an answer, without its closing `ok`. Raises ConsoleError or ConsoleSilent."""
        async with self._turn:
            self._number += 1
            self._exchange = exchange = self._new_exchange(command, self._number)
            self._trouble = None
            word = command.split()[0]
            try:
                self._write(exchange.request)
                async with asyncio.timeout(within_s):
                    await self._answered(exchange)
            except TimeoutError:
                self._losses.unanswered += 1
                raise ConsoleSilent(f"no answer to {word!r} on the console within {within_s} s") from None
            except OSError as error:  # switched off while others were asking
                raise ConsoleSilent("the unit is off") from error
            except LineTooBad as bad:
                self._losses.unanswered += 1
                raise ConsoleSilent(f"no whole answer to {word!r} on the console: {bad}") from None
            finally:
                self._exchange = None
                self._losses.repeats += exchange.repeats
            if exchange.error is not None:
                raise ConsoleError(exchange.error)
            return exchange.lines

    async def _answered(self, exchange: Exchange | PlainExchange) -> None:
        """Waits for the whole answer, and asks again in a silence."""
        while not exchange.done:
            self._heard.clear()
            try:
                async with asyncio.timeout(REPEAT_S):
                    await self._heard.wait()
            except TimeoutError:
                self._write(exchange.repeat())
            if self._trouble is not None:
                raise self._trouble

    async def status(self, within_s: float = 3) -> dict[str, str]:
        """What `status` says, by name."""
        return dict(_named(line) for line in await self.ask("status", within_s))

    def _line(self, line: bytes) -> None:
        if line.startswith(b"#"):
            self.remarks.append(line[1:].decode("utf-8", "replace").strip())
            self._on_remark(self.remarks[-1])
        elif self._exchange is not None:
            try:
                more = self._exchange.take(line)
                if more:
                    self._write(more)
            except (LineTooBad, OSError) as trouble:
                self._trouble = trouble
            self._heard.set()


def _named(line: str) -> tuple[str, str]:
    name, _, value = line.partition(" ")
    return name, value
