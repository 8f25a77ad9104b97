"""The peripherals of an ESP32, as pins without anything connected. What the control loop calls is C code, as on a board."""

import sys

import stand_ins

_path, sys.path = sys.path, []
from machine import *  # noqa: E402, F403  (the built-in module, which a module of the same name may extend)

sys.path = _path
PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5
# The T-Call's analogue inputs in microvolts, by pin; each sample is the next in a list. With nothing plugged in: pilot
# at 12 V, no proximity resistor, the 5 V rail.
PILOT, PROXIMITY, RAIL = 36, 39, 34
UV = {PILOT: [1650000 + 12000 * 1000 // 9], PROXIMITY: [3300000], RAIL: [2500000]}
# Values of its chips, by address: an expander with all inputs open except the enclosure's switch; 25 degrees.
EXPANDER, THERMOMETER = 0x20, 0x48
CHIPS = {EXPANDER: 0xF7, THERMOMETER: 25}
RESPONSES = {}  # of the meter, by request


def reset_cause():
    return PWRON_RESET


def freq(hz=None):
    return 240000000


class Pin:
    IN, OUT = 1, 3

    def __new__(cls, number, mode=IN, value=0):
        return stand_ins.Pin(number)


class ADC:
    ATTN_11DB = 3

    def __new__(cls, pin, atten=0):
        return stand_ins.ADC(UV[pin.number()])


class PWM:
    def __init__(self, pin, freq, duty_u16):
        pass

    def duty_u16(self, duty_u16):
        pass

    def deinit(self):
        pass


class I2C:
    def __new__(cls, number, sda, scl, freq):
        return stand_ins.I2C(CHIPS)


class UART:
    def __new__(cls, number, **options):
        return stand_ins.UART(RESPONSES)


class WDT:
    def __init__(self, timeout):
        pass

    def feed(self):
        pass


class RTC:
    def datetime(self, when):
        pass

    def memory(self, data=b""):
        return b""


class Memory:
    """The register RTC_CNTL_RESET_STATE_REG, which reports a power-on (firmware/boards/esp32_reset.py)."""

    def __getitem__(self, address):
        return 1


mem32 = Memory()
