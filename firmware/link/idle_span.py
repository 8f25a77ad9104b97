"""Learns how long a connection may be idle before the network drops it, from connections that were lost in a silence. Pure.

A carrier's NAT drops an idle TCP connection after a certain time, with or without a reset; people measured 60 s to 290 s
(TinyGSM#380, ubxlib#139, micropython#5566). After such a loss, the span is the longest silence that a connection survived, or
half of the silence in which it was lost, but at most THEN_MS. Once an hour, the interval between survived and lost silences is
halved. After a day, learning starts again, because the network may have changed.
"""

FIRST_MS = 1200000  # longer than the heartbeat interval of an idle unit: no pings until a network proves to need them
THEN_MS = 270000  # after the first loss: just below the longest time that was measured
LEAST_MS = 25000  # a loss after a shorter silence has another cause; pings this often, of 200 bytes, are 21 MB a month
TRIAL_EVERY_MS = 3600000
FORGOTTEN_MS = 24 * 3600000
CLOSE_ENOUGH = 5  # learning stops when the interval is at most 1/5 of the silence in which a connection was lost


class IdleSpan:
    """`ms`: the longest silence to allow now, before a ping."""

    def __init__(self) -> None:
        self._network: str | None = None
        self._renew()

    def _renew(self) -> None:
        self.ms = FIRST_MS
        self._survived_ms = 0
        self._died_ms = 0  # the silence in which a connection was lost; 0 = none was
        self._suspect_ms = 0
        self._learned_ms = self._trial_ms = 0

    def connected(self, now_ms: int, network: "str | None", at_once: bool) -> None:
        """Record a new connection over `network` (a PLMN). `at_once`: the first attempt succeeded, so if the last connection
        was lost in a silence, the silence was the cause.
        """
        if network != self._network:
            self._network = network
            self._renew()
        if self._suspect_ms and at_once:
            self._died_ms = self._suspect_ms
            if self._survived_ms >= self._died_ms:  # an earlier connection survived this silence; no longer valid
                self._survived_ms = 0
            self._learned_ms = self._trial_ms = now_ms
            self.ms = max(LEAST_MS, self._survived_ms or min(self._died_ms // 2, THEN_MS))
        self._suspect_ms = 0

    def died(self, silence_ms: int) -> bool:
        """Record that the connection failed after `silence_ms`. Return whether the silence may be the cause.

        `connected` then decides whether it was.
        """
        if silence_ms < LEAST_MS or self.ms <= LEAST_MS:
            return False
        self._suspect_ms = silence_ms
        return True

    def survived(self, now_ms: int, silence_ms: int) -> None:
        """Record that the broker answered after a silence of `silence_ms`."""
        if not self._died_ms:
            return
        self._survived_ms = max(self._survived_ms, min(silence_ms, self._died_ms - 1))
        if now_ms - self._learned_ms >= FORGOTTEN_MS:
            self._renew()
        elif now_ms - self._trial_ms >= TRIAL_EVERY_MS:
            self._trial_ms = now_ms
            room_ms = self._died_ms - self._survived_ms
            if room_ms > self._died_ms // CLOSE_ENOUGH:
                self.ms = max(LEAST_MS, self._survived_ms + room_ms // 2)
