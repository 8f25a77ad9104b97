"""MicroPython's old name of binascii, which umqtt.simple imports."""

from binascii import *  # noqa: F403
