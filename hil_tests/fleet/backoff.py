"""How long a unit waits before it connects: the firmware's law, told again, since a simulated unit shares no code with it.

tests/hil_tests/fleet/test_backoff.py compares the two.
"""

from random import Random

FIRST_MS, LAST_MS = 1000, 15_000  # full jitter (firmware/link/backoff.py)
REFUSED_LAST_MS = 720_000  # after a broker has said no
MAX_DOUBLINGS = 10


def wait_s(failures: int, refused: bool, dice: Random) -> float:
    """After so many failures in a row, the last of them a refusal or not."""
    last_ms = REFUSED_LAST_MS if refused else LAST_MS
    return dice.randint(0, min(last_ms, FIRST_MS << min(failures, MAX_DOUBLINGS))) / 1000
