"""The self-test of the residual current sensor, before the first closing of the contactor in a session. Pure.

The test coil is energised until the sensor trips, then released until its outputs clear; each step has a time limit. The
contactor is open during the test. A real residual current that persists is detected after the test. An aborted test
(unplugging) allows the sensor the same time to clear, since its trip was caused by the test.

    due, requested -> tripping -> releasing -> passed
                              \\-> failed <-/
    tripping, releasing -> aborted -> due
"""

TRIP_MS = 500  # a type A device trips within 300 ms at its rated residual current (IEC 61008-1); sampled every 20 ms
RELEASE_MS = 500

RUNNING = ("tripping", "releasing", "aborted")  # in these states, the test causes a trip, not a residual current


class RcdSelftest:
    """The test. `state` is one of the states above. The test coil is energised in "tripping"."""

    def __init__(self) -> None:
        self.state = "due"
        self._since_ms = 0

    def begin(self, now_ms: int) -> None:
        """Start the test."""
        self.state, self._since_ms = "tripping", now_ms

    def ask(self) -> None:
        """Request a test at the next opportunity, for a person."""
        if self.state not in RUNNING:
            self.state = "requested"

    def forget(self, now_ms: int) -> None:
        """Require a new test before the next closing; abort a running one."""
        if self.state not in RUNNING:
            self.state = "due"
        elif self.state != "aborted":
            self.state, self._since_ms = "aborted", now_ms

    def step(self, now_ms: int, ac_trip: bool, dc_trip: bool) -> None:
        """Process the sensor's outputs: type A, and 6 mA DC."""
        if self.state not in RUNNING:
            return
        if self.state == "tripping":
            done, good, bad, longest_ms = ac_trip, "releasing", "failed", TRIP_MS
        else:  # the 6 mA output may clear later than the other
            good, bad = ("passed", "failed") if self.state == "releasing" else ("due", "due")
            done, longest_ms = not (ac_trip or dc_trip), RELEASE_MS
        if done or now_ms - self._since_ms >= longest_ms:
            self.state, self._since_ms = (good if done else bad), now_ms
