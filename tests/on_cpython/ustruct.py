"""MicroPython's old name of struct, which umqtt.simple imports."""

from struct import *  # noqa: F403
