"""The wires of the T-Call's carrier that the starter needs (firmware/boards/tcall.py has all of them). On the board it is
wires.py.

Another board has its own file, wires_BOARD.py, with the same two functions, which may raise.
"""

from machine import Pin
from neopixel import NeoPixel

PILOT_PWM, CONTACTOR, RCD_TEST, LIGHT = 25, 18, 19, 13
RED = (64, 0, 0)  # steady: a fault that needs a person (firmware/charging/README.md, the light)


def make_safe():
    """Open the contactor, switch off the test current, and set the pilot to state F."""
    for pin in (CONTACTOR, RCD_TEST, PILOT_PWM):
        Pin(pin, Pin.OUT, value=0)


def show_red():
    light = NeoPixel(Pin(LIGHT, Pin.OUT), 1)
    light[0] = RED
    light.write()
