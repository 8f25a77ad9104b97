"""What time it is, as far as the unit knows: the network's clock carried on by our own. Unknown is a state."""


class WallClock:
    def __init__(self, clock):
        self._clock = clock
        self._epoch_at_zero_s = None

    def set(self, epoch_s):
        """The network says it is `epoch_s` (UTC) now; None says nothing."""
        if epoch_s is not None:
            self._epoch_at_zero_s = epoch_s - self._clock.now_ms() // 1000

    def at(self, at_ms):
        """UTC epoch seconds at `at_ms` of the monotonic clock, also before the time was known; None while it is unknown."""
        return None if self._epoch_at_zero_s is None else self._epoch_at_zero_s + at_ms // 1000

    def now(self):
        return self.at(self._clock.now_ms())

    def now_ms(self):
        """The monotonic clock that `at` speaks of."""
        return self._clock.now_ms()
