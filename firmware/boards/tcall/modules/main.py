"""MicroPython runs this after _boot.py. There is no way to its prompt: a start that fails is tried again, and meanwhile the
outputs are safe and the light is red.
"""

import sys
import time

import machine

RETRY_MS = 2000  # a loop of failed starts stays readable on the console

try:
    import firmware.main  # noqa: F401  # runs for ever
except Exception as error:
    sys.print_exception(error)
    try:
        import wires_tcall  # of boards/stock, frozen too

        wires_tcall.make_safe()
        wires_tcall.show_red()
    except Exception as failure:
        sys.print_exception(failure)
print("chargekeeper: the start has failed, and is tried again; if it fails each time, write the image again")
time.sleep_ms(RETRY_MS)
machine.reset()
