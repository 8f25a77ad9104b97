"""The talking half at rest: it asks its modem the same questions again and again, and gets the same answers.

Theory of operation. While there is nothing to say, and while it waits before it tries to connect again, the main strand waits
250 ms at a time; each such wait begins a turn. What a turn does is decided by how long ago each of a few stamps was renewed
(learned.py): it looks at the signal every 10 s, and on a connection asks for data every 2 s. What comes of a turn, how long it
lasts and which stamps it renews, depends on which of these two it does, and on when its pauses look at the claims: its Kind. A
kind is learned by stepping one such turn in which every answer of the modem was the one before, and nothing else happened;
from then on it is looked up. Followed far enough it has a strand sleep until the next moment that is not of this rhythm: what
the product compared its clock with tells when that is (moving.py), and whoever touches the world ends it at once.

A strand that has rested has every stamp, count and phase that it would have had without: hil_tests/years/test_rest.py.
"""

from typing import Any

from firmware.link.network import SAMPLE_S
from firmware.link.radio_monitor import SAMPLE_MS
from firmware.link.uplink import POLL_MS
from firmware.persistence import EVERY_MS
from hil_tests.years.due_times import FAR_MS, DueTimes
from hil_tests.years.learned import PLACES, Ages, Learned, Turn
from hil_tests.years.moving import NOTES, Note, Now
from modem.stream import ASK_AGAIN_MS

SLICE_MS = 20  # between two pauses of the main strand, as the ports have it
HELD_MS = 120_000  # without rest, after somebody has touched what the modem sees: longer than it takes to notice
HELD_BRIEFLY_MS = 10_000  # after anything else, for what is told of it
LATE_MS = 2 * POLL_MS  # within which a comparison is made anew, from the first turn on that makes it


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
        self._any, self._asking = DueTimes(LATE_MS), DueTimes(LATE_MS + ASK_AGAIN_MS)
        self._looking = DueTimes(LATE_MS + SAMPLE_MS)
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
                if env is self._learned_in and (
                    not looked or renewed[1] is not None
                ):  # else it is not registered any more
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
        """It is over. Returns when the next thing of any kind is due in one: of claims just renewed nothing was noted."""
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
        """By the turns that make such a comparison. What something else made, a turn that looks may make too: one that does
        not has been stepped before anybody rests."""
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
        """To which turn the strand may sleep; now, if it may not. After a turn like no other one is stepped that says nothing,
        so that whatever is due anew has been noted."""
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
        """When the claims were renewed last, so long after the beginning of a wait, when that was so old."""
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
