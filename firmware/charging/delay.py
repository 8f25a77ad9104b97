"""The random delay that keeps a country's vehicles from switching in one second. Pure; the random bytes are passed in.

The Electric Vehicles (Smart Charge Points) Regulations 2021, regulation 11: up to 600 s, to the second, anew each time; the
longest may be raised to 1,800 s from afar, and the owner may cancel the present one. It counts down from a remainder that
survives power cuts, so that cuts cannot postpone for ever.
"""

LONGEST_S = 1800


def draw_s(longest_s, urandom):
    """A whole number of seconds from 0 to `longest_s`, all equally likely to one in 10 million. `urandom` is os.urandom."""
    return int.from_bytes(urandom(4), "big") % (longest_s + 1)


class Delay:
    def __init__(self):
        self._until_ms = None

    def begin(self, now_ms, seconds):
        self._until_ms = now_ms + seconds * 1000

    def cancel(self):
        self._until_ms = None

    def running(self):
        return self._until_ms is not None

    def left_s(self, now_ms):
        """Seconds to wait, 0 when it is over or there is none."""
        return 0 if self._until_ms is None else max(0, -((now_ms - self._until_ms) // 1000))
