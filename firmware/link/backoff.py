"""How long to wait before a connection is tried, so that units with one fate do not all come in one second. Pure, by lot.

`draw(lowest, highest)` is random.randint.
"""

if False:  # for mypy alone
    from collections.abc import Callable

MAINS_LOST = ("power_on", "brown_out")  # resets that a whole street may have had in the same second
FIRST_LAST_MS = 10000  # longer would keep a person waiting who has just switched the mains on
BACKOFF_FIRST_MS, BACKOFF_LAST_MS = 1000, 15000  # full jitter; back within 60 s of the network's return
REFUSED_BACKOFF_LAST_MS = 720000  # a network that refuses the data service is asked 10 times an hour (GSMA TS.34)
# A broker that takes us and acknowledges nothing (its database is away): each time costs a handshake of 6 kB. Back within 6
# minutes of its return.
UNHEARD_BACKOFF_FIRST_MS, UNHEARD_BACKOFF_LAST_MS = 10000, 300000


def first_ms(cause: str, is_new: bool, draw: "Callable[[int, int], int]") -> int:
    """Before the first connection after a reset of that `cause`; a new unit has nobody to be spread from."""
    return 0 if is_new or cause not in MAINS_LOST else draw(0, FIRST_LAST_MS)


def again_ms(failures: int, refused: bool, draw: "Callable[[int, int], int]") -> int:
    """After so many `failures` in a row, the last of them because somebody `refused` us, or not."""
    last_ms = REFUSED_BACKOFF_LAST_MS if refused else BACKOFF_LAST_MS
    return draw(0, min(last_ms, BACKOFF_FIRST_MS << min(failures, 10)))


def unheard_ms(connections: int, draw: "Callable[[int, int], int]") -> int:
    """After so many `connections` in a row (1 or more) that a broker took, and on which it acknowledged nothing."""
    last_ms = min(UNHEARD_BACKOFF_LAST_MS, UNHEARD_BACKOFF_FIRST_MS << min(connections - 1, 10))
    return draw(last_ms // 2, last_ms)
