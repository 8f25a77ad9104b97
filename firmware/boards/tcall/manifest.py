"""The modules that are frozen into the production image: the product for BOARD=tcall, the starter of slots, and one driver of
MicroPython. First generate the product's sources: `BOARD=tcall python -m hil_tests.rig.image`.

`esp32=False` omits the modules that need an ESP32, to build the image for the 32-bit machine of hil_tests/cortex_m.
"""

options.defaults(esp32=True)  # type: ignore[name-defined]  # noqa: F821  (MicroPython's manifestfile.py defines these names)

SOURCES = "../../../build/image/tcall-sources"  # hil_tests/rig/image.py: with chosen.py and the day of the build

for room in ("firmware", "modem", "umqtt"):
    package(room, base_path=SOURCES)  # type: ignore[name-defined]  # noqa: F821
freeze("modules")  # type: ignore[name-defined]  # noqa: F821
module("starter.py", base_path="../stock")  # type: ignore[name-defined]  # noqa: F821
package("stock", files=("main.py",), base_path="..")  # type: ignore[name-defined]  # noqa: F821
if options.esp32:  # type: ignore[name-defined]  # noqa: F821
    require("neopixel")  # type: ignore[name-defined]  # noqa: F821
    module("wires_tcall.py", base_path="../stock")  # type: ignore[name-defined]  # noqa: F821
