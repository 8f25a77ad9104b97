"""Manners: what MicroPython does on an ESP32 and not on this computer. A rig can ask for them on its units.

They are facts of the ESP32 port at 1.27, read in its source or measured. `rigs.toml` says which rig has which.
"""

from collections.abc import Collection
from pathlib import Path

from hil_tests.rig.processor import FIRMWARE, Program

MANNERS = {
    "stalls": "no line of Python runs for 30 to 330 ms in a TLS handshake, an erase of the flash, a long write to a UART",
    "console_ring": "the console's input is a ring of 260 bytes at 115,200 baud, and what does not fit is lost",
    "hidden_brown_out": "a brown-out is reported as power-on; FOLDER/reset_register has what the ESP32's own register would",
    "clock_2000": "the clock starts in 2000 at each power-on",
    "no_network_time": "the mobile network tells no time either: nothing of the port's, but what such a clock waits for",
    "tls_1_2": "the runtime has no TLS 1.3 and refuses the names of its ciphers",
}
OF_THE_PORT = ("stalls", "clock_2000", "tls_1_2", "hidden_brown_out")  # implemented by esp32_on_micropython.py
HEAP = "heapsize=136wK"  # larger: the unit compiles esp32_on_micropython.py and holds it in memory


def program(manners: Collection[str]) -> Program:
    """Return the program that a unit with these manners runs."""
    of_the_port = tuple(name for name in OF_THE_PORT if name in manners)
    if not of_the_port:
        return FIRMWARE
    return Program(str(Path(__file__).with_name("esp32_on_micropython")), HEAP, of_the_port)
