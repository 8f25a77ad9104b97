"""The random delay, which prevents many vehicles from switching at the same time. Pure; the random source is passed in.

The Electric Vehicles (Smart Charge Points) Regulations 2021 (SI 2021/1467), regulation 11: up to 600 s, to the second, a new
one for each change; the maximum can be set remotely to 1,800 s; the owner can cancel the present delay. The remainder
survives power cuts, so that repeated cuts do not extend it.
"""

if False:  # for mypy alone
    from collections.abc import Callable

LONGEST_S = 1800


def draw_s(longest_s: int, urandom: "Callable[[int], bytes]") -> int:
    """Return whole seconds, 0 to `longest_s`, uniformly distributed to one in 10 million. `urandom` is os.urandom."""
    return int.from_bytes(urandom(4), "big") % (longest_s + 1)


class Delay:
    """A delay that is running or not."""

    def __init__(self) -> None:
        self._until_ms: int | None = None

    def begin(self, now_ms: int, seconds: int) -> None:
        """Start a delay, in place of a running one."""
        self._until_ms = now_ms + seconds * 1000

    def cancel(self) -> None:
        """Stop the delay."""
        self._until_ms = None

    def running(self) -> bool:
        """Return whether a delay was begun and not cancelled; it may be over."""
        return self._until_ms is not None

    def left_s(self, now_ms: int) -> int:
        """Return the remaining seconds, rounded up; 0 if it is over or not running."""
        return 0 if self._until_ms is None else max(0, -((now_ms - self._until_ms) // 1000))
