"""Smart or standalone mode: depends on contact with the cloud, and does not affect charging (design, section 5).

smart       the link is proven: CONNACK and one acknowledged PUBLISH
link_lost   lost for less than the grace period
standalone  lost for longer, until the link is proven again
"""

GRACE_MS = 120000  # design, section 5

# mode -> (link proven, grace period over) -> next mode
TABLE = {
    "smart": {(True, False): "smart", (False, False): "link_lost", (False, True): "standalone"},
    "link_lost": {(True, False): "smart", (False, False): "link_lost", (False, True): "standalone"},
    "standalone": {(True, False): "smart", (False, False): "standalone", (False, True): "standalone"},
}


class Mode:
    """`now` is one of the three modes. After a start it is link_lost, with the full grace period."""

    def __init__(self, now_ms: int) -> None:
        self.now = "link_lost"
        self._proven_ms = now_ms

    def step(self, now_ms: int, link_proven: bool) -> bool:
        """Update the mode; return whether it changed."""
        if link_proven:
            self._proven_ms = now_ms
        before = self.now
        self.now = TABLE[before][(link_proven, now_ms - self._proven_ms >= GRACE_MS)]
        return self.now != before
