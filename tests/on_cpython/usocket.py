"""umqtt.simple asks for MicroPython's old name of socket; CPython has the new one."""

from socket import *  # noqa: F403
