"""Limits for wrong guesses at passwords, codes, tokens and links. Pure: the time is a parameter.

A wrong guess is counted under several keys at once: the name at this address, the address, and the name. Each key has its own
allowance, which is restored gradually. A single guesser is therefore stopped early, a whole network later, and a name that is
guessed at from everywhere last, so nobody can lock somebody else out with a few wrong passwords. A browser in which the person
has logged in before has its own allowance, which the guesses of others do not reduce.
"""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import NamedTuple

from cloud_bridge.client_address import network_of
from cloud_bridge.durations import DAY_MS

WINDOW_MS = 15 * 60 * 1000  # in this time, a used allowance is fully restored
CODES_OF_A_DAY = 30  # three of a million codes are right at a time: a chance of 1 in 11,000 a day
CLAIM_GUESSES = 10  # at the code on a label, which has 58 bits
MAX_KEYS = 10_000  # beyond this, the oldest are dropped


class Limit(NamedTuple):
    """`key` may have `allowed` wrong guesses at once, and as many again within the window."""

    key: str
    allowed: int
    window_ms: int = WINDOW_MS


class Attempts:
    """The wrong guesses so far, in memory: a restart clears them, and each process counts its own. Thread-safe."""

    def __init__(self) -> None:
        self._used: OrderedDict[str, tuple[float, int]] = OrderedDict()  # key -> (count, time of the count)
        self._lock = Lock()

    def reserve(self, limits: Sequence[Limit], now_ms: int) -> int:
        """Count a guess as wrong before it is checked, so that parallel guesses are limited like consecutive ones; then return
        0. If the limit is reached, count nothing and return the milliseconds until the next guess is accepted."""
        with self._lock:
            wait_ms = max(self._wait_ms(limit, now_ms) for limit in limits)
            if wait_ms == 0:
                self._count(limits, now_ms)
            return wait_ms

    def wait_ms(self, limits: Sequence[Limit], now_ms: int) -> int:
        """Return the milliseconds until the next guess is accepted, or 0. For guesses that are cheap to check."""
        with self._lock:
            return max(self._wait_ms(limit, now_ms) for limit in limits)

    def failed(self, limits: Sequence[Limit], now_ms: int) -> None:
        """Count a wrong guess that was not reserved."""
        with self._lock:
            self._count(limits, now_ms)

    def succeeded(self, limits: Sequence[Limit]) -> None:
        """Undo a reserved guess that was right. Under the first key, this also clears the earlier guesses."""
        with self._lock:
            self._used.pop(limits[0].key, None)
            self._give_back(limits[1:])

    def returned(self, limits: Sequence[Limit]) -> None:
        """Undo a reserved guess that was not checked."""
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
        """Return how many of the wrong guesses still count."""
        used, then_ms = self._used.get(limit.key, (0.0, now_ms))
        return max(0.0, used - max(0, now_ms - then_ms) * limit.allowed / limit.window_ms)

    def _wait_ms(self, limit: Limit, now_ms: int) -> int:
        over = self._left(limit, now_ms) - (limit.allowed - 1)
        return max(0, int(over * limit.window_ms / limit.allowed))


def login_limits(name: str, address: str) -> list[Limit]:
    """Return the keys of a login by password, and how many wrong passwords each may have in 15 minutes."""
    address = network_of(address)
    return [Limit(f"{name}@{address}", 8), Limit(f"@{address}", 40), Limit(name, 200)]


def device_limits(device: str) -> list[Limit]:
    """Return the limits for a browser in which the person has logged in before (store/known_devices.py), instead of
    `login_limits`."""
    return [Limit(f"device {device}", 8)]


def code_limits(person_id: int, device: str | None) -> list[Limit]:
    """Return the limits for the second factor, after the right password. Here too, a known device has its own allowance."""
    key = f"code {person_id}" if device is None else f"code {person_id} device {device}"
    return [Limit(key, 8), Limit(f"{key} of a day", CODES_OF_A_DAY, DAY_MS)]


def own_password_limits(person_id: int) -> list[Limit]:
    """Return the limits for a logged-in person who is asked for their password again. They stop somebody who finds an open
    browser from guessing the password there."""
    return [Limit(f"own password {person_id}", 8)]


def passkey_limits(address: str) -> list[Limit]:
    """Return the limits for a login by passkey. A passkey cannot be guessed: the limit bounds the cost of checking."""
    return [Limit(f"passkey@{network_of(address)}", 40)]


def claim_limits(person_id: int | None, address: str) -> list[Limit]:
    """Return the limits for the code on a label. `person_id` is None for a visitor without an account. The network counts too,
    because one guesser may have many accounts."""
    address = network_of(address)
    if person_id is None:
        return [Limit(f"label@{address}", CLAIM_GUESSES)]
    return [Limit(f"claim {person_id}", CLAIM_GUESSES), Limit(f"claim@{address}", 40)]


def link_limits(address: str) -> list[Limit]:
    """Return the limits for the code in a link, which has 256 bits."""
    return [Limit(f"link@{network_of(address)}", 40)]


def token_limits(address: str) -> list[Limit]:
    """Return the limits for API tokens."""
    return [Limit(f"token@{network_of(address)}", 40)]
