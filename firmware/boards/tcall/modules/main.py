"""MicroPython runs this after _boot.py. There is no way to its prompt: a start that fails is tried again."""

import sys
import time

import machine

RETRY_MS = 2000  # a loop of failed starts stays readable on the console

try:
    import firmware.main  # noqa: F401  # runs for ever
except Exception as error:
    sys.print_exception(error)
time.sleep_ms(RETRY_MS)
machine.reset()
