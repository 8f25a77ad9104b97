"""The self-test of the residual current sensor before the first closing of a session. Pure, and nobody waits for it.

The coil is energised until the sensor trips, then released until none of its outputs does; each within its time. The
contactor is open meanwhile, so a real leak cannot hurt anyone, and one that stays is found as soon as the test is over.
A test that is broken off (somebody pulls the plug) gives the sensor the same time to let go: its trip was our own.

    due, wanted -> tripping -> releasing -> passed
                           \\-> failed <-/
    tripping, releasing -> broken off -> due
"""

TRIP_MS = 500  # a type A device trips within 300 ms at its rated residual current (IEC 61008-1); we look every 20 ms
RELEASE_MS = 500

RUNNING = ("tripping", "releasing", "broken off")  # a trip is ours, and says nothing of a leak


class RcdSelftest:
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

    def forget(self, now_ms):
        """The next closing wants a test of its own."""
        if self.state not in RUNNING:
            self.state = "due"
        elif self.state != "broken off":
            self.state, self._since_ms = "broken off", now_ms

    def step(self, now_ms, ac_trip, dc_trip):
        if self.state not in RUNNING:
            return
        if self.state == "tripping":
            done, good, bad, longest_ms = ac_trip, "releasing", "failed", TRIP_MS
        else:  # the 6 mA output may let go later than the other, which is no leak
            good, bad = ("passed", "failed") if self.state == "releasing" else ("due", "due")
            done, longest_ms = not (ac_trip or dc_trip), RELEASE_MS
        if done or now_ms - self._since_ms >= longest_ms:
            self.state, self._since_ms = (good if done else bad), now_ms
