"""Handles a vehicle that draws more than it is offered. Pure.

Above the rating of circuit and cable, the fault `over_current` opens the contactor. Below it, the excess endangers nothing, so
the unit adapts to the vehicle: a Zoe draws 1.5 A more at 6 to 9 A (evcc#28936), and an e-Golf follows a lower offer after 12 s
(evcc PR#12209). After LEARN_MS, the offer is lowered by the excess. A vehicle that does not follow the offer is paused if it
draws more than a ceiling allows (load manager, temperature), and tolerated if only a claim requires less.
"""

from firmware.charging.pilot import OFFER_MIN_A

LEARN_MS = 15000  # longer than an e-Golf needs to follow a lower offer
PAUSE_MS = 600000


def over_ma(amps: float) -> int:
    """Return the current in mA above which the vehicle draws more than `amps`: 10 % and 0.5 A more (EVerest EvseManager)."""
    return int(amps * 1100) + 500


class Excess:
    """`by_a`: how much the offer is lowered, A; `pauses`: no current is offered. Both apply until the vehicle is unplugged,
    the pause for PAUSE_MS at most.
    """

    def __init__(self) -> None:
        self.by_a = 0
        self.pauses = False
        self.over_since_ms: int | None = None  # when the vehicle began to draw more than is allowed
        self._pause_since_ms = 0

    def is_watched(self) -> bool:
        """Return whether the vehicle draws more than is allowed, or is paused."""
        return self.pauses or self.over_since_ms is not None

    def offer_a(self, allowed_a: float) -> float:
        """Return the current to offer so that the vehicle draws `allowed_a`; 0 = pause."""
        return max(OFFER_MIN_A, allowed_a - self.by_a) if allowed_a else allowed_a

    def step(self, now_ms: int, current_ma: int, allowed_a: float, ceiling_a: float) -> bool:
        """Process a current above `allowed_a`; return whether the offer changes. `ceiling_a`: the lowest ceiling, which must
        not be exceeded; `allowed_a` may be lower because of a claim.
        """
        if self.over_since_ms is None:
            self.over_since_ms = now_ms
        if now_ms - self.over_since_ms < LEARN_MS:
            return False
        self.over_since_ms = now_ms
        if self.offer_a(allowed_a) > OFFER_MIN_A:
            self.by_a += -int((allowed_a * 1000 - current_ma) // 1000)
            return True
        if current_ma <= over_ma(ceiling_a):
            return False
        self.pauses, self._pause_since_ms = True, now_ms
        return True

    def is_over(self, now_ms: int) -> bool:
        """Return whether the pause ends now, and end it."""
        if now_ms - self._pause_since_ms < PAUSE_MS:
            return False
        self.pauses = False
        return True

    def forget(self) -> None:
        """Reset, after unplugging or at the request of a person."""
        self.by_a, self.pauses, self.over_since_ms = 0, False, None
