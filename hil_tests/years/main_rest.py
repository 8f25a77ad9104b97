"""Skips the idle time of the main thread, in which it asks its modem the same questions and gets the same answers.

Theory of operation. While the main thread has nothing to send, or waits before the next attempt to connect, it waits
250 ms at a time. Each such wait begins a turn. What a turn does depends on the age of a few stamps (learned.py): the
turn looks at the signal every 10 s and, when connected, asks for data every 2 s. How long a turn lasts and which stamps
it renews depends on which of the two it does, and on when its pauses read the claims: this is its Kind. A kind is
learned by executing one such turn in which each answer of the modem equals the previous one, and nothing else happens.
From then on, its effect is looked up. By following these effects, a strand can sleep until the next moment that is
outside the regular turns. The comparisons that the product has made with its clock give that moment (moving.py), and
any change of the world ends the sleep at once.

A strand that has rested has every stamp, count and phase that it would have without the rest
(hil_tests/years/test_rest.py).
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

SLICE_MS = 20  # between two pauses of the main strand, as in modem/ports
HELD_MS = 120_000  # no rest after a fault that the modem can see: longer than the unit takes to notice it
HELD_BRIEFLY_MS = 10_000  # no rest after any other happening: time for its messages
LATE_MS = 2 * POLL_MS  # a comparison is repeated within this time, once a turn has made it


class MainRest:
    """The rests of one boot. `turn` is called when a wait of the main strand begins, and `rested` when it has slept."""

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
        self._said = False  # this turn has sent something to the modem
        self._polled_before: object = None  # at the beginning of this pause
        self._before: tuple[int, Ages, list[object]] | None = None  # when the turn began, and its ages and stamps then
        self._learned_in: Learned | None = None  # the Learned in use when the turn began
        self._sample = 0
        self._writes: int | None = None
        self._any, self._asking = DueTimes(LATE_MS), DueTimes(LATE_MS + ASK_AGAIN_MS)
        self._looking = DueTimes(LATE_MS + SAMPLE_MS)
        self._noted: list[Note] = []  # of this turn, outside its pauses
        self._settled = False  # the previous turn was regular and sent nothing
        self._seen_look = self._seen_ask = False  # such a turn was executed since the link was set up
        self._planned: tuple[int, Ages, list[int]] | None = None  # as _follow returns it
        self._held_until_ms = 0
        self.rested_ms = 0

    # Events.

    def hold(self, now_ms: int, ms: int) -> None:
        """Execute all turns for `ms`, because the world changes."""
        self._held_until_ms = max(self._held_until_ms, now_ms + ms)
        self.stir()

    def stir(self) -> None:
        """Mark this turn as irregular: nothing is learned from it."""
        self._quiet = False

    def said(self, data: bytes) -> None:
        self._answered()
        self._asked = data
        self._said = True

    def heard(self, chunk: bytes) -> None:
        self._dialogue += chunk

    def _answered(self) -> None:
        """Compare the modem's answer with its previous answer to the same command."""
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
        """Return whether this wait begins a turn: of the loop that serves a connection, or before the next attempt."""
        link = self._link
        return int(timeout_ms) == POLL_MS and link.state in ("proven", "registered") and not link.modem._command

    def turn(self, now_ms: int) -> None:
        """Learn from the turn that has ended, and begin the next one."""
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
                # A look that does not confirm the registration means that the unit is no longer registered.
                if env is self._learned_in and (not looked or renewed[1] is not None):
                    env.learn(before, Turn(now_ms - before_ms, renewed, looked, asked))
        self._sort_notes(is_turn, looked, said)
        self._before, self._sample = (now_ms, ages, stamps), sample
        self._quiet, self._said, self._learned_in = True, False, env

    def no_turn(self) -> None:
        """Handle any other wait: for an answer of the modem, which belongs to the current turn, or an irregular one."""
        self._take_notes()
        if not self._link.modem._command:
            self._before = None
            if self._link.state != "proven":
                self._seen_look = self._seen_ask = False

    def _env(self) -> Learned:
        """Return what was learned while the modem gave these answers."""
        radio, network, connected = self._link.radio, self._link.network, self._connected
        facts = (radio.csq, radio.operator, radio.cell, network._settled, connected)
        env = self._learned.get(facts)
        if env is None:
            env = self._learned[facts] = Learned(connected)
        return env

    def _take_notes(self) -> None:
        """Collect the notes made outside pauses since the last call."""
        if NOTES.noted:
            self._noted += NOTES.take()

    def _is_of_the_rhythm(self, stamp: Now | None) -> bool:
        return stamp is not None and (
            any(getattr(owner, name) is stamp for owner, name in self._places)
            or stamp is self._link.network._sampled_s
            or stamp is self._link.modem._deadline_ms
        )

    def pause(self) -> None:
        """Begin a pause."""
        self._take_notes()
        self._polled_before = self._persistence._polled_ms

    def paused(self) -> int:
        """End a pause. Return when a pause next has something to do.

        Claims that this pause has renewed have left no note, so they count as due after EVERY_MS.
        """
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
        """File the notes of a turn by the kind of turn that makes such comparisons.

        A turn that looks may also make the comparisons of an irregular turn. One turn that does not look has been
        executed before any rest, so its comparisons are known.
        """
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
        """Return the beginning of the turn up to which the strand may sleep, or `now_ms` if it may not.

        After an irregular turn, one turn that sends nothing is executed first, so that everything newly due has been
        noted.
        """
        if now_ms < self._held_until_ms or not self._settled:
            return now_ms
        any_ms = self._any.next_ms(now_ms) - 1
        asking_ms = min(any_ms, self._asking.next_ms(now_ms) - 1) if self._seen_ask else now_ms
        looking_ms = min(asking_ms, self._looking.next_ms(now_ms) - 1) if self._seen_look else now_ms
        self._planned = self._follow(any_ms, asking_ms, looking_ms)
        return self._planned[0]

    def _follow(self, until_ms: int, asks_until_ms: int, looks_until_ms: int) -> tuple[int, Ages, list[int]]:
        """Follow the learned turns to the last one that begins by `until_ms`.

        No turn before it that asks or looks ends after the limit for its kind. Return its beginning, its ages, and the
        times at which the signal was read before it.
        """
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
        """Set everything that the skipped turns would have set: the strand has slept until now.

        Return when the current turn began.
        """
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
            self._link._silence_ms += at_ms - began_ms  # its value at the beginning of the current turn
        self._link.radio.sample += len(looked_ms)
        self._unit.exchange.turns += 1
        self._unit.exchange.pauses += 1
        self._sample_network([base_ms - (at_ms - looked) for looked in looked_ms])
        self._before, self._sample = (at_ms, ages, self._stamps()), self._link.radio.sample
        self.rested_ms += at_ms - began_ms
        return at_ms

    def _polled(self, age_ms: int, wait_ms: int) -> Now:
        """Return when the claims were last renewed.

        `wait_ms` have passed since the wait began. At its beginning, the claims were `age_ms` old.
        """
        pause_ms = max(1, -((age_ms - EVERY_MS) // SLICE_MS)) * SLICE_MS
        polled_ms = wait_ms - pause_ms if pause_ms <= wait_ms else age_ms + wait_ms
        return Now(int(self._unit._clock.now_ms()) - polled_ms, NOTES.now_ms - 1)

    def _sample_network(self, looked_ms: list[int]) -> None:
        """Pass the skipped samples of the signal to the roaming rules. `looked_ms`: times of the unit's clock."""
        network, radio = self._link.network, self._link.radio
        for at_ms in looked_ms:
            at_s = network._start_s + at_ms // 1000
            if at_s - network._sampled_s >= SAMPLE_S:
                network._sampled_s = Now(at_s * 1000, 0, 1, 1000)
                network.known.sampled(at_s, radio.operator, radio.csq)
