"""A client for the unit's service console: one command at a time, its answer as lines. It requests lost pieces again."""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from modem.installer.console_pieces import ID_MAX, Exchange, LineTooBad

LINE_LIMIT_BYTES = 1024
REMARKS_KEPT = 200
REPEAT_S = 1  # of silence, before the last line is sent again


class ConsoleError(Exception):
    """The unit refused the command. The text is the unit's own."""


class ConsoleSilent(Exception):
    """No answer within the deadline."""


@dataclass
class Losses:
    """What a console's line has lost, as far as the client noticed."""

    repeats: int = 0  # lines sent or requested again
    unanswered: int = 0  # commands given up while the unit was on


class PlainExchange:
    """A command and its answer as plain lines, ended by `ok` or `error ...`. Used like Exchange, on a line without losses."""

    def __init__(self, command: str, number: int) -> None:
        self.request = command.encode() + b"\n"
        self.lines: list[str] = []
        self.done = False
        self.error: str | None = None
        self.repeats = 0

    def repeat(self) -> bytes:
        """Return nothing: a plain command is sent once."""
        return b""

    def take(self, line: bytes) -> bytes:
        """Handle a line that was received. Return nothing: no line needs a reply."""
        text = line.decode("utf-8", "replace")
        if text == "ok":
            self.done = True
        elif text.startswith("error"):
            self.done, self.error = True, text.removeprefix("error").strip()
        else:
            self.lines.append(text)
        return b""


class Console:
    """The console of one unit. `write` sends bytes on the line; the owner of the line calls `received`.

    `exchange` is the form of the dialogue: numbered pieces with a unit, plain lines with a bench's instrument. `losses`
    are counted further, because a unit that restarts gets a new client on the same line. Lines that begin with "#" are
    remarks that the unit sends unasked. The last REMARKS_KEPT are stored, and each is passed to `on_remark`.
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
        self._number = random.randint(0, ID_MAX)  # of a command; random, to differ from the previous client's
        self._exchange: Exchange | PlainExchange | None = None
        self._trouble: LineTooBad | OSError | None = None  # of the exchange in progress
        self._heard = asyncio.Event()
        self.remarks: deque[str] = deque(maxlen=REMARKS_KEPT)

    def received(self, chunk: bytes) -> None:
        """Handle bytes from the line."""
        *lines, self._unfinished = (self._unfinished + chunk).replace(b"\r", b"\n").split(b"\n")
        self._unfinished = self._unfinished[-LINE_LIMIT_BYTES:]
        for line in lines:
            if line:
                self._line(line)

    async def ask(self, command: str, within_s: float = 3) -> list[str]:
        """Return the lines of the answer, without its closing `ok`. Raises ConsoleError or ConsoleSilent."""
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
            except OSError as error:  # the unit was switched off meanwhile
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
        """Wait for the whole answer; ask again after each silence of REPEAT_S."""
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
        """Return the lines of `status` as names and values."""
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
