"""Run in place of firmware.main on MicroPython: the same firmware, which also records what it was doing.

Each time the contactor opens, it prints what the rest of the firmware has done since the control loop's previous step
(`opened AT+CIPSEND flash`). Every few seconds it prints the intervals between the steps so far, by the unit's own clock
(`steps 20:511 21:3`). It collects garbage far more often than a unit would.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code=attr-defined
# (MicroPython has no typing module, and its gc has more attributes than CPython's.)

import gc
import sys

gc.threshold(8192)  # as in firmware/main.py

from firmware import app  # noqa: E402  # after the line above
from firmware.boards import flash_image, virtual  # noqa: E402
from firmware.link import secure  # noqa: E402

COLLECT_MS = 250
TELL_MS = 2000
LONGEST_MS = 200  # the last place also counts longer intervals
DOINGS = ("TLS", "flash", "gc")

# Indexed like DOINGS. Bytes, because two threads without a common lock use them.
under_way = bytearray(len(DOINGS))  # on the main thread, now
since = bytearray(len(DOINGS))  # since the control loop's last step


def say(words):
    """Print in one write: otherwise the lines of two threads would mix."""
    sys.stdout.write(" ".join(words) + "\n")


def note(owner, name, place):
    """Make a method of the main thread record that it is running."""
    method = getattr(owner, name)

    def noting(*arguments):
        under_way[place] = since[place] = 1
        try:
            return method(*arguments)
        finally:
            under_way[place] = 0

    setattr(owner, name, noting)


class WatchedBoard(virtual.VirtualBoard):
    """A board that records the control loop's intervals and what the firmware does."""

    def __init__(self, clock, idle):
        super().__init__(clock, idle)
        self.apart = [0] * (LONGEST_MS + 1)
        self._step_ms = clock.now_ms()
        self._closed = False

    def write(self, outputs):
        now_ms = self._clock.now_ms()
        self.apart[min(LONGEST_MS, now_ms - self._step_ms)] += 1
        self._step_ms = now_ms
        super().write(outputs)
        if self._closed and not outputs.contactor:
            uplink = unit.link
            command = uplink.modem._command.split("=")[0].rstrip("?")
            doings = [DOINGS[place] for place in range(len(DOINGS)) if since[place]]
            say(["opened"] + doings + [command or "watching," + uplink.state])
        self._closed = outputs.contactor
        since[:] = under_way


class Pause:
    """What is done in the pauses of the main thread, besides the rest."""

    def __init__(self, board, clock):
        self._board, self._clock = board, clock
        self._collected_ms = self._told_ms = 0

    def poll(self):
        now_ms = self._clock.now_ms()
        if now_ms - self._collected_ms >= COLLECT_MS:
            self._collected_ms = now_ms
            self.collect()
        if now_ms - self._told_ms >= TELL_MS:
            self._told_ms = now_ms
            say(["steps"] + [f"{apart}:{count}" for apart, count in enumerate(self._board.apart) if count])

    def collect(self):
        gc.collect()


note(secure.SecureStream, "connect", DOINGS.index("TLS"))
note(flash_image.FlashImage, "writeblocks", DOINGS.index("flash"))
note(Pause, "collect", DOINGS.index("gc"))
unit = app.Unit(WatchedBoard)
unit.pauses += (Pause(unit._board, unit._clock).poll,)
unit.talk()
