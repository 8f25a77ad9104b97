"""Stories of a wall clock that jumps, by anything and at any time, and of restarts anywhere between: what is claimed?

While the wall clock is right, the last contact is not in the future and not older than a message that was acknowledged.
Right or wrong, no unit is called silent within 30 minutes of a message. And one that is silent is called so in the end.

CLOCK_STORIES sets how many stories hypothesis makes up (`make fuzz`: 10,000); a failure prints the story, and
`--hypothesis-seed` with the seed that the run prints plays it again. The store, the recorder and all that keeps time are the
product's; brokers and sockets are left out.
"""

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from cloud_bridge import contact
from cloud_bridge.contact import FUTURE_MS, SILENT_AFTER_MS, Contact, LastContact, judge
from cloud_bridge.counters import Counters
from cloud_bridge.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cloud_bridge.ingest.inbound import Ingest
from cloud_bridge.store import recorder as recorder_module
from cloud_bridge.store.access import Scope, token_for
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.recorder import Recorder
from cloud_bridge.store.tables import metadata
from cloud_bridge.store.units import add_unit, visible_unit
from cloud_bridge.timekeeping import begin_time, follow_steps
from cloud_bridge.upkeep import Upkeep
from cloud_bridge.verified_time import Clocks
from tests.cloud_bridge.recording import until
from tests.cloud_bridge.running import DEADLINE_S, Machine, store_at

FEW = 60
STORIES = int(os.environ.get("CLOCK_STORIES", FEW))
CANARY_MS = 4 * MINUTE_MS  # in these stories, to tell hours in few commits; OUTAGE_AFTER_MS is raised with it
UNITS = ("cp-1", "cp-2")
EVERYTHING = token_for(None, frozenset(Scope))
# Clocks that differ by FUTURE_MS are both right; beside that small steps are slewed, and smaller ones not seen.
TOLERANCE_MS = 2 * FUTURE_MS + CANARY_MS + 1000  # and an outage that is too short to be one


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
    st.tuples(st.just("passes"), st.integers(0, 50 * MINUTE_MS)),
    st.tuples(st.just("set by"), any_size),
    st.tuples(st.just("put right"), st.none()),
    st.tuples(st.just("restart"), st.integers(0, 3 * HOUR_MS)),
    st.tuples(st.just("restart, set by"), any_size),
    st.tuples(st.just("restart, put right"), st.none()),
)


class Shown(NamedTuple):
    last: LastContact | None
    contact: Contact
    now_ms: int


class World:
    """One machine, its store, and true time, which is what its monotonic clock shows."""

    def __init__(self, database: Database, loop: asyncio.AbstractEventLoop) -> None:
        self.machine = Machine()
        self.wrong_by_ms = 0  # of the wall clock
        self.heard: dict[str, int] = {}  # acknowledged, by true time
        self._database = database
        self._loop = loop
        self._acknowledged = 0
        self._sent = 0
        self._start()

    @property
    def true_ms(self) -> int:
        return self.machine.wall_ms - self.wrong_by_ms

    def _start(self) -> None:
        clock, live, ledger, verified, between = begin_time(self._database, self.machine.clock)
        self._clock, self._live, self._ledger = clock, live, ledger
        self._recorder = Recorder(self._database, self._loop, clock.now_ms, ledger)
        counters = Counters()
        clocks = Clocks(clock, verified)
        self._ingest = Ingest(live, self._recorder, counters, clocks)
        self.upkeep = Upkeep(self._database, live, ledger, clocks)
        follow_steps(clock, live, ledger, verified, self._recorder, self.upkeep, counters, between=between)
        self._canary()

    def close(self) -> None:
        self._recorder.close()

    def play(self, action: tuple[str, int | str | None]) -> None:
        what, how = action
        if what == "message":
            self._message(str(how))
        elif what == "passes":
            self._passes(int(how or 0))
        elif what == "set by":
            self._set_by(int(how or 0))
        elif what == "put right":
            self._set_by(-self.wrong_by_ms)
        else:
            self.close()
            if what == "restart":
                self.machine.advance(int(how or 0))
            else:
                self._set_by(int(how or 0) if what == "restart, set by" else -self.wrong_by_ms, running=False)
            self._start()

    def _set_by(self, ms: int, running: bool = True) -> None:
        if not 0 < self.machine.wall_ms + ms < 4_102_444_800_000 * 2:
            return
        self.machine.set_by(ms)
        self.wrong_by_ms += ms
        if running:
            self._canary()

    def _passes(self, ms: int) -> None:
        while ms > 0:
            self.machine.advance(min(ms, CANARY_MS))
            ms -= CANARY_MS
            self._canary()
            self.upkeep.keep_time()

    def _canary(self) -> None:
        self._ingest.take_canary(self._clock.now_ms(), lambda: None)
        self._until_idle()

    def _message(self, unit_id: str) -> None:
        self._sent += 1
        before = self._acknowledged
        self._ingest.take(
            unit_id, "heartbeat", b'{"b":1,"n":%d}' % self._sent, self._clock.now_ms(), False, self._count
        )
        self._until_idle()
        assert self._acknowledged == before + 1
        self.heard[unit_id] = self.true_ms

    def _count(self) -> None:
        self._acknowledged += 1

    def _until_idle(self) -> None:
        until(lambda: self._recorder.waiting == 0, f"all committed: {self._recorder.trouble}")
        done = threading.Event()
        self._loop.call_soon_threadsafe(done.set)  # behind the callbacks of what was committed
        assert done.wait(DEADLINE_S)

    def shown(self, unit_id: str) -> Shown:
        """As the pages and the interface judge it."""
        now_ms = self._clock.now_ms()
        with self._database.reading() as connection:
            unit = visible_unit(connection, EVERYTHING, unit_id)
        assert unit is not None
        last = self._live.last_contact(unit_id, unit.last_contact_ms, now_ms)
        at_ms, is_estimated = last or (None, False)
        gaps = self._ledger.not_heard(now_ms)
        return Shown(last, judge(at_ms, now_ms, gaps, unit.silent_after_ms, is_estimated).contact, now_ms)

    def check(self) -> None:
        fell, _ = self.upkeep.notice()
        for unit_id in UNITS:
            shown = self.shown(unit_id)
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
    yield database
    database.close()


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join(DEADLINE_S)
    loop.close()


@pytest.mark.timeout(300 + STORIES)
def test_no_clock_makes_a_false_claim(
    database: Database, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "GATHER_S", 0.0)
    monkeypatch.setattr(contact, "OUTAGE_AFTER_MS", CANARY_MS + 1000)

    @settings(
        max_examples=STORIES,
        deadline=None,
        print_blob=True,
        derandomize=STORIES <= FEW,  # `make test` plays the same ones every time, `make fuzz` others
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
    @example([("message", "cp-1"), ("set by", -1_920_002), ("restart", 0), ("put right", None), ("set by", -120_001)])
    def story(played: list[tuple[str, int | str | None]]) -> None:
        with database.writing() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(delete(table))
            for unit_id in UNITS:
                add_unit(connection, unit_id, 0)
        world = World(database, loop)
        try:
            world.check()
            for action in played:
                world.play(action)
                world.check()
            world.play(("put right", None))
            world.check()
            for unit_id in UNITS:
                world.play(("message", unit_id))
                shown = world.shown(unit_id)
                assert shown.contact is Contact.ONLINE
                assert shown.last is not None and abs(shown.last.at_ms - world.true_ms) <= TOLERANCE_MS
            for _ in range(3):
                world.play(("passes", 30 * MINUTE_MS))
                world.check()
            assert {world.shown(unit_id).contact for unit_id in UNITS} == {Contact.SILENT}, "in the end"
        except AssertionError as error:
            raise AssertionError(f"{error}; the story: {played}") from error
        finally:
            world.close()

    story()
