"""The entry point on a board: `import firmware.main` runs the unit and does not return."""

import gc

# Collect garbage after every 8 kB of allocations. Long-lived objects then lie close together, and the free memory stays in
# large blocks. Each collection takes 1 to 2 ms of the 40 ms that the control loop has. Without a threshold, the heap is used
# to its end before it is collected, and after an hour of faults consists of blocks of 500 bytes (measured).
gc.threshold(8192)

from firmware.app import run  # noqa: E402  (the line above must come first)
from firmware.boards.chosen import Board  # noqa: E402

run(Board)
