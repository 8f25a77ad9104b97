"""How often somebody may guess. Pure: the clock is handed in.

Wrong guesses are counted under several keys at once (the name at this address, the address, the name), each with its
own allowance, which comes back a little at a time. So one guesser is stopped early, a whole address later, and a name
that is guessed at from everywhere last: nobody can keep somebody else out with a handful of wrong passwords. A browser
in which a person has logged in before has an allowance of its own, and those of everybody else do not count there.
"""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import NamedTuple

from cloud_bridge.client_address import network_of
from cloud_bridge.durations import DAY_MS

WINDOW_MS = 15 * 60 * 1000  # in which an allowance used up comes back whole
CODES_OF_A_DAY = 30  # of a million, three of which are right at a time: a chance of 1 in 11,000 a day
CLAIM_GUESSES = 10  # of the code on a label, which has 58 bits
MAX_KEYS = 10_000  # the oldest are forgotten


class Limit(NamedTuple):
    """`key` may have so many wrong guesses at once, and as many again within the window."""

    key: str
    allowed: int
    window_ms: int = WINDOW_MS


class Attempts:
    """Wrong guesses so far, in memory: a restart forgives, and other processes count for themselves. Thread-safe."""

    def __init__(self) -> None:
        self._used: OrderedDict[str, tuple[float, int]] = OrderedDict()  # key -> how many, as of when
        self._lock = Lock()

    def reserve(self, limits: Sequence[Limit], now_ms: int) -> int:
        """Count a guess as wrong before it is looked at, so that many at once are no more than one after the other; then 0.
        Otherwise how long until the next guess is taken, and nothing is counted.
        """
        with self._lock:
            wait_ms = max(self._wait_ms(limit, now_ms) for limit in limits)
            if wait_ms == 0:
                self._count(limits, now_ms)
            return wait_ms

    def wait_ms(self, limits: Sequence[Limit], now_ms: int) -> int:
        """How long until the next guess is taken; 0 when now. For guesses that cost next to nothing to look at."""
        with self._lock:
            return max(self._wait_ms(limit, now_ms) for limit in limits)

    def failed(self, limits: Sequence[Limit], now_ms: int) -> None:
        """A wrong guess that was not reserved."""
        with self._lock:
            self._count(limits, now_ms)

    def succeeded(self, limits: Sequence[Limit]) -> None:
        """The guess that was reserved was right: it counts nowhere, and under the first key those before it do not either."""
        with self._lock:
            self._used.pop(limits[0].key, None)
            self._give_back(limits[1:])

    def returned(self, limits: Sequence[Limit]) -> None:
        """The guess that was reserved was never looked at."""
        with self._lock:
            self._give_back(limits)

    def _give_back(self, limits: Sequence[Limit]) -> None:
        for key, _, _ in limits:
            if key in self._used:
                used, then_ms = self._used[key]
                self._used[key] = (max(0.0, used - 1), then_ms)

    def _count(self, limits: Sequence[Limit], now_ms: int) -> None:
        for limit in limits:
            self._used[limit.key] = (self._left(limit, now_ms) + 1, now_ms)
            self._used.move_to_end(limit.key)
        while len(self._used) > MAX_KEYS:
            self._used.popitem(last=False)

    def _left(self, limit: Limit, now_ms: int) -> float:
        """How many of the wrong guesses still count."""
        used, then_ms = self._used.get(limit.key, (0.0, now_ms))
        return max(0.0, used - max(0, now_ms - then_ms) * limit.allowed / limit.window_ms)

    def _wait_ms(self, limit: Limit, now_ms: int) -> int:
        over = self._left(limit, now_ms) - (limit.allowed - 1)
        return max(0, int(over * limit.window_ms / limit.allowed))


def login_limits(name: str, address: str) -> list[Limit]:
    """The keys of a login and how many wrong passwords each may have in 15 minutes."""
    address = network_of(address)
    return [Limit(f"{name}@{address}", 8), Limit(f"@{address}", 40), Limit(name, 200)]


def device_limits(device: str) -> list[Limit]:
    """As in `login_limits`, for a browser in which the person has logged in before (store/known_devices.py)."""
    return [Limit(f"device {device}", 8)]


def code_limits(person_id: int, device: str | None) -> list[Limit]:
    """Of a second factor, when the password was right. A known device has an allowance of its own here too."""
    key = f"code {person_id}" if device is None else f"code {person_id} device {device}"
    return [Limit(key, 8), Limit(f"{key} of a day", CODES_OF_A_DAY, DAY_MS)]


def own_password_limits(person_id: int) -> list[Limit]:
    """As in `login_limits`, for somebody who is logged in and is asked for their password again: whoever finds an open browser
    may not guess it there."""
    return [Limit(f"own password {person_id}", 8)]


def passkey_limits(address: str) -> list[Limit]:
    """The keys of a login by passkey, as in `login_limits`. Nobody guesses one: this bounds how much there is to check."""
    return [Limit(f"passkey@{network_of(address)}", 40)]


def claim_limits(person_id: int | None, address: str) -> list[Limit]:
    """Of the code on a label; `person_id` is None for a stranger. The network counts too: a guesser may have many accounts."""
    address = network_of(address)
    if person_id is None:
        return [Limit(f"label@{address}", CLAIM_GUESSES)]
    return [Limit(f"claim {person_id}", CLAIM_GUESSES), Limit(f"claim@{address}", 40)]


def link_limits(address: str) -> list[Limit]:
    """Of the code in a link of ours, which has 256 bits."""
    return [Limit(f"link@{network_of(address)}", 40)]


def token_limits(address: str) -> list[Limit]:
    """The keys of an API token, as in `login_limits`."""
    return [Limit(f"token@{network_of(address)}", 40)]
