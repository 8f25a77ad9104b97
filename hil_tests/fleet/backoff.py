"""The delay before a unit connects: the firmware's backoff, implemented again, because simulated units share no code with it.

tests/hil_tests/fleet/test_backoff.py compares the two.
"""

from random import Random

FIRST_MS, LAST_MS = 1000, 15_000  # full jitter (firmware/link/backoff.py)
REFUSED_LAST_MS = 720_000  # after a broker has refused the login
MAX_DOUBLINGS = 10


def wait_s(failures: int, refused: bool, dice: Random) -> float:
    """Return a random delay after this many failures in a row. `refused`: the last failure was a refused login."""
    last_ms = REFUSED_LAST_MS if refused else LAST_MS
    return dice.randint(0, min(last_ms, FIRST_MS << min(failures, MAX_DOUBLINGS))) / 1000
