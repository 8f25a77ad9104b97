"""Random waits before a connection attempt, so that units that lost it together do not reconnect in the same second. Pure.

`draw(lowest, highest)` is random.randint.
"""

if False:  # for mypy alone
    from collections.abc import Callable

MAINS_LOST = ("power_on", "brown_out")  # causes of resets that many units may have in the same second
FIRST_LAST_MS = 10000  # a longer wait would annoy a person who has just switched the mains on
BACKOFF_FIRST_MS, BACKOFF_LAST_MS = 1000, 15000  # full jitter; reconnects within 60 s of the network's return
REFUSED_BACKOFF_LAST_MS = 720000  # 10 attempts an hour with a network that refuses the data service (GSMA TS.34)
# For a broker that accepts connections and acknowledges nothing, because its database is unavailable: each attempt costs a
# handshake of 6 kB. Reconnects within 6 minutes of its return.
UNHEARD_BACKOFF_FIRST_MS, UNHEARD_BACKOFF_LAST_MS = 10000, 300000


def first_ms(cause: str, is_new: bool, draw: "Callable[[int, int], int]") -> int:
    """Return the wait before the first connection after a reset by `cause`. A new unit need not wait."""
    return 0 if is_new or cause not in MAINS_LOST else draw(0, FIRST_LAST_MS)


def again_ms(failures: int, refused: bool, draw: "Callable[[int, int], int]") -> int:
    """Return the wait after `failures` in succession. `refused`: the last one was a refusal by the network or the broker."""
    last_ms = REFUSED_BACKOFF_LAST_MS if refused else BACKOFF_LAST_MS
    return draw(0, min(last_ms, BACKOFF_FIRST_MS << min(failures, 10)))


def unheard_ms(connections: int, draw: "Callable[[int, int], int]") -> int:
    """Return the wait after 1 or more `connections` in succession that the broker accepted without acknowledging a message."""
    last_ms = min(UNHEARD_BACKOFF_LAST_MS, UNHEARD_BACKOFF_FIRST_MS << min(connections - 1, 10))
    return draw(last_ms // 2, last_ms)
