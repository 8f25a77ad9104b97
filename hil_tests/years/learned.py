"""The effects of the main thread's turns, learned by executing one turn of each kind (see main_rest.py)."""

from typing import NamedTuple

from firmware.link.radio_monitor import SAMPLE_MS
from firmware.link.uplink import POLL_MS
from modem.stream import ASK_AGAIN_MS

NEAR_MS = 500  # longer than a look at the signal takes: so close to its due time, a turn that looks may ask or not
ROUND_TURNS = 64  # more than the turns between two looks at the signal
# The first fields of `Ages`: signal sampled, registration confirmed, data asked for. The last field: claims renewed.
PLACES = 3

Ages = tuple[int, ...]  # at the beginning of a turn: ms since each stamp was renewed
Kind = tuple[int, ...]


class Turn(NamedTuple):
    """The effect of one turn."""

    lasts_ms: int
    renewed: tuple[int | None, ...]  # age at the end of the turn, of each stamp that it renews; else None
    looks: bool  # reads the signal
    asks: bool  # asks the modem for data

    @property
    def looked_ms(self) -> int:
        """Return the ms from the beginning of the turn to its reading of the signal. It asks for data after that."""
        return self.lasts_ms - (self.renewed[PLACES - 1] or 0)


class Round(NamedTuple):
    """The effect of all turns up to the end of the next turn that looks. `looked_ms`: ms from the beginning to that look."""

    lasts_ms: int
    then: Ages
    looked_ms: int


class Learned:
    """What was learned while the modem gives the same answers. `connected`: the turns ask for data."""

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
        """Return the ages at the end of the turn. Without a connection, the age of the data query stays 0."""
        lasts_ms, renewed = turn.lasts_ms, turn.renewed
        sampled_ms, registered_ms, asked_ms, polled_ms = (
            age_ms + lasts_ms if anew is None else anew for age_ms, anew in zip(ages, renewed, strict=True)
        )
        return sampled_ms, registered_ms, asked_ms if self._connected else 0, polled_ms

    def round(self, ages: Ages) -> Round | None:
        """Return the round that begins with these ages, or None if one of its turns has not been learned."""
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
