"""A wall clock that shows a given time at the process's start and runs from there. The monotonic clocks are unchanged.

Put this folder on PYTHONPATH: Python imports a module of this name at its start.
"""

import os
import time

_start_ns = int(os.environ["SHOWN_TIME_S"]) * 1_000_000_000
_began_ns = time.monotonic_ns()
time.time_ns = lambda: _start_ns + time.monotonic_ns() - _began_ns
