"""The talking half at rest: it asks its modem the same questions again and again, and gets the same answers.

Theory of operation. While there is nothing to say, and while it waits before it tries to connect again, the main strand waits
250 ms at a time; each such wait begins a turn. What a turn does is decided by how long ago each of a few stamps was renewed
(PLACES): it looks at the signal every 10 s, and on a connection asks for data every 2 s. What comes of a turn, how long it
lasts and which stamps it renews, depends on which of these two it does, and on when its pauses look at the claims: its Kind. A
kind is learned by stepping one such turn in which every answer of the modem was the one before, and nothing else happened;
from then on it is looked up. Followed far enough it has a strand sleep until the next moment that is not of this rhythm: what
the product compared its clock with tells when that is (moving.py), and whoever touches the world ends it at once.

A strand that has rested has every stamp, count and phase that it would have had without: hil_tests/years/test_rest.py.
"""

import heapq
from sys import getrefcount
from typing import Any, NamedTuple

from firmware.link.network import SAMPLE_S
from firmware.link.radio_monitor import SAMPLE_MS
from firmware.link.uplink import POLL_MS
from firmware.persistence import EVERY_MS
from hil_tests.years.moving import NOTES, Note, Now
from modem.stream import ASK_AGAIN_MS

SLICE_MS = 20  # between two pauses of the main strand, as the ports have it
HELD_MS = 120_000  # without rest, after somebody has touched what the modem sees: longer than it takes to notice
HELD_BRIEFLY_MS = 10_000  # after anything else, for what is told of it
NEAR_MS = 500  # longer than a look takes: within it, a turn that looks may ask, or not
ROUND_TURNS = 64  # more than there are between two looks
LATE_MS = 2 * POLL_MS  # within which a comparison is made anew, from the first turn on that makes it
ONLY_OURS = 2  # references: that of Bounds, and the question's own
FAR_MS = 86_400_000
PLACES = 3  # of `ages`: when the signal was sampled, when it was registered, when data were asked for; then, of the claims

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


class Bounds:
    """When things are due that are not of the rhythm, of the comparisons that turns of one sort make.

    One whose stamp the product has let go of is not due any more: nobody will compare with it again. One that is over may be
    seen as late as the next turn of that sort ends, so none of those is rested over meanwhile.
    """

    def __init__(self, late_ms: int) -> None:
        self._late_ms = late_ms
        self._due: list[tuple[int, int]] = []  # when, and the id of its stamp or 0
        self._known: set[tuple[int, int]] = set()
        self._stamps: dict[int, tuple[Now, set[int]]] = {}  # each with when it is due

    def knows(self, note: Note) -> bool:
        return (note.at_ms, id(note.stamp) if note.stamp is not None else 0) in self._known

    def drop(self, note: Note) -> None:
        """Every turn makes it: another Bounds has it."""
        due = (note.at_ms, id(note.stamp) if note.stamp is not None else 0)
        if due in self._known:
            self._forget(due)

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
        while self._due and (
            self._due[0] not in self._known
            or self._due[0][0] + self._late_ms <= now_ms
            or self._is_gone(self._due[0][1])
        ):
            self._forget(heapq.heappop(self._due))
        return self._due[0][0] if self._due else now_ms + FAR_MS

    def _is_gone(self, stamp_id: int) -> bool:
        return stamp_id != 0 and getrefcount(self._stamps[stamp_id][0]) <= ONLY_OURS

    def _forget(self, due: tuple[int, int]) -> None:
        if due not in self._known:
            return
        self._known.discard(due)
        at_ms, stamp_id = due
        if stamp_id:
            left = self._stamps[stamp_id][1]
            left.discard(at_ms)
            if not left:
                del self._stamps[stamp_id]


class MainRest:
    """Of one boot. `turn` and `rested` are the edges of each wait of the main strand."""

    def __init__(self, unit: Any, learned: dict[Any, Learned]) -> None:
        self._unit = unit
        self._learned = learned
        self._link = unit.link
        self._stream, radio = self._link._bearer.stream, self._link.radio
        self._persistence = unit.health.persistence
        self._places: tuple[tuple[Any, str], ...] = (
            (radio, "_sampled_ms"),
            (radio, "_registered_ms"),
            (self._stream, "_asked_ms"),
            (self._persistence, "_polled_ms"),
        )
        self._answers: dict[bytes, bytes] = {}
        self._dialogue = bytearray()
        self._asked = b""
        self._quiet = False
        self._said = False  # in this turn, anything to the modem
        self._polled_before: object = None  # in this pause
        self._before: tuple[int, Ages, list[object]] | None = None  # when the turn began, and the stamps then
        self._learned_in: Learned | None = None  # what it was when the turn began
        self._sample = 0
        self._writes: int | None = None
        self._any, self._asking = Bounds(LATE_MS), Bounds(LATE_MS + ASK_AGAIN_MS)
        self._looking = Bounds(LATE_MS + SAMPLE_MS)
        self._noted: list[Note] = []  # in this turn, outside of its pauses
        self._settled = False  # the turn before was like others
        self._seen_look = self._seen_ask = False  # on this way to the cloud
        self._planned: tuple[int, Ages, list[int]] | None = None  # where it sleeps to
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
        self._said = True

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

    @property
    def _connected(self) -> bool:
        return not self._stream._error

    def _ages(self) -> Ages:
        now_ms = int(self._unit._clock.now_ms())
        ages = [now_ms - int(getattr(owner, name)) for owner, name in self._places]
        if not self._connected:
            ages[PLACES - 1] = 0
        return tuple(ages)

    def _stamps(self) -> list[object]:
        return [getattr(owner, name) for owner, name in self._places]

    def may_rest(self, timeout_ms: int) -> bool:
        """A wait of the loop that serves a connection, or of the one before the next attempt."""
        link = self._link
        return int(timeout_ms) == POLL_MS and link.state in ("proven", "registered") and not link.modem._command

    def turn(self, now_ms: int) -> None:
        """A turn begins: learn from the one before."""
        self._take_notes()
        self._answered()
        ages, sample = self._ages(), self._link.radio.sample
        writes = self._unit.flash_writes()
        if writes != self._writes:
            self._writes, self._quiet = writes, False
        is_turn = self._before is not None
        looked, said, stamps, env = sample != self._sample, self._said, self._stamps(), self._env()
        self._settled = self._quiet and is_turn and not said
        if self._before is not None:
            self._seen_look, self._seen_ask = self._seen_look or looked, self._seen_ask or (said and not looked)
            before_ms, before, older = self._before
            if self._quiet:
                renewed = tuple(
                    age_ms if stamp is not old else None for age_ms, stamp, old in zip(ages, stamps, older, strict=True)
                )
                asked = self._connected and renewed[PLACES - 1] is not None
                if env is self._learned_in and (not looked or renewed[1] is not None):  # else it is not registered any more
                    env.learn(before, Turn(now_ms - before_ms, renewed, looked, asked))
        self._sort_notes(is_turn, looked, said)
        self._before, self._sample = (now_ms, ages, stamps), sample
        self._quiet, self._said, self._learned_in = True, False, env

    def no_turn(self) -> None:
        """Some other wait: for an answer of the modem, which belongs to its turn, or one that is like no other."""
        self._take_notes()
        if not self._link.modem._command:
            self._before = None
            if self._link.state != "proven":
                self._seen_look = self._seen_ask = False

    def _env(self) -> Learned:
        """What was learned while the modem gave these answers."""
        radio, network, connected = self._link.radio, self._link.network, self._connected
        facts = (radio.csq, radio.operator, radio.cell, network._settled, connected)
        env = self._learned.get(facts)
        if env is None:
            env = self._learned[facts] = Learned(connected)
        return env

    def _take_notes(self) -> None:
        """What was compared since the last time, outside of pauses."""
        if NOTES.noted:
            self._noted += NOTES.take()

    def _is_of_the_rhythm(self, stamp: Now | None) -> bool:
        return stamp is not None and (
            any(getattr(owner, name) is stamp for owner, name in self._places)
            or stamp is self._link.network._sampled_s
            or stamp is self._link.modem._deadline_ms
        )

    def pause(self) -> None:
        """It begins."""
        self._take_notes()
        self._polled_before = self._persistence._polled_ms

    def paused(self) -> int:
        """It is over. Returns when the next thing of any kind is due in one: of claims that it has renewed nothing was noted."""
        was_renewed = self._persistence._polled_ms is not self._polled_before
        due_ms = NOTES.now_ms + (EVERY_MS if was_renewed else FAR_MS)
        for note in NOTES.take():
            if note.at_ms > NOTES.now_ms:
                due_ms = min(due_ms, note.at_ms)
                if not self._is_of_the_rhythm(note.stamp):
                    self._add_to_any(note)
        return due_ms

    def _add_to_any(self, note: Note) -> None:
        if not self._any.knows(note):
            self._any.add(note)
            self._asking.drop(note)
            self._looking.drop(note)

    def _sort_notes(self, is_turn: bool, looked: bool, said: bool) -> None:
        """By the turns that make such a comparison. What something else made, a turn that looks may make too: one that does not
        has been stepped before anybody rests."""
        every, asks = is_turn and not said, is_turn and said and (not looked or self._connected)
        for note in self._noted:
            if note.at_ms <= NOTES.now_ms or self._is_of_the_rhythm(note.stamp):
                continue
            if every:
                self._add_to_any(note)
            elif not self._any.knows(note):
                self._looking.add(note)
                if asks:
                    self._asking.add(note)
        self._noted.clear()

    def until_ms(self, now_ms: int) -> int:
        """To which turn the strand may sleep; now, if it may not. After a turn like no other one is stepped that says nothing, so
        that whatever is due anew has been noted."""
        if now_ms < self._held_until_ms or not self._settled:
            return now_ms
        any_ms = self._any.next_ms(now_ms) - 1
        asking_ms = min(any_ms, self._asking.next_ms(now_ms) - 1) if self._seen_ask else now_ms
        looking_ms = min(asking_ms, self._looking.next_ms(now_ms) - 1) if self._seen_look else now_ms
        self._planned = self._follow(any_ms, asking_ms, looking_ms)
        return self._planned[0]

    def _follow(self, until_ms: int, asks_until_ms: int, looks_until_ms: int) -> tuple[int, Ages, list[int]]:
        """The last turn that begins by then, and none before it that asks or looks ends later than that: when, its ages, and
        when the signal was looked at before it."""
        assert self._before is not None
        (at_ms, ages, _), env, looked_ms = self._before, self._env(), []
        while (whole := env.round(ages)) is not None and at_ms + whole.lasts_ms <= looks_until_ms:
            looked_ms.append(at_ms + whole.looked_ms)
            at_ms, ages = at_ms + whole.lasts_ms, whole.then
        while (turn := env.turn(ages)) is not None:
            last_ms = looks_until_ms if turn.looks else asks_until_ms if turn.asks else until_ms
            if at_ms + turn.lasts_ms > last_ms:
                break
            if turn.looks:
                looked_ms.append(at_ms + turn.looked_ms)
            at_ms, ages = at_ms + turn.lasts_ms, env.after(ages, turn)
        return at_ms, ages, looked_ms

    def rested(self, now_ms: int) -> int:
        """The strand has slept until now: give it what it would have. Returns when the turn that it is in began."""
        assert self._before is not None
        began_ms = self._before[0]
        planned = self._planned
        if planned is None or planned[0] != now_ms:
            planned = self._follow(now_ms, now_ms, now_ms)
        at_ms, ages, looked_ms = planned
        self._persistence._polled_ms = self._polled(ages[-1], now_ms - at_ms)
        if at_ms == began_ms:
            return at_ms
        base_ms = int(self._unit._clock.now_ms()) - (now_ms - at_ms)
        connected = self._connected
        for place, ((owner, name), age_ms) in enumerate(zip(self._places[:PLACES], ages, strict=False)):
            if connected or place != PLACES - 1:
                setattr(owner, name, Now(base_ms - age_ms, now_ms - 1))
        if connected:
            self._link._silence_ms += at_ms - began_ms  # as it was when the turn began
        self._link.radio.sample += len(looked_ms)
        self._unit.exchange.turns += 1
        self._unit.exchange.pauses += 1
        self._sample_network([base_ms - (at_ms - looked) for looked in looked_ms])
        self._before, self._sample = (at_ms, ages, self._stamps()), self._link.radio.sample
        self.rested_ms += at_ms - began_ms
        return at_ms

    def _polled(self, age_ms: int, wait_ms: int) -> Now:
        """When the claims were renewed last, of a wait that so far had lasted so long, and at whose beginning that was so old."""
        pause_ms = max(1, -((age_ms - EVERY_MS) // SLICE_MS)) * SLICE_MS
        polled_ms = wait_ms - pause_ms if pause_ms <= wait_ms else age_ms + wait_ms
        return Now(int(self._unit._clock.now_ms()) - polled_ms, NOTES.now_ms - 1)

    def _sample_network(self, looked_ms: list[int]) -> None:
        """What the rules of roaming would have been told, at looks of the unit's own clock."""
        network, radio = self._link.network, self._link.radio
        for at_ms in looked_ms:
            at_s = network._start_s + at_ms // 1000
            if at_s - network._sampled_s >= SAMPLE_S:
                network._sampled_s = Now(at_s * 1000, 0, 1, 1000)
                network.known.sampled(at_s, radio.operator, radio.csq)
