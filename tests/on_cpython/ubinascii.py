"""umqtt.simple asks for MicroPython's old name of binascii; CPython has the new one."""

from binascii import *  # noqa: F403
