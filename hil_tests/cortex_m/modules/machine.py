"""The peripherals of an ESP32 as pins that lead nowhere. What is read often is read by C code, as on a board."""

import io
import sys

_path, sys.path = sys.path, []
from machine import *  # noqa: E402, F403  (the built-in one, which a module of its name may extend)

sys.path = _path
PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5
# What the T-Call's pins show with nothing plugged in: pilot at 12 V, no proximity resistor, the 5 V rail.
UV = {36: 1650000 + 12000 * 1000 // 9, 39: 3300000, 34: 2500000}


def reset_cause():
    return PWRON_RESET


def freq(hz=None):
    return 240000000


class Pin:
    IN, OUT = 1, 3

    def __init__(self, number, mode=IN, value=0):
        self.number = number

    def init(self, mode, value=0):
        pass

    def value(self, value=None):
        return 0


class ADC:
    ATTN_11DB = 3

    def __init__(self, pin, atten=0):
        voltage = io.BytesIO()
        voltage.seek(UV[pin.number])
        self.read_uv = voltage.tell


class PWM:
    def __init__(self, pin, freq, duty_u16):
        pass

    def duty_u16(self, duty_u16):
        pass

    def deinit(self):
        pass


class I2C:
    """All of an expander's inputs open but the enclosure's switch; 25 degrees."""

    def __init__(self, number, sda, scl, freq):
        pass

    def writeto_mem(self, address, register, data):
        pass

    def readfrom_mem_into(self, address, register, buffer):
        buffer[0] = 25 if address == 0x48 else 0xF7


class UART:
    """A line on which nothing comes."""

    def __init__(self, number, **options):
        self._line = io.BytesIO()

    def init(self, baudrate):
        pass

    def read(self):
        return None

    def any(self):
        return 0

    def write(self, data):
        return len(data)

    def deinit(self):
        pass


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
    """Of RTC_CNTL_RESET_STATE_REG alone, which says that the supply came (firmware/boards/esp32_reset.py)."""

    def __getitem__(self, address):
        return 1


mem32 = Memory()
