"""umqtt.simple asks for MicroPython's old name of struct; CPython has the new one."""

from struct import *  # noqa: F403
