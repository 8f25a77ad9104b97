"""`micropython damaged_run.py FOLDER`: the starter of a stock image, as it lies in FOLDER; print what it does."""

# mypy: allow-untyped-defs, allow-untyped-calls

import sys

folder = sys.argv[1]
sys.path[:] = [folder, ".frozen"]
import main  # noqa: E402  # the starter's

main.FLASH = folder


class Port:
    """Of a machine whose flash is a folder."""

    root = folder
    home = folder + "/chargekeeper"

    def cause(self):
        return "other"

    def mount(self):
        sys.path[:] = [self.home, ".frozen"]

    def watch(self):
        print("watchdog")

    def reset(self):
        print("reset")
        sys.exit()


main.start(Port(), main.module("wires"))
