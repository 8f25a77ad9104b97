"""Smart or standalone mode: depends on contact with the cloud, and does not affect charging (design, section 5).

smart       the link is proven: CONNACK and one acknowledged PUBLISH
link_lost   lost for less than the grace period
standalone  lost for longer, until the link is proven again
"""

GRACE_MS = 120000  # design, section 5

# mode -> next mode if the link is proven, if it is not, and if it has not been for the grace period
TABLE = {
    "smart": ("smart", "link_lost", "standalone"),
    "link_lost": ("smart", "link_lost", "standalone"),
    "standalone": ("smart", "standalone", "standalone"),
}


class Mode:
    """`now` is one of the three modes. After a start it is link_lost, with the full grace period."""

    def __init__(self, now_ms: int) -> None:
        self.now = "link_lost"
        self._unproven_since_ms = now_ms

    def step(self, now_ms: int, link_proven: bool) -> bool:
        """Update the mode; return whether it changed."""
        before = self.now
        proven, not_proven, grace_over = TABLE[before]
        if link_proven:
            self._unproven_since_ms, self.now = now_ms, proven
        else:
            self.now = grace_over if now_ms - self._unproven_since_ms >= GRACE_MS else not_proven
        return self.now != before
