"""A wall clock for a Python process that shows a given time at its start, and then runs. For PYTHONPATH, so it has the name
that Python imports at its start. The monotonic clocks stay the computer's, so nothing sees a step.
"""

import os
import time

_start_ns = int(os.environ["SHOWN_TIME_S"]) * 1_000_000_000
_began_ns = time.monotonic_ns()
time.time_ns = lambda: _start_ns + time.monotonic_ns() - _began_ns
