"""MicroPython's old name of socket, which umqtt.simple imports."""

from socket import *  # noqa: F403
