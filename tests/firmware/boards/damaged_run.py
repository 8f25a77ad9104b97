"""`micropython damaged_run.py FOLDER`: run the starter of the stock image in FOLDER, and print what it does."""

# mypy: allow-untyped-defs, allow-untyped-calls

import sys

folder = sys.argv[1]
sys.path[:] = [folder, ".frozen"]
import main  # noqa: E402  # the starter's

main.FLASH = folder


class Port:
    """The starter's port on a machine whose flash is a folder."""

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
