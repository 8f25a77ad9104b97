"""Smart or standalone: whether the cloud is heard, and never whether we charge (design, section 5).

smart       the link is proven: CONNACK and one acknowledged publish
link_lost   it was lost less than the grace ago; nothing changes
standalone  a standard charge point until the link is proven again
"""

GRACE_MS = 120000  # design, section 5

# mode -> (is the link proven, is the grace over) -> next mode
TABLE = {
    "smart": {(True, False): "smart", (False, False): "link_lost", (False, True): "standalone"},
    "link_lost": {(True, False): "smart", (False, False): "link_lost", (False, True): "standalone"},
    "standalone": {(True, False): "smart", (False, False): "standalone", (False, True): "standalone"},
}


class Mode:
    """`now` is one of the three; a unit that has just started has lost a link it never had, and has its grace."""

    def __init__(self, now_ms):
        self.now = "link_lost"
        self._heard_ms = now_ms

    def step(self, now_ms, link_proven):
        """Follow the table; True if the mode changed."""
        if link_proven:
            self._heard_ms = now_ms
        before = self.now
        self.now = TABLE[before][(link_proven, now_ms - self._heard_ms >= GRACE_MS)]
        return self.now != before
