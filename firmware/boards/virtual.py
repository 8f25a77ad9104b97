"""A board that exists only in software: its wires, modem line and console are serial lines of a rig (hil_tests/rig).

Run it by `micropython -m firmware.main FOLDER RESET_CAUSE`. FOLDER has the lines `wires`, `modem` and `console`; `flash.bin`,
the image of the flash; and `rtc`, memory that the rig clears after a loss of the supply. Each line on the wires is one JSON
object, in both directions, with the names of charging/io.py. An invalid line is counted, and the last good reading stays
valid. An edge on the live line is the line `live`. If the rig sends nothing for a while, because the computer is busy, the
board waits for it instead of treating an old reading as new: a real converter always answers.
"""

import json
import sys

import ffi

from firmware.boards import latched_mark
from firmware.boards.board import Board
from firmware.boards.flash_image import FlashImage
from firmware.charging.io import SAFE, Inputs
from modem.ports.unix_tty import Port

if False:  # for mypy alone
    from collections.abc import Callable

    from firmware.charging.io import Outputs
    from firmware.clock import Clock

LINE_MAX = 512  # bytes; the rig's lines are shorter
TELL_MS = 1000  # interval at which unchanged outputs are sent again
RTC_BYTES = 80  # enough for the names of all latched faults
SILENT_MS = 110  # the rig sends its readings every 50 ms
STANDS_STILL_MS = 3000  # the longest wait for the rig; afterwards the last reading is used
INPUTS, OUTPUTS = tuple(Inputs().__dict__), tuple(SAFE.__dict__)  # names of the signals on the wires
EXIT_RESET = 3  # exit code that requests a reset from the rig
EXIT_CRASH = 1  # the rig treats any other exit code as a reset by the watchdog, without waiting for its timeout
_exit = ffi.open(None).func("v", "_exit", "i")


class VirtualBoard(Board):
    has_guard = True  # the rig implements it, and keeps running while this process is stopped

    def __init__(self, clock: "Clock", idle: "Callable[[], None]") -> None:
        folder, self.reset_cause = sys.argv[1], sys.argv[2]
        self._clock = clock
        self._wires = Port(folder + "/wires")
        self._unread = b""
        self._heard_ms = clock.now_ms()
        self._told: dict[str, object] = {}
        self._told_ms = 0
        self._outputs = dict(SAFE.__dict__)
        self._outputs.update({"modem_power": False, "modem_pwrkey": False, "watchdog": 0})
        self._feeds = 0
        self.calibrate(1000, 0)
        self.bad_lines = 0
        self._tell()
        self._rtc = open(folder + "/rtc", "r+b")
        if self.reset_cause == "power_on":
            self.keep_latched(())
        self.modem_port = Port(folder + "/modem", idle)
        self.console_port = Port(folder + "/console")
        self.modem_power = ModemPower(self._outputs)
        self._flash_image = FlashImage(folder + "/flash.bin")
        self.formatted = self._mount()

    def _mount(self) -> bool:
        return self._flash_image.mount(self.flash)

    def calibrate(self, pilot_gain_permille: int, pilot_zero_mv: int) -> None:
        self._pilot_scale = pilot_gain_permille, pilot_zero_mv

    def read(self, inputs: Inputs) -> None:
        if not 0 <= self._clock.now_ms() - self._heard_ms <= SILENT_MS:  # the clock may have been set back
            self._wires.wait(STANDS_STILL_MS)
        heard = self._wires.read()
        if heard:
            self._heard_ms = self._clock.now_ms()
        self._unread += heard
        lines = self._unread.split(b"\n")
        self._unread = lines[-1][-LINE_MAX:]
        for line in lines[-2:-1]:  # the latest complete reading
            self._take(line, inputs)

    def _take(self, line: bytes, inputs: Inputs) -> None:
        try:
            reading = json.loads(line)
            values = [reading[name] for name in INPUTS]
        except (ValueError, KeyError, TypeError):
            self.bad_lines += 1
            return
        for name, value in zip(INPUTS, values):
            setattr(inputs, name, value)
        gain_permille, zero_mv = self._pilot_scale
        inputs.pilot_high_mv = inputs.pilot_high_mv * gain_permille // 1000 + zero_mv
        inputs.pilot_low_mv = inputs.pilot_low_mv * gain_permille // 1000 + zero_mv

    def write(self, outputs: "Outputs") -> None:
        for name in OUTPUTS:
            self._outputs[name] = getattr(outputs, name)
        now_ms = self._clock.now_ms()
        if self._outputs != self._told or not 0 <= now_ms - self._told_ms < TELL_MS:
            self._told_ms = now_ms
            self._tell()

    def _tell(self) -> None:
        self._told = dict(self._outputs)
        self._wires.write(json.dumps(self._told).encode() + b"\n")

    def move_live_line(self) -> None:
        self._wires.write(b"live\n")

    def latched(self) -> "tuple[str, ...] | None":
        self._rtc.seek(0)
        return latched_mark.decode(self._rtc.read().strip())

    def keep_latched(self, faults: "tuple[str, ...]") -> None:
        self._rtc.seek(0)
        mark = latched_mark.encode(faults)
        self._rtc.write(mark + b" " * (RTC_BYTES - len(mark)))

    def flash_writes(self) -> int:
        return self._flash_image.writes

    def feed(self) -> None:
        self._feeds += 1
        self._outputs["watchdog"] = self._feeds

    def reset(self) -> None:
        _exit(EXIT_RESET)  # sys.exit would end only one of the threads

    def give_up(self) -> None:
        _exit(EXIT_CRASH)


class ModemPower:
    """The modem's supply and its PWRKEY, which are sent over the wires with the next step of the control loop."""

    def __init__(self, outputs: "dict[str, object]") -> None:
        self._outputs = outputs

    def supply(self, on: bool) -> None:
        self._outputs["modem_power"] = on

    def key(self, pressed: bool) -> None:
        self._outputs["modem_pwrkey"] = pressed
