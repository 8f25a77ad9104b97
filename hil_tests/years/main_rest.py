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
from sys import getrefcount
from typing import Any, NamedTuple

from firmware.link.network import SAMPLE_S
from firmware.link.radio_monitor import SAMPLE_MS
from firmware.link.uplink import POLL_MS
from hil_tests.years.moving import NOTES, Note, Now

HELD_MS = 120_000  # without rest, after somebody has touched what the modem sees: longer than it takes to notice
HELD_BRIEFLY_MS = 10_000  # after anything else, for what is told of it
LEARNED_MAX = 200_000  # turns
LEAP_TURNS = 64  # followed as one, once they are learned
ROUND_MS = SAMPLE_MS + 2 * POLL_MS  # within which each comparison of the rhythm is made anew
ONLY_OURS = 2  # references: that of Bounds, and the question's own
FAR_MS = 86_400_000

Key = tuple[int, ...]


class Turn(NamedTuple):
    """What a turn comes to."""

    lasts_ms: int
    then: Key
    looks: int  # at the signal


class Leap(NamedTuple):
    """What LEAP_TURNS on end come to; `looked_ms` is when the signal was looked at, after their beginning."""

    lasts_ms: int
    then: Key
    looked_ms: tuple[int, ...]


class Learned:
    """While the modem gives the same answers."""

    def __init__(self) -> None:
        self.turns: dict[Key, Turn] = {}
        self._leaps: dict[Key, Leap] = {}

    def leap(self, key: Key) -> Leap | None:
        """From there, if all of its turns are known."""
        leap = self._leaps.get(key)
        if leap is None and (leap := self._add_up(key)) is not None:
            self._leaps[key] = leap
        return leap

    def _add_up(self, key: Key) -> Leap | None:
        lasts_ms, looked_ms = 0, []
        for _ in range(LEAP_TURNS):
            turn = self.turns.get(key)
            if turn is None:
                return None
            lasts_ms, key = lasts_ms + turn.lasts_ms, turn.then
            if turn.looks:
                looked_ms.append(lasts_ms)
        return Leap(lasts_ms, key, tuple(looked_ms))


class Bounds:
    """When things are due that are not of the rhythm.

    One whose stamp the product has let go of is not due any more: nobody will compare with it again. One that is over may be
    seen as late as a round later, so nobody rests meanwhile.
    """

    def __init__(self) -> None:
        self._due: list[tuple[int, int]] = []  # when, and the id of its stamp or 0
        self._known: set[tuple[int, int]] = set()
        self._stamps: dict[int, tuple[Now, set[int]]] = {}  # each with when it is due

    def add(self, note: Note) -> None:
        stamp = note.stamp
        due = (note.at_ms, 0 if stamp is None else id(stamp))
        if due in self._known:
            return
        self._known.add(due)
        heapq.heappush(self._due, due)
        if stamp is not None:
            self._stamps.setdefault(id(stamp), (stamp, set()))[1].add(note.at_ms)

    def next_ms(self, now_ms: int) -> int:
        """The first that nobody has seen yet, or FAR_MS from now."""
        while self._due and (self._due[0][0] + ROUND_MS <= now_ms or self._is_gone(self._due[0][1])):
            self._forget(heapq.heappop(self._due))
        return self._due[0][0] if self._due else now_ms + FAR_MS

    def _is_gone(self, stamp_id: int) -> bool:
        return stamp_id != 0 and getrefcount(self._stamps[stamp_id][0]) <= ONLY_OURS

    def _forget(self, due: tuple[int, int]) -> None:
        self._known.discard(due)
        at_ms, stamp_id = due
        if stamp_id:
            left = self._stamps[stamp_id][1]
            left.discard(at_ms)
            if not left:
                del self._stamps[stamp_id]


class MainRest:
    """Of one boot. `begin` and `end` are the edges of each wait of the main strand."""

    def __init__(self, unit: Any, learned: dict[Any, Learned]) -> None:
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
        self._bounds = Bounds()
        self._settled = False  # the turn before was like others
        self._planned: tuple[int, Key, list[int]] | None = None  # where it sleeps to
        self._held_until_ms = 0
        self.rested_ms = 0

    # What happens.

    def hold(self, now_ms: int, ms: int) -> None:
        """Somebody touches the world: step for a while."""
        self._held_until_ms = max(self._held_until_ms, now_ms + ms)
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
        base_ms = int(self._unit._clock.now_ms())
        offsets = [base_ms - int(getattr(owner, name)) for owner, name in self._places]
        return (*offsets, base_ms - int(self._persistence._polled_ms))

    def may_rest(self, timeout_ms: int) -> bool:
        """A wait of the loop that serves a connection."""
        return int(timeout_ms) == POLL_MS and self._link.state == "proven" and not self._link.modem._command

    def turn(self, now_ms: int) -> None:
        """A turn begins: learn from the one before."""
        self.note()
        self._answered()
        key, sample = self._key(now_ms), self._link.radio.sample
        learned = self._env().turns
        writes = self._unit.flash_writes()
        if writes != self._writes:
            self._writes, self._quiet = writes, False
        self._settled = self._quiet and self._before is not None
        if self._settled and self._before is not None and len(learned) < LEARNED_MAX:
            before_ms, before = self._before
            learned[before] = Turn(now_ms - before_ms, key, sample - self._sample)
        self._before, self._sample, self._quiet = (now_ms, key), sample, True

    def no_turn(self) -> None:
        """Some other wait: for an answer of the modem, which belongs to its turn, or one that is like no other."""
        self.note()
        if not self._link.modem._command:
            self._before = None

    def _env(self) -> Learned:
        """What was learned while the modem gave these answers."""
        radio = self._link.radio
        return self._learned.setdefault((radio.csq, radio.operator, radio.cell), Learned())

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
                if id(note.stamp) not in stamps:
                    self._bounds.add(note)
        return due_ms

    def until_ms(self, now_ms: int) -> int:
        """To which turn the strand may sleep; now, if it may not. After a turn like no other one is stepped, so that whatever
        is due anew has been noted."""
        if now_ms < self._held_until_ms or not self._settled:
            return now_ms
        self._planned = self._follow(self._bounds.next_ms(now_ms) - 1)
        return self._planned[0]

    def _follow(self, until_ms: int) -> tuple[int, Key, list[int]]:
        """The last turn that begins by then: when, its key, and when the signal was looked at before it."""
        assert self._before is not None
        (at_ms, key), env, looked_ms = self._before, self._env(), []
        while (leap := env.leap(key)) is not None and at_ms + leap.lasts_ms <= until_ms:
            looked_ms += [at_ms + after_ms for after_ms in leap.looked_ms]
            at_ms, key = at_ms + leap.lasts_ms, leap.then
        learned = env.turns
        while (turn := learned.get(key)) is not None and at_ms + turn.lasts_ms <= until_ms:
            at_ms, key = at_ms + turn.lasts_ms, turn.then
            if turn.looks:
                looked_ms.append(at_ms)
        return at_ms, key, looked_ms

    def rested(self, now_ms: int) -> int:
        """The strand has slept until now: give it what it would have. Returns when the turn that it is in began."""
        assert self._before is not None
        began_ms = self._before[0]
        planned = self._planned
        at_ms, key, looked_ms = planned if planned is not None and planned[0] == now_ms else self._follow(now_ms)
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
