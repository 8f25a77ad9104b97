import gc
import sys

gc.threshold(4096)  # while all of it is made: what lasts then lies close together, and leaves room in one piece

from firmware.app import run  # noqa: E402  (the line above must come first)

if sys.platform == "esp32":
    from firmware.boards.tcall import TCallBoard as Board
else:
    from firmware.boards.virtual import VirtualBoard as Board

run(Board)
