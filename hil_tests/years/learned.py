"""What turns of the main strand come to, learned by stepping one of each kind: main_rest.py says how."""

from typing import NamedTuple

from firmware.link.radio_monitor import SAMPLE_MS
from firmware.link.uplink import POLL_MS
from modem.stream import ASK_AGAIN_MS

NEAR_MS = 500  # longer than a look takes: within it, a turn that looks may ask, or not
ROUND_TURNS = 64  # more than there are between two looks
PLACES = (
    3  # of `ages`: when the signal was sampled, when it was registered, when data were asked for; then, of the claims
)

Ages = tuple[int, ...]  # at the beginning of a turn, how long ago each place was renewed, ms
Kind = tuple[int, ...]


class Turn(NamedTuple):
    """What a turn comes to."""

    lasts_ms: int
    renewed: tuple[int | None, ...]  # the age at its end of each place that it renews
    looks: bool  # at the signal
    asks: bool

    @property
    def looked_ms(self) -> int:
        """After its beginning: it asks when it has looked."""
        return self.lasts_ms - (self.renewed[PLACES - 1] or 0)


class Round(NamedTuple):
    """What all turns come to up to the end of one that looks at the signal; `looked_ms` is when, after their beginning."""

    lasts_ms: int
    then: Ages
    looked_ms: int


class Learned:
    """While the modem gives the same answers. `connected`: data are asked for."""

    def __init__(self, connected: bool) -> None:
        self._connected = connected
        self._turns: dict[Kind, Turn] = {}
        self._rounds: dict[Ages, Round] = {}

    def _kind(self, ages: Ages) -> Kind:
        sampled_ms, _, asked_ms, polled_ms = ages
        looks = sampled_ms + POLL_MS >= SAMPLE_MS
        asks = self._connected and asked_ms + POLL_MS >= ASK_AGAIN_MS
        if looks and self._connected and not asks and asked_ms + POLL_MS + NEAR_MS >= ASK_AGAIN_MS:
            return (polled_ms, looks, asks, asked_ms)
        return (polled_ms, looks, asks)

    def learn(self, ages: Ages, turn: Turn) -> None:
        kind = self._kind(ages)
        if self._turns.get(kind) != turn:
            self._turns[kind] = turn
            self._rounds.clear()

    def turn(self, ages: Ages) -> Turn | None:
        return self._turns.get(self._kind(ages))

    def after(self, ages: Ages, turn: Turn) -> Ages:
        """The ages at its end. Where nobody asks, that age stands still."""
        lasts_ms, renewed = turn.lasts_ms, turn.renewed
        sampled_ms, registered_ms, asked_ms, polled_ms = (
            age_ms + lasts_ms if anew is None else anew for age_ms, anew in zip(ages, renewed, strict=True)
        )
        return sampled_ms, registered_ms, asked_ms if self._connected else 0, polled_ms

    def round(self, ages: Ages) -> Round | None:
        """From there, if all of its turns are known."""
        found = self._rounds.get(ages)
        if found is None and (found := self._add_up(ages)) is not None:
            self._rounds[ages] = found
        return found

    def _add_up(self, ages: Ages) -> Round | None:
        lasts_ms = 0
        for _ in range(ROUND_TURNS):
            turn = self.turn(ages)
            if turn is None:
                return None
            if turn.looks:
                return Round(lasts_ms + turn.lasts_ms, self.after(ages, turn), lasts_ms + turn.looked_ms)
            lasts_ms, ages = lasts_ms + turn.lasts_ms, self.after(ages, turn)
        return None
