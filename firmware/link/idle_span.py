"""How long a connection may be silent before this network forgets it: learned from connections that died of it. Pure.

A carrier's translation of addresses forgets an idle TCP connection after a time of its own, 60 s to 290 s where people
measured it (TinyGSM#380, ubxlib#139, micropython#5566), with or without a reset. After such a death the span is what has
survived, or a half, at most THEN_MS. Once an hour the room between what survived and what died is halved; a day later all is
tried again, for the network may have changed.
"""

FIRST_MS = 1200000  # the heartbeat of an idle unit comes sooner: no pings before a network has shown that it needs them
THEN_MS = 270000  # after the first death: just below the longest that was measured
LEAST_MS = 25000  # what dies sooner dies of something else; a ping so often, of 200 bytes, is 21 MB a month
TRIAL_EVERY_MS = 3600000
FORGOTTEN_MS = 24 * 3600000
CLOSE_ENOUGH = 5  # a fifth of what died


class IdleSpan:
    """`ms` is the longest silence to allow now."""

    def __init__(self) -> None:
        self._network: str | None = None
        self._renew()

    def _renew(self) -> None:
        self.ms = FIRST_MS
        self._survived_ms = 0
        self._died_ms = 0  # 0: of no silence
        self._suspect_ms = 0
        self._learned_ms = self._trial_ms = 0

    def connected(self, now_ms: int, network: "str | None", at_once: bool) -> None:
        """On this network (its PLMN). `at_once`: nothing else has failed since the last connection, so if that died in
        silence, the silence is to blame."""
        if network != self._network:
            self._network = network
            self._renew()
        if self._suspect_ms and at_once:
            self._died_ms = self._suspect_ms
            if self._survived_ms >= self._died_ms:  # it did once
                self._survived_ms = 0
            self._learned_ms = self._trial_ms = now_ms
            self.ms = max(LEAST_MS, self._survived_ms or min(self._died_ms // 2, THEN_MS))
        self._suspect_ms = 0

    def died(self, silence_ms: int) -> bool:
        """The connection failed after so long a silence. Whether that may be the reason: `connected` decides."""
        if silence_ms < LEAST_MS or self.ms <= LEAST_MS:
            return False
        self._suspect_ms = silence_ms
        return True

    def survived(self, now_ms: int, silence_ms: int) -> None:
        """The broker has answered after so long a silence."""
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
