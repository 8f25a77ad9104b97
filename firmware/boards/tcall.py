"""LilyGO T-Call SIM800L (V1.3, V1.4 with IP5306) on a carrier that makes it a charge point. See tcall.md.

Nobody has run this on hardware yet: it is checked against MicroPython's type stubs, and it compiles. tcall.md has the
carrier's wiring, and what to measure first.
"""

import os
import select
import sys
import time
from _thread import stack_size

import machine
import micropython
import neopixel
import vfs
from esp32 import Partition
from machine import ADC, I2C, PWM, UART, WDT, Pin

from firmware.boards import latched_mark, littlefs
from firmware.boards.board import Board
from firmware.boards.esp32_reset import ASKED, RESET_STATE, cause
from firmware.boards.i2c_parts import Parts
from firmware.boards.plateaus import burst_samples, plateau, resistance_ohm
from firmware.charging.io import F
from firmware.clock import epoch_s
from firmware.metering.sdm import SdmMeter
from modem.ports.machine_uart import Port

if False:  # for mypy alone
    from collections.abc import Callable

    from firmware.charging.io import Inputs, Outputs
    from firmware.clock import Clock
    from firmware.metering.meter import Meter

# The module's own pins (Xinyuan-LilyGO/LilyGo-T-Call-SIM800, utilities.h).
MODEM_PWRKEY, MODEM_RESET, MODEM_POWER, MODEM_TX, MODEM_RX, SDA, SCL = 4, 5, 23, 27, 26, 21, 22
# The carrier's pins. None of the outputs is a strapping pin, so none changes during a reset (ESP32 data sheet, 2.4).
PILOT_PWM, CONTACTOR, RCD_TEST, LIGHT, LIVE_LINE = 25, 18, 19, 13, 33
PILOT_ADC, PROXIMITY_ADC, RAIL_ADC = 36, 39, 34  # ADC1: ADC2 does not work beside Wi-Fi
METER_TX, METER_RX = 14, 15
# Bits of the expander's port A. Each input is active low.
MIRROR, RCD_AC, RCD_DC, ENCLOSURE, BUTTON, GUARD_OPEN = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20

PWM_HZ = 1000
PILOT_GAIN = 9  # the carrier maps -12..+12 V to 0.32..2.98 V
PILOT_ZERO_UV = 1650000  # not part of a tuple assignment: see BANDS_V in charging/pilot.py
PULL_UP_OHM, PULL_UP_MV = 1000, 3300
OPEN_OHM = 10000
RAIL_DIVIDER = 2
METER_BAUD = 9600
WATCHDOG_MS = 8000
STACK_BYTES = 8192  # of the control thread, whose calls go six deep; default 5 kB, of which 4 are usable (not measured)
READ_BYTES = 512  # the most that is read from the console at a time: one command
TEMPERATURE_EVERY = 20  # steps between two readings: three readings within HOT_MS of charging/debounce.py


class TCallBoard(Board):
    modem_family = "sim800"
    has_guard = True  # on the carrier, see tcall.md

    def __init__(self, clock: "Clock", idle: "Callable[[], None]") -> None:
        self._contactor = Pin(CONTACTOR, Pin.OUT, value=0)
        self._pilot = Pin(PILOT_PWM, Pin.OUT, value=0)
        self._rcd_test = Pin(RCD_TEST, Pin.OUT, value=0)
        self._live_line = Pin(LIVE_LINE, Pin.OUT, value=0)
        self._light = neopixel.NeoPixel(Pin(LIGHT, Pin.OUT), 1)
        self._watchdog = WDT(timeout=WATCHDOG_MS)  # before anything that could hang
        rtc = machine.RTC()
        self.reset_cause = cause(machine, machine.mem32[RESET_STATE], rtc.memory())
        rtc.memory(latched_mark.encode(()) if self.reset_cause == "power_on" else rtc.memory().replace(ASKED, b""))
        self._pwm: PWM | None = None
        self._duty_u16 = F
        pilot_adc, self._proximity_adc, self._rail_adc = [
            ADC(Pin(pin), atten=ADC.ATTN_11DB) for pin in (PILOT_ADC, PROXIMITY_ADC, RAIL_ADC)
        ]
        self._read_pilot_uv = pilot_adc.read_uv  # a bound method is an object: created once, not in each period
        self._places = bytes(range(burst_samples(F)))
        self._samples = list(self._places)
        self.calibrate(1000, 0)
        self._parts = Parts(I2C(0, sda=Pin(SDA), scl=Pin(SCL), freq=400000))
        self.formatted = self._mount()
        self._steps = 0
        self._temperature_c: int | None = None
        self._meter: Meter = SdmMeter(UART(2, baudrate=METER_BAUD, tx=METER_TX, rx=METER_RX, timeout=0))
        self._read_ticks = time.ticks_ms()
        self._colour = (0, 0, 0)
        self.modem_power = ModemPower()
        self.modem_port = Port(1, MODEM_TX, MODEM_RX, idle=idle)
        self.console_port = StandardPort()
        stack_size(STACK_BYTES)

    def _mount(self) -> bool:
        """Mount the flash, unless the starter of a stock image (stock/main.py) has mounted it. Return whether it was
        formatted.

        Without a starter, MicroPython has mounted the littlefs at its root, with a program size that would store records in
        blocks of their own. In the production image (tcall/), nothing is mounted.
        """
        try:
            vfs.umount("/")
        except OSError:
            pass  # nothing was mounted there, or nothing readable
        if self.flash.strip("/") in os.listdir("/"):
            return False
        (partition,) = Partition.find(Partition.TYPE_DATA, label="vfs")
        return littlefs.mount(partition, self.flash)

    def calibrate(self, pilot_gain_permille: int, pilot_zero_mv: int) -> None:
        """Convert the calibration to numbers that need no further operations per reading: a zero in uV at the converter, and a
        divisor that replaces 1000.
        """
        self._pilot_zero_uv = PILOT_ZERO_UV - pilot_zero_mv * 1000000 // (PILOT_GAIN * pilot_gain_permille)
        self._pilot_divisor = 1000000 // pilot_gain_permille

    def read(self, inputs: "Inputs") -> None:
        self._sample_pilot()
        samples = self._samples
        inputs.pilot_high_mv = self._level_mv(plateau(samples[-1], samples[-2], samples[-3]))
        inputs.pilot_low_mv = self._level_mv(plateau(samples[0], samples[1], samples[2]))
        inputs.proximity_ohm = resistance_ohm(self._proximity_adc.read_uv() // 1000, PULL_UP_MV, PULL_UP_OHM, OPEN_OHM)
        inputs.rail_mv = self._rail_adc.read_uv() * RAIL_DIVIDER // 1000
        self._read_parts(inputs)
        ticks = time.ticks_ms()
        self._meter.poll(time.ticks_diff(ticks, self._read_ticks), inputs)
        self._read_ticks = ticks

    def _level_mv(self, level_uv: int) -> int:
        return (level_uv - self._pilot_zero_uv) * PILOT_GAIN // self._pilot_divisor

    def _sample_pilot(self) -> None:
        """Sample a burst and sort it. It takes a third of a period, so the loop is as short as possible."""
        samples, read_uv = self._samples, self._read_pilot_uv
        for place in self._places:
            samples[place] = read_uv()
        samples.sort()

    def _read_parts(self, inputs: "Inputs") -> None:
        pins = self._read_pins()
        inputs.contactor_closed, inputs.guard_open = not pins & MIRROR, not pins & GUARD_OPEN
        inputs.rcd_ac_trip, inputs.rcd_dc_trip = not pins & RCD_AC, not pins & RCD_DC
        inputs.tamper, inputs.button = pins & ENCLOSURE != 0, not pins & BUTTON  # its switch opens with the enclosure
        if not self._steps:
            self._read_temperature()
        self._steps -= 1
        inputs.temperature_c = self._temperature_c

    def _read_pins(self) -> int:
        """Return the expander's pins; if it does not answer, those of a residual current trip, which stops the charge."""
        try:
            return self._parts.inputs()
        except OSError:
            return ~(RCD_AC | RCD_DC)

    def _read_temperature(self) -> None:
        self._steps = TEMPERATURE_EVERY
        try:
            self._temperature_c = self._parts.temperature_c()
        except OSError:
            self._temperature_c = None

    def write(self, outputs: "Outputs") -> None:
        self._contactor.value(outputs.contactor)
        self._rcd_test.value(outputs.rcd_test)
        if outputs.pilot_duty_u16 != self._duty_u16:
            self._duty_u16 = outputs.pilot_duty_u16
            self._places = bytes(range(burst_samples(outputs.pilot_duty_u16)))
            self._samples = list(self._places)
            self._drive_pilot(outputs.pilot_duty_u16)
        if outputs.led != self._colour:
            self._colour = self._light[0] = outputs.led
            self._light.write()

    def move_live_line(self) -> None:
        self._live_line.value(not self._live_line.value())

    def _drive_pilot(self, duty_u16: int) -> None:
        """Drive the pilot. A steady level is a PWM of 0 or 100 % (65535). If the PWM were stopped instead, the pin would be
        low, which is state F, until it is driven again (ports/esp32/machine_pwm.c).
        """
        if self._pwm is None:
            self._pwm = PWM(self._pilot, freq=PWM_HZ, duty_u16=duty_u16)
        else:
            self._pwm.duty_u16(duty_u16)

    def latched(self) -> "tuple[str, ...] | None":
        return latched_mark.decode(machine.RTC().memory())

    def keep_latched(self, faults: "tuple[str, ...]") -> None:
        machine.RTC().memory(latched_mark.encode(faults))

    def set_time(self, time_s: int) -> None:
        year, month, day, hour, minute, second, weekday, _ = time.gmtime(time_s - epoch_s(time))
        machine.RTC().datetime((year, month, day, weekday, hour, minute, second, 0))

    def feed(self) -> None:
        self._watchdog.feed()

    def reset(self) -> None:
        rtc = machine.RTC()
        rtc.memory(ASKED + rtc.memory())
        machine.reset()


class ModemPower:
    """The modem's supply switch (POWER_ON) and its PWRKEY, which is active low."""

    def __init__(self) -> None:
        self._supply = Pin(MODEM_POWER, Pin.OUT, value=0)
        self._key = Pin(MODEM_PWRKEY, Pin.OUT, value=1)
        Pin(MODEM_RESET, Pin.OUT, value=1)

    def supply(self, on: bool) -> None:
        self._supply.value(on)

    def key(self, pressed: bool) -> None:
        self._key.value(not pressed)


class StandardPort:
    """The console on the module's USB serial port, which replaces MicroPython's prompt."""

    def __init__(self) -> None:
        micropython.kbd_intr(-1)  # Ctrl-C must not stop a charge point
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)

    def read(self) -> bytes:
        """Return the received bytes, b"" if none, without waiting. Limited to READ_BYTES, so that a flood cannot block it."""
        typed = b""
        while len(typed) < READ_BYTES and self._poll.poll(0):
            typed += sys.stdin.buffer.read(1)
        return typed

    def write(self, data: bytes) -> None:
        sys.stdout.buffer.write(data)
