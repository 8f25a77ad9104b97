"""A client for the unit's service console: one question at a time, its answer as lines."""

import asyncio
from collections import deque
from collections.abc import Callable

LINE_LIMIT_BYTES = 1024
REMARKS_KEPT = 200


class ConsoleError(Exception):
    """The unit refused a command; the text is what it said to do."""


class ConsoleSilent(Exception):
    """No answer within the time."""


class Console:
    """`write` puts bytes on the line; whoever owns the line calls `received`.

    Lines that begin with "# " are remarks that the unit makes unasked; the last ones are kept, and `on_remark` hears each.
    """

    def __init__(self, write: Callable[[bytes], None], on_remark: Callable[[str], None] = lambda _: None) -> None:
        self._write, self._on_remark = write, on_remark
        self._unfinished = b""
        self._turn = asyncio.Lock()
        self._answer: list[str] = []
        self._answered: asyncio.Future[None] | None = None
        self.remarks: deque[str] = deque(maxlen=REMARKS_KEPT)

    def received(self, chunk: bytes) -> None:
        """Takes bytes from the line."""
        *lines, self._unfinished = (self._unfinished + chunk).replace(b"\r", b"\n").split(b"\n")
        self._unfinished = self._unfinished[-LINE_LIMIT_BYTES:]
        for line in lines:
            if line:
                self._line(line.decode("utf-8", "replace"))

    async def ask(self, command: str, within_s: float = 3) -> list[str]:
        """The lines of an answer, without its closing `ok`. Raises ConsoleError or ConsoleSilent."""
        async with self._turn:
            self._answer = []
            self._answered = asyncio.get_running_loop().create_future()
            try:
                self._write(command.encode() + b"\n")
            except OSError as error:  # switched off while others were asking
                raise ConsoleSilent("the unit is off") from error
            try:
                async with asyncio.timeout(within_s):
                    await self._answered
            except TimeoutError:
                word = command.split()[0]
                raise ConsoleSilent(f"no answer to {word!r} on the console within {within_s} s") from None
            finally:
                self._answered = None
            return self._answer

    async def status(self, within_s: float = 3) -> dict[str, str]:
        """What `status` says, by name."""
        return dict(_named(line) for line in await self.ask("status", within_s))

    def _line(self, line: str) -> None:
        if line.startswith("#"):
            self.remarks.append(line[1:].strip())
            self._on_remark(self.remarks[-1])
        elif self._answered is None or self._answered.done():
            return  # a late answer to a question that was given up
        elif line == "ok":
            self._answered.set_result(None)
        elif line.startswith("error"):
            self._answered.set_exception(ConsoleError(line.removeprefix("error").strip()))
        else:
            self._answer.append(line)


def _named(line: str) -> tuple[str, str]:
    name, _, value = line.partition(" ")
    return name, value
