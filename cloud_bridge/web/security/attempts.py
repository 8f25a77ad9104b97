"""How often somebody may guess. Pure: the clock is handed in.

Wrong guesses are counted under several keys at once (the name at this address, the address, the name), each with its
own allowance, which comes back a little at a time. So one guesser is stopped early, a whole address later, and a name
that is guessed at from everywhere last: nobody can keep somebody else out with a handful of wrong passwords.
"""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

from cloud_bridge.client_address import network_of

WINDOW_MS = 15 * 60 * 1000  # in which an allowance used up comes back whole
Limit = tuple[str, int]  # key, and how many wrong guesses it may have in the window
MAX_KEYS = 10_000  # the oldest are forgotten


class Attempts:
    """Wrong guesses so far, in memory: a restart forgives. Thread-safe."""

    def __init__(self) -> None:
        self._used: OrderedDict[str, tuple[float, int]] = OrderedDict()  # key -> how many, as of when
        self._lock = Lock()

    def reserve(self, limits: Sequence[Limit], now_ms: int) -> int:
        """Count a guess as wrong before it is looked at, so that many at once are no more than one after the other; then 0.
        Otherwise how long until the next guess is taken, and nothing is counted. `limits` are keys with their allowance.
        """
        with self._lock:
            wait_ms = max(self._wait_ms(key, allowed, now_ms) for key, allowed in limits)
            if wait_ms == 0:
                self._count(limits, now_ms)
            return wait_ms

    def wait_ms(self, limits: Sequence[Limit], now_ms: int) -> int:
        """How long until the next guess is taken; 0 when now. For guesses that cost next to nothing to look at."""
        with self._lock:
            return max(self._wait_ms(key, allowed, now_ms) for key, allowed in limits)

    def failed(self, limits: Sequence[Limit], now_ms: int) -> None:
        """A wrong guess that was not reserved."""
        with self._lock:
            self._count(limits, now_ms)

    def succeeded(self, limits: Sequence[Limit]) -> None:
        """The guess that was reserved was right: it counts nowhere, and under the first key those before it do not either."""
        with self._lock:
            (own, _), *others = limits
            self._used.pop(own, None)
            for key, _ in others:
                if key in self._used:
                    used, then_ms = self._used[key]
                    self._used[key] = (max(0.0, used - 1), then_ms)

    def _count(self, limits: Sequence[Limit], now_ms: int) -> None:
        for key, allowed in limits:
            self._used[key] = (self._left(key, allowed, now_ms) + 1, now_ms)
            self._used.move_to_end(key)
        while len(self._used) > MAX_KEYS:
            self._used.popitem(last=False)

    def _left(self, key: str, allowed: int, now_ms: int) -> float:
        """How many of the wrong guesses still count."""
        used, then_ms = self._used.get(key, (0.0, now_ms))
        return max(0.0, used - max(0, now_ms - then_ms) * allowed / WINDOW_MS)

    def _wait_ms(self, key: str, allowed: int, now_ms: int) -> int:
        over = self._left(key, allowed, now_ms) - (allowed - 1)
        return max(0, int(over * WINDOW_MS / allowed))


def login_limits(name: str, address: str) -> list[Limit]:
    """The keys of a login and how many wrong passwords each may have in 15 minutes."""
    address = network_of(address)
    return [(f"{name}@{address}", 8), (f"@{address}", 40), (name, 200)]


def own_password_limits(person_id: int) -> list[Limit]:
    """As in `login_limits`, for somebody who is logged in and is asked for their password again: whoever finds an open browser
    may not guess it there."""
    return [(f"own password {person_id}", 8)]


def token_limits(address: str) -> list[Limit]:
    """The keys of an API token, as in `login_limits`."""
    return [(f"token@{network_of(address)}", 40)]
