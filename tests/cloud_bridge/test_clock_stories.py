"""Stories of a wall clock that jumps by anything at any time, and of restarts: are the claims about contact true?

While the wall clock is right, the last contact is not in the future and not older than an acknowledged message. With any
clock, no unit is called silent within 30 minutes of a message, and a silent unit is called silent in the end. What the pages
call silent is noticed for alerts at the same moment, and what they call online is noticed as back.

CLOCK_STORIES sets how many stories hypothesis makes (`make fuzz`: 10,000), and CLOCK_SEED their seed; without it, one is drawn
and printed. A failure prints the story. Ingest, contact, store and everything that keeps time are the product's; brokers and
sockets are left out. The recorder writes on the story's own thread, because waiting for another thread takes three times as
long.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, example, given, seed, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from cloud_bridge import contact, timekeeping
from cloud_bridge.contact import FUTURE_MS, SILENT_AFTER_MS, Contact, LastContact, judge
from cloud_bridge.counters import Counters
from cloud_bridge.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cloud_bridge.ingest.inbound import Ingest, Reporting
from cloud_bridge.ingest.unknown_clients import UnknownClients
from cloud_bridge.ingest.update_pieces import UpdatePieces
from cloud_bridge.security_log import SecurityLog
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.inbound_message import CanaryMark, InboundMessage
from cloud_bridge.store.record import ClockSet
from cloud_bridge.store.recorder import Item, OnCommit, Recorder
from cloud_bridge.store.tables import (
    clock_steps,
    contact_gaps,
    contacts,
    heartbeats,
    listening,
    listening_gaps,
    transitions,
    verified_time,
)
from cloud_bridge.store.units import add_unit
from cloud_bridge.timekeeping import begin_time, follow_steps
from cloud_bridge.unit_reports import UnitReports
from cloud_bridge.upkeep import Upkeep
from cloud_bridge.verified_time import AGREES_MS, Clocks
from tests.cloud_bridge.recording import last_contacts
from tests.cloud_bridge.running import Machine, store_at

FEW = 60
STORIES = int(os.environ.get("CLOCK_STORIES", FEW))
CANARY_MS = 10 * MINUTE_MS  # in these stories, so that hours need few commits; OUTAGE_AFTER_MS is raised with it
UNITS = ("cp-1", "cp-2")
# Clocks that differ by FUTURE_MS both count as right, or by AGREES_MS for a unit; steps smaller than STEP_MS are not seen.
TOLERANCE_MS = AGREES_MS + FUTURE_MS + 30_000
WRITTEN = (contacts, heartbeats, contact_gaps, transitions, listening, listening_gaps, clock_steps, verified_time)
EMPTIED = [delete(table) for table in WRITTEN]

Story = list[tuple[str, int | str | None]]

any_size = st.one_of(
    st.integers(-5000, 5000),
    st.integers(-2 * HOUR_MS, 2 * HOUR_MS),
    st.sampled_from([12 * HOUR_MS, 30 * DAY_MS, 400 * DAY_MS, 50 * 365 * DAY_MS]).flatmap(
        lambda ms: st.sampled_from([ms, -ms])
    ),
    st.integers(-50 * 365 * DAY_MS, 50 * 365 * DAY_MS),
)
actions = st.one_of(
    st.tuples(st.just("message"), st.sampled_from(UNITS)),
    st.tuples(st.just("message"), st.sampled_from(UNITS)),
    st.tuples(st.just("message with its time"), st.sampled_from(UNITS)),
    st.tuples(st.just("passes"), st.integers(0, 50 * MINUTE_MS)),
    st.tuples(st.just("set by"), any_size),
    st.tuples(st.just("set without a canary by"), any_size),
    st.tuples(st.just("killed, set by"), any_size),
    st.tuples(st.just("put right"), st.none()),
    st.tuples(st.just("restart"), st.integers(0, 3 * HOUR_MS)),
    st.tuples(st.just("restart, set by"), any_size),
    st.tuples(st.just("restart, put right"), st.none()),
)


class Shown(NamedTuple):
    last: LastContact | None
    contact: Contact
    now_ms: int


class Calls:
    """An event loop that calls immediately."""

    def call_soon_threadsafe(self, call: Any, *values: Any) -> None:
        call(*values)


class Writer(Recorder):
    """A recorder that commits before `put` returns."""

    def put(self, message: InboundMessage | CanaryMark, committed: OnCommit) -> bool:
        assert self._write([Item(message, committed)]) == [], self.trouble
        return True

    def stepped(self, done: ClockSet) -> None:
        self._clock_set.append(done)

    def store_steps(self) -> None:
        """Do immediately what its thread would do."""
        if self._clock_set:
            self._commit([])

    def kill(self) -> None:
        self._clock_set.clear()
        self.close()


class World:
    """One machine, its store, and true time, which is what its monotonic clock shows."""

    def __init__(self, database: Database) -> None:
        self.machine = Machine()
        self.wrong_by_ms = 0  # the wall clock's error
        self.heard: dict[str, int] = {}  # acknowledged messages, by true time
        self._database = database
        self._acknowledged = 0
        self._sent = 0
        self._start()

    @property
    def true_ms(self) -> int:
        return self.machine.wall_ms - self.wrong_by_ms

    def _start(self) -> None:
        clock, live, ledger, verified, between = begin_time(self._database, self.machine.clock)
        self._clock, self._live, self._ledger = clock, live, ledger
        calls: Any = Calls()
        self._recorder = Writer(self._database, calls, clock.now_ms, ledger)
        counters = Counters()
        clocks = Clocks(clock, verified)
        reports = UnitReports(self._database, clock, "here")
        pieces = UpdatePieces(self._database, verified, counters, 0, lambda: 0.0)
        security_log = SecurityLog(self._database, clocks)
        reporting = Reporting(counters, security_log, reports, UnknownClients(self._database), pieces)
        self._ingest = Ingest(live, self._recorder, reporting, clocks)
        self.upkeep = Upkeep(self._database, live, ledger, clocks)
        follow_steps(clock, live, ledger, verified, self._recorder, self.upkeep, counters, between=between)
        self._canary()

    def close(self) -> None:
        self._recorder.close()

    def play(self, action: tuple[str, int | str | None]) -> None:
        what, how = action
        ms = int(how) if isinstance(how, int) else -self.wrong_by_ms  # set to the right time
        if what.startswith("message"):
            self._message(str(how), "time" in what)
        elif what == "passes":
            self._passes(ms)
        elif what in ("set by", "put right"):
            self._set_by(ms)
            self._canary()
        elif what == "set without a canary by":
            self._set_by(ms)
            self._clock.now_ms()
        else:
            if what == "killed, set by":
                self._set_by(ms)
                self._clock.now_ms()
                self._recorder.kill()
            else:
                self.close()
                if what == "restart":
                    self.machine.advance(ms)
                else:
                    self._set_by(ms)
            self._start()
        self._recorder.store_steps()

    def _set_by(self, ms: int) -> None:
        if 0 < self.machine.wall_ms + ms < 4_102_444_800_000 * 2:
            self.machine.set_by(ms)
            self.wrong_by_ms += ms

    def _passes(self, ms: int) -> None:
        while ms > 0:
            self.machine.advance(min(ms, CANARY_MS))
            ms -= CANARY_MS
            self._canary()
        self.upkeep.keep_time()

    def _canary(self) -> None:
        self._ingest.take_canary(self._clock.now_ms(), lambda: None)

    def _message(self, unit_id: str, tells_time: bool) -> None:
        self._sent += 1
        before = self._acknowledged
        time = b',"t":%d' % (self.true_ms // 1000) if tells_time else b""
        payload = b'{"b":1,"n":%d%s}' % (self._sent, time)
        self._ingest.take(unit_id, "heartbeat", payload, self._clock.now_ms(), False, self._count)
        assert self._acknowledged == before + 1
        self.heard[unit_id] = self.true_ms

    def _count(self) -> None:
        self._acknowledged += 1

    def shown(self) -> dict[str, Shown]:
        """Return what the pages and the API show."""
        now_ms = self._clock.now_ms()
        with self._database.reading() as connection:
            stored = last_contacts(connection)
        shown = {}
        for unit_id in UNITS:
            last = self._live.last_contact(unit_id, stored.get(unit_id), self._ledger, now_ms)
            shown[unit_id] = Shown(last, judge(last, now_ms).contact, now_ms)
        return shown

    def noticed_silent(self) -> set[str]:
        """Return the units that alerts consider silent."""
        with self._database.reading() as connection:
            return set(
                connection.execute(select(contacts.c.unit_id).where(contacts.c.silent_ms.is_not(None))).scalars()
            )

    def check(self) -> None:
        fell, _ = self.upkeep.notice()
        noticed_silent = self.noticed_silent()
        for unit_id, shown in self.shown().items():
            if shown.contact is Contact.SILENT:
                assert unit_id in noticed_silent, "the alert is late"
            if shown.contact is Contact.ONLINE:
                assert unit_id not in noticed_silent, "the return is not noticed"
            heard_ms = self.heard.get(unit_id)
            if heard_ms is None:
                assert shown.contact is Contact.NEVER
                continue
            if self.true_ms - heard_ms <= SILENT_AFTER_MS:
                assert shown.contact is not Contact.SILENT
                assert unit_id not in fell
            assert shown.last is not None
            assert shown.last.at_ms <= shown.now_ms
            if self.wrong_by_ms == 0:
                assert shown.last.at_ms <= self.true_ms + TOLERANCE_MS, "in the future"
                assert shown.last.at_ms >= heard_ms - TOLERANCE_MS, "older than what was acknowledged"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(store_at(tmp_path))
    with database.writing() as connection:
        for unit_id in UNITS:
            add_unit(connection, unit_id, 0)
    yield database
    database.close()


@pytest.mark.timeout(300 + STORIES)
def test_no_clock_makes_a_false_claim(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact, "OUTAGE_AFTER_MS", CANARY_MS + 1000)
    monkeypatch.setattr(timekeeping._log, "disabled", True)  # there are a hundred thousand steps

    of_seed = int(os.environ.get("CLOCK_SEED", FEW if STORIES <= FEW else random.SystemRandom().randrange(2**32)))
    print(f"{STORIES} stories of CLOCK_SEED={of_seed}")

    @seed(of_seed)  # `make test` always runs the same stories, `make fuzz` others
    @settings(
        max_examples=STORIES,
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
    )
    @given(st.lists(actions, min_size=2, max_size=14))
    @example([("message", "cp-1"), ("restart", 0), ("set by", 12 * HOUR_MS), ("restart, set by", -50 * 365 * DAY_MS)])
    @example(
        [
            ("message", "cp-1"),
            ("set by", -3 * FUTURE_MS),
            ("restart, put right", None),
            ("set by", -2 * FUTURE_MS),
            ("restart, put right", None),
        ]
    )
    @example([("message", "cp-1"), ("set by", -3 * FUTURE_MS), ("restart", 0)])
    @example([("message", "cp-1"), ("restart, set by", 1_800_001), ("set by", 1_800_001)])
    @example(
        [("restart", 3 * HOUR_MS), ("restart, set by", -2 * HOUR_MS), ("message", "cp-1"), ("restart, put right", None)]
    )
    @example(
        [("restart, set by", -2 * HOUR_MS), ("restart", 3 * HOUR_MS), ("message", "cp-1"), ("restart, put right", None)]
    )
    @example([("message", "cp-1"), ("passes", 1_800_001), ("set by", 1_800_001), ("killed, set by", 0)])
    @example([("message", "cp-1"), ("set by", -1_920_002), ("restart", 0), ("put right", None), ("set by", -120_001)])
    @example(
        [
            ("set by", 20 * MINUTE_MS),
            ("message", "cp-1"),
            ("restart, put right", None),
            ("passes", 31 * MINUTE_MS),
        ]
    )
    @example(
        [
            ("set by", 40 * MINUTE_MS),
            ("message", "cp-1"),
            ("restart, put right", None),
            ("passes", 39 * MINUTE_MS),
            ("message", "cp-1"),
        ]
    )
    def story(played: Story) -> None:
        with database.writing() as connection:
            for emptied in EMPTIED:
                connection.execute(emptied)
        world = World(database)
        try:
            world.check()
            for action in played:
                world.play(action)
                world.check()
            world.play(("put right", None))
            world.check()
            for unit_id in UNITS:
                world.play(("message", unit_id))
                shown = world.shown()[unit_id]
                assert shown.contact is Contact.ONLINE
                assert shown.last is not None and abs(shown.last.at_ms - world.true_ms) <= TOLERANCE_MS
            for _ in range(2):
                world.play(("passes", 30 * MINUTE_MS))
                world.check()
            assert {shown.contact for shown in world.shown().values()} == {Contact.SILENT}, "in the end"
        except AssertionError as error:
            raise AssertionError(f"{error}; the story: {played}") from error
        finally:
            world.close()

    story()
