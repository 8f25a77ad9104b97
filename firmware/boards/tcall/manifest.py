"""What is frozen into the production image: the product for BOARD=tcall and the starter of slots, nothing of MicroPython's own
Python but a driver. Lay the product's sources first: `BOARD=tcall python -m hil_tests.rig.image`.

`esp32=False` leaves out what only the ESP32 has: so it is built into the 32-bit machine of hil_tests/cortex_m.
"""

options.defaults(esp32=True)  # type: ignore[name-defined]  # noqa: F821  (what MicroPython's manifestfile.py gives)

SOURCES = "../../../build/image/tcall-sources"  # hil_tests/rig/image.py: with chosen.py and the day of the build

for room in ("firmware", "modem", "umqtt"):
    package(room, base_path=SOURCES)  # type: ignore[name-defined]  # noqa: F821
freeze("modules")  # type: ignore[name-defined]  # noqa: F821
module("starter.py", base_path="../stock")  # type: ignore[name-defined]  # noqa: F821
package("stock", files=("main.py",), base_path="..")  # type: ignore[name-defined]  # noqa: F821
if options.esp32:  # type: ignore[name-defined]  # noqa: F821
    require("neopixel")  # type: ignore[name-defined]  # noqa: F821
    module("wires_tcall.py", base_path="../stock")  # type: ignore[name-defined]  # noqa: F821
