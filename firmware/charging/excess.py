"""A vehicle that draws more than it is offered. Pure.

What circuit and cable stand is the matter of the fault `over_current`; above that the contactor opens. Below it nothing is in
danger of the vehicle's manner alone, so the unit learns it: a Zoe draws 1.5 A more at 6 to 9 A (evcc#28936), an e-Golf obeys a
lower offer after 12 s (evcc PR#12209). After LEARN_MS the offer is lowered by what is too much. A vehicle that obeys no offer
is paused if it draws more than a ceiling allows (what the house can spare, the temperature), and left alone if only a claim
asks for less.
"""

from firmware.charging.pilot import OFFER_MIN_A

LEARN_MS = 15000  # longer than an e-Golf needs
PAUSE_MS = 600000


def over_ma(amps: float) -> int:
    """More than this is more than `amps`: 10 % and 0.5 A (EVerest EvseManager)."""
    return int(amps * 1100) + 500


class Excess:
    """`by_a`: so much the offer is lowered; `pauses`: nothing is offered. Until the vehicle is unplugged."""

    def __init__(self) -> None:
        self.by_a = 0
        self.pauses = False
        self.over_since_ms: int | None = None  # it has drawn more than is allowed
        self._pause_since_ms = 0

    def is_watched(self) -> bool:
        """Whether it has drawn more, or pauses."""
        return self.pauses or self.over_since_ms is not None

    def offer_a(self, allowed_a: float) -> float:
        """Return what to offer so that the vehicle draws what is allowed; 0 = pause."""
        return max(OFFER_MIN_A, allowed_a - self.by_a) if allowed_a else allowed_a

    def step(self, now_ms: int, current_ma: int, allowed_a: float, ceiling_a: float) -> bool:
        """Called while the vehicle draws more than `allowed_a`, of which `ceiling_a` is what must not be exceeded. True: the
        offer is another.
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
        """Whether the pause has just ended."""
        if now_ms - self._pause_since_ms < PAUSE_MS:
            return False
        self.pauses = False
        return True

    def forget(self) -> None:
        """Another vehicle, or a person who knows better."""
        self.by_a, self.pauses, self.over_since_ms = 0, False, None
