"""How often somebody may guess. Pure: the clock is handed in.

Wrong guesses are counted under several keys at once (the name at this address, the address, the name), each with its
own allowance, which comes back a little at a time. So one guesser is stopped early, a whole address later, and a name
that is guessed at from everywhere last: nobody can keep somebody else out with a handful of wrong passwords.
"""

from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock

from cloud_bridge.client_address import network_of

WINDOW_MS = 15 * 60 * 1000  # in which an allowance used up comes back whole
MAX_KEYS = 10_000  # the oldest are forgotten


class Attempts:
    """Wrong guesses so far, in memory: a restart forgives. Thread-safe."""

    def __init__(self) -> None:
        self._used: OrderedDict[str, tuple[float, int]] = OrderedDict()  # key -> how many, as of when
        self._lock = Lock()

    def wait_ms(self, limits: Iterable[tuple[str, int]], now_ms: int) -> int:
        """How long until the next guess is heard; 0 when now. `limits` are keys with their allowance."""
        with self._lock:
            return max(self._wait_ms(key, allowed, now_ms) for key, allowed in limits)

    def failed(self, limits: Iterable[tuple[str, int]], now_ms: int) -> None:
        """A wrong guess."""
        with self._lock:
            for key, allowed in limits:
                self._used[key] = (self._left(key, allowed, now_ms) + 1, now_ms)
                self._used.move_to_end(key)
            while len(self._used) > MAX_KEYS:
                self._used.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Whoever guessed under this key knows it after all."""
        with self._lock:
            self._used.pop(key, None)

    def _left(self, key: str, allowed: int, now_ms: int) -> float:
        """How many of the wrong guesses still count."""
        used, then_ms = self._used.get(key, (0.0, now_ms))
        return max(0.0, used - max(0, now_ms - then_ms) * allowed / WINDOW_MS)

    def _wait_ms(self, key: str, allowed: int, now_ms: int) -> int:
        over = self._left(key, allowed, now_ms) - (allowed - 1)
        return max(0, int(over * WINDOW_MS / allowed))


def login_limits(name: str, address: str) -> list[tuple[str, int]]:
    """The keys of a login and how many wrong passwords each may have in 15 minutes."""
    address = network_of(address)
    return [(f"{name}@{address}", 8), (f"@{address}", 40), (name, 200)]


def token_limits(address: str) -> list[tuple[str, int]]:
    """The keys of an API token, as in `login_limits`."""
    return [(f"token@{network_of(address)}", 40)]
