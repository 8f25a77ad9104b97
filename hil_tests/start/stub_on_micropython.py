"""Run on MicroPython with `FOLDER SABOTAGE CAUSE [CHIP]`: a whole unit on a board of stubs.

SABOTAGE is a part that is made to fail. FOLDER is its flash, with its RTC's memory beside it in FOLDER.rtc; CHIP is the
file of its flash chip. CAUSE is the reset's. A car that wants to charge is plugged in from the start; the modem never
answers. Standard input is typed on the console. The program prints `charged MS LED` when the contactor closes, then
answers each line of the console and ends.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="attr-defined,no-any-return"
# (MicroPython has no typing module.)

import gc
import sys
import time

gc.threshold(8192)  # as in firmware/main.py

from firmware.boards.board import Board  # noqa: E402  # after the line above
from firmware.boards.flash_image import FlashImage  # noqa: E402
from firmware.charging.io import X1, F  # noqa: E402

GIVE_UP_MS = 6000
COMMANDS_MS = 300  # after the charge began
folder = sys.argv[1]
typed = sys.stdin.read().encode()


class Sabotage(Exception):
    """Raised by a part that was made to fail."""


def sabotaged(*_):
    raise Sabotage(sys.argv[2])


def exit_now(code):
    """Exit the process. sys.exit would end only one of the two threads."""
    import ffi  # type: ignore[import-not-found]  # only MicroPython has it

    ffi.open(None).func("v", "_exit", "i")(code)


class ModemPort:
    def __init__(self, idle):
        self._idle = idle

    def set_baud(self, baud):
        pass

    def read(self):
        return b""

    def write(self, data):
        pass

    def wait(self, timeout_ms):
        until = time.ticks_add(time.ticks_ms(), timeout_ms)
        while time.ticks_diff(until, time.ticks_ms()) > 0:
            time.sleep_ms(10)
            self._idle()
        return False


class ConsolePort:
    def __init__(self, board):
        self._board = board
        self._left = typed

    def read(self):
        board = self._board
        if board.charged_ms is None or board.clock.now_ms() - board.charged_ms < COMMANDS_MS:
            return b""
        line, _, self._left = self._left.partition(b"\n")
        if not line:
            print("modules", *sorted(sys.modules))
            exit_now(0)
        return line + b"\n"

    def write(self, data):
        print("console", data.decode().strip())


class ModemPower:
    def supply(self, on):
        pass

    def key(self, pressed):
        pass


class StubBoard(Board):
    """A board whose contactor, pilot and residual current sensor obey, as in tests/firmware/charging/wired.py."""

    flash = folder
    reset_cause = sys.argv[3]

    def __init__(self, clock, idle):
        self.clock = clock
        self.charged_ms = None
        self.modem_port = ModemPort(idle)
        self.modem_power = ModemPower()
        self.console_port = ConsolePort(self)
        self._outputs = None
        if sys.argv[4:]:
            self.flash = "/flash"
            self._chip = FlashImage(sys.argv[4])
            self.formatted = self._chip.mount(self.flash)
        self.feeds = 0

    def read(self, inputs):
        inputs.rail_mv, inputs.supply_mv, inputs.temperature_c, inputs.meter_wh = 5000, 230000, 25, 0
        duty = self._outputs.pilot_duty_u16 if self._outputs else F
        inputs.pilot_high_mv = -12000 if duty == F else 6000
        inputs.pilot_low_mv = 6000 if duty == X1 else -12000
        inputs.contactor_closed = bool(self._outputs and self._outputs.contactor)
        inputs.rcd_ac_trip = bool(self._outputs and self._outputs.rcd_test)

    def write(self, outputs):
        self._outputs = outputs
        if outputs.contactor and self.charged_ms is None:
            self.charged_ms = self.clock.now_ms()
            print("charged", self.charged_ms, *outputs.led)
        if self.clock.now_ms() > GIVE_UP_MS:
            print("never charged, led", *outputs.led)
            exit_now(1)

    def latched(self):
        try:
            with open(folder + ".rtc") as file:
                return tuple(file.read().split())
        except OSError:
            return None

    def feed(self):
        self.feeds += 1

    def reset(self):
        print("reset")
        exit_now(3)

    def give_up(self):
        print("given up")
        exit_now(1)


def sabotage(name):
    if name == "tls":
        sys.modules["tls"] = object()  # type: ignore[assignment]  # it has no attribute of the module
    elif name.rpartition(".")[2][:1].isupper():
        module, _, made = name.rpartition(".")
        imported = __import__(module, None, None, (made,))
        getattr(imported, made).__init__ = sabotaged


def start(make_board):
    sabotage(sys.argv[2])
    from firmware.app import run  # import after the sabotage

    run(make_board)


if __name__ == "__main__":
    start(StubBoard)
