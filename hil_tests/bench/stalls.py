"""A modem that falls silent while one AT command is in flight, then while another is, through all kinds."""

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import Callable

STALL_S = 2
CHOOSES_FOR_S = 5
AGAIN_AT_ONCE_PART = 0.5  # share of the stalls followed by another at once, which then hits the start-up
COMMAND = re.compile(rb"AT[+&*]?\w+")


class Stalls:
    """The stalls. `disturb(how)` disturbs the modem; the owner of its line calls `overhear`. `now` is True while it is
    silent."""

    def __init__(self, disturb: Callable[[str], None], chance: random.Random) -> None:
        self._disturb, self._random = disturb, chance
        self._due_since_s: float | None = None
        self.now = False
        self.counts: Counter[str] = Counter()  # by command; 0 for a command that was always answered

    def ask_for_one(self) -> None:
        """Request the next stall."""
        self._due_since_s = time.monotonic()

    def overhear(self, chunk: bytes) -> None:
        """Handle what the unit sends to its modem. Start a due stall at the command with the fewest stalls, or here
        after a while."""
        heard = COMMAND.match(chunk)
        if heard is None:
            return
        command, counts = heard[0].decode(), self.counts
        counts.setdefault(command, 0)
        if self._due_since_s is None:
            return
        if counts[command] > min(counts.values()) and time.monotonic() - self._due_since_s < CHOOSES_FOR_S:
            return
        counts[command] += 1
        self._due_since_s, self.now = None, True
        self._disturb("hang")
        asyncio.get_running_loop().call_later(STALL_S, self._end)

    def _end(self) -> None:
        self.now = False
        if self._random.random() < AGAIN_AT_ONCE_PART:
            self.ask_for_one()
        self._disturb("brown_out")
