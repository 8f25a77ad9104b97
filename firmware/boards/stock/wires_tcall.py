"""The wires of the T-Call's carrier that the starter needs (firmware/boards/tcall.py has them all). On the board: wires.py.

Another board has a file of its own, wires_BOARD.py, with the same two functions. Either may raise.
"""

from machine import Pin
from neopixel import NeoPixel

PILOT_PWM, CONTACTOR, RCD_TEST, LIGHT = 25, 18, 19, 13
RED = (64, 0, 0)  # steady: a fault that needs a person (firmware/charging/README.md, the light)


def make_safe():
    """Contactor open, no test current, pilot in state F."""
    for pin in (CONTACTOR, RCD_TEST, PILOT_PWM):
        Pin(pin, Pin.OUT, value=0)


def show_red():
    light = NeoPixel(Pin(LIGHT, Pin.OUT), 1)
    light[0] = RED
    light.write()
