"""The self-test of the residual current sensor before the first closing of a session. Pure, and nobody waits for it.

The coil is energised until the sensor trips, then released until none of its outputs does; each within its time. The
contactor is open meanwhile, so a real leak cannot hurt anyone, and one that stays is found as soon as the test is over.

    due, wanted -> tripping -> releasing -> passed
                           \\-> failed <-/
"""

TRIP_MS = 500  # a type A device trips within 300 ms at its rated residual current (IEC 61008-1); we look every 20 ms
RELEASE_MS = 500

RUNNING = ("tripping", "releasing")


class RcdTest:
    """`state` is one of those above; the coil is energised while it is "tripping"."""

    def __init__(self):
        self.state = "due"
        self._since_ms = 0

    def begin(self, now_ms):
        self.state, self._since_ms = "tripping", now_ms

    def ask(self):
        """A person wants one now."""
        if self.state not in RUNNING:
            self.state = "wanted"

    def forget(self):
        """The next closing wants a test of its own."""
        self.state = "due"

    def step(self, now_ms, ac_trip, dc_trip):
        if self.state not in RUNNING:
            return
        lasted_ms = now_ms - self._since_ms
        if self.state == "tripping":
            following, longest_ms = ("releasing" if ac_trip else None), TRIP_MS
        else:  # the 6 mA output may let go later than the other, which is no leak
            following, longest_ms = (None if ac_trip or dc_trip else "passed"), RELEASE_MS
        if following is None and lasted_ms >= longest_ms:
            following = "failed"
        if following:
            self.state, self._since_ms = following, now_ms
