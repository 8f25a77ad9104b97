"""The talking half at rest: it asks its modem the same questions again and again, and gets the same answers.

Theory of operation. While the link stands and there is nothing to say, the main strand waits 250 ms at a time; each such wait
begins a turn. What a turn does is decided by how long ago each of a few stamps was renewed (PLACES): it looks at the signal
every 10 s, asks for data every 2 s. So turns are the nodes of a graph. An edge is learned by stepping one turn in which every
answer of the modem was the one before, and nothing else happened; from then on it is followed by looking it up. Followed far
enough it has a strand sleep until the next moment that is not of this rhythm: what the product compared its clock with tells
when that is (moving.py), and whoever touches the world ends it at once.

A strand that has rested has every stamp, count and phase that it would have had without: hil_tests/years/test_rest.py.
"""

import heapq
from typing import Any, NamedTuple

from firmware.link.network import SAMPLE_S
from firmware.link.uplink import POLL_MS
from hil_tests.years.moving import NOTES, Now

HELD_MS = 120_000  # without rest, after somebody has touched the world: longer than a modem takes to notice
LEARNED_MAX = 200_000  # turns
FAR_MS = 86_400_000

Key = tuple[int, ...]


class Turn(NamedTuple):
    """What a turn comes to."""

    lasts_ms: int
    then: Key
    looks: int  # at the signal


class MainRest:
    """Of one boot. `begin` and `end` are the edges of each wait of the main strand."""

    def __init__(self, unit: Any, learned: dict[Any, dict[Key, Turn]]) -> None:
        self._unit = unit
        self._learned = learned
        self._link = unit.link
        stream, radio = self._link._bearer.stream, self._link.radio
        self._places = ((radio, "_sampled_ms"), (radio, "_registered_ms"), (stream, "_asked_ms"))
        self._persistence = unit.health.persistence
        self._answers: dict[bytes, bytes] = {}
        self._dialogue = bytearray()
        self._asked = b""
        self._quiet = False
        self._before: tuple[int, Key] | None = None
        self._sample = 0
        self._writes: int | None = None
        self._bounds: list[int] = []
        self._known_bounds: set[int] = set()
        self._held_until_ms = 0
        self.rested_ms = 0

    # What happens.

    def hold(self, now_ms: int) -> None:
        """Somebody touches the world: step for a while."""
        self._held_until_ms = now_ms + HELD_MS
        self.stir()

    def stir(self) -> None:
        """This turn is like no other."""
        self._quiet = False

    def said(self, data: bytes) -> None:
        self._answered()
        self._asked = data

    def heard(self, chunk: bytes) -> None:
        self._dialogue += chunk

    def _answered(self) -> None:
        """Compare the answer with the one before."""
        if not self._asked and not self._dialogue:
            return
        answer = bytes(self._dialogue)
        self._dialogue.clear()
        if self._answers.get(self._asked) != answer or not self._asked:
            self._quiet = False
            self._answers[self._asked] = answer
        self._asked = b""

    # Turns.

    def _key(self, now_ms: int) -> Key:
        base_ms = self._unit._clock.now_ms()
        offsets = [int(base_ms - getattr(owner, name)) for owner, name in self._places]
        return (*offsets, int(base_ms - self._persistence._polled_ms))

    def may_rest(self, timeout_ms: int) -> bool:
        """A wait of the loop that serves a connection."""
        return timeout_ms == POLL_MS and self._link.state == "proven" and not self._link.modem._command

    def turn(self, now_ms: int) -> None:
        """A turn begins: learn from the one before."""
        self.note()
        self._answered()
        key, sample = self._key(now_ms), self._link.radio.sample
        learned = self._env()
        writes = self._unit.flash_writes()
        if writes != self._writes:
            self._writes, self._quiet = writes, False
        if self._quiet and self._before is not None and len(learned) < LEARNED_MAX:
            before_ms, before = self._before
            learned[before] = Turn(now_ms - before_ms, key, sample - self._sample)
        self._before, self._sample, self._quiet = (now_ms, key), sample, True

    def no_turn(self) -> None:
        """Some other wait: for an answer of the modem, which belongs to its turn, or one that is like no other."""
        self.note()
        if not self._link.modem._command:
            self._before = None

    def _env(self) -> dict[Key, Turn]:
        """What was learned while the modem gave these answers."""
        radio = self._link.radio
        return self._learned.setdefault((radio.csq, radio.operator, radio.cell), {})

    def note(self) -> int:
        """What was compared since the last time: when something is due that is not of the rhythm. Returns when the next thing
        of any kind is due."""
        stamps = {id(getattr(owner, name)) for owner, name in self._places}
        stamps |= {
            id(self._persistence._polled_ms),
            id(self._link.network._sampled_s),
            id(self._link.modem._deadline_ms),
        }
        due_ms = NOTES.now_ms + FAR_MS
        for note in NOTES.take():
            if note.at_ms > NOTES.now_ms:
                due_ms = min(due_ms, note.at_ms)
                if id(note.stamp) not in stamps and note.at_ms not in self._known_bounds:
                    self._known_bounds.add(note.at_ms)
                    heapq.heappush(self._bounds, note.at_ms)
        return due_ms

    def until_ms(self, now_ms: int) -> int:
        """To which turn the strand may sleep; now, if it may not."""
        while self._bounds and self._bounds[0] <= now_ms:
            self._known_bounds.discard(heapq.heappop(self._bounds))
        if now_ms < self._held_until_ms or self._before is None:
            return now_ms
        bound_ms = self._bounds[0] if self._bounds else now_ms + FAR_MS
        return self._follow(bound_ms - 1)[0]

    def _follow(self, until_ms: int) -> tuple[int, Key, list[int]]:
        """The last turn that begins by then: when, its key, and when the signal was looked at before it."""
        assert self._before is not None
        (at_ms, key), learned, looked_ms = self._before, self._env(), []
        while (turn := learned.get(key)) is not None and at_ms + turn.lasts_ms <= until_ms:
            at_ms, key = at_ms + turn.lasts_ms, turn.then
            if turn.looks:
                looked_ms.append(at_ms)
        return at_ms, key, looked_ms

    def rested(self, now_ms: int) -> int:
        """The strand has slept until now: give it what it would have. Returns when the turn that it is in began."""
        assert self._before is not None
        began_ms = self._before[0]
        at_ms, key, looked_ms = self._follow(now_ms)
        if at_ms == began_ms:
            return at_ms
        base_ms = int(self._unit._clock.now_ms()) - (now_ms - at_ms)
        for (owner, name), offset in zip(self._places, key, strict=False):
            setattr(owner, name, Now(base_ms - offset, now_ms - 1))
        self._persistence._polled_ms = Now(base_ms - key[-1], now_ms - 1)
        self._link.radio.sample += len(looked_ms)
        self._unit.exchange.turns += 1
        self._unit.exchange.pauses += 1
        self._sample_network([base_ms - (at_ms - looked) for looked in looked_ms])
        self._before, self._sample = (at_ms, key), self._link.radio.sample
        self.rested_ms += at_ms - began_ms
        return at_ms

    def _sample_network(self, looked_ms: list[int]) -> None:
        """What the rules of roaming would have been told, at looks of the unit's own clock."""
        network, radio = self._link.network, self._link.radio
        for at_ms in looked_ms:
            at_s = network._start_s + at_ms // 1000
            if at_s - network._sampled_s >= SAMPLE_S:
                network._sampled_s = Now(at_s * 1000, 0, 1, 1000)
                network.known.sampled(at_s, radio.operator, radio.csq)
