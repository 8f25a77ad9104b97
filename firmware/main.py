"""What a board runs: `import firmware.main`. It does not return."""

import gc

# A collection for every so many bytes: what lasts then lies close together, and leaves room in large pieces. Each costs a
# millisecond or two of the 40 that the control loop has; a heap that is used up to its end before it is collected is in
# pieces of 500 bytes after an hour of faults (measured).
gc.threshold(8192)

from firmware.app import run  # noqa: E402  (the line above must come first)
from firmware.boards.chosen import Board  # noqa: E402

run(Board)
