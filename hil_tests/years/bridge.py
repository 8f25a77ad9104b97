"""The bridge on virtual time: the product's ingest, contact, store and upkeep, assembled as in cloud_bridge/roles.

The recorder runs as a strand instead of a thread. No canaries are sent. Instead, they are counted on demand: while the
path is whole, one canary arrives every five seconds.
"""

import json
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from cloud_bridge.clock import Clock, Step, SystemClock
from cloud_bridge.contact import OUTAGE_AFTER_MS, SILENT_AFTER_MS, Verdict, judge
from cloud_bridge.counters import Counters
from cloud_bridge.ingest.inbound import Ingest, Reporting
from cloud_bridge.ingest.shard import ALL
from cloud_bridge.ingest.unknown_clients import UnknownClients
from cloud_bridge.security_log import SecurityLog
from cloud_bridge.store import recorder as recorders
from cloud_bridge.store.database import FILE_NAME, Database, open_database
from cloud_bridge.store.inbound_message import CanaryMark
from cloud_bridge.store.record import record_listening
from cloud_bridge.store.units import add_unit, credentials_of
from cloud_bridge.timekeeping import begin_time, follow_steps
from cloud_bridge.unit_reports import UnitReports
from cloud_bridge.upkeep import Upkeep
from cloud_bridge.verified_time import Clocks
from hil_tests.years.doors import Strand, Time, current_strand
from hil_tests.years.virtual_loop import VirtualLoop

CANARY_MS = 5000  # ingest/canary.py
STORED_MS = 3_600_000  # how often the listening time is stored and the hourly upkeep runs
SWEEP_MS = 5000  # upkeep.SWEEP_EVERY_S; sweeps that cannot find a change of contact are skipped


@cache
def _new_database() -> bytes:
    """Return the content of a database file that has all tables and no rows. Cached, because creating it is slow."""
    with tempfile.TemporaryDirectory() as folder:
        open_database(Path(folder) / "new").close()
        return (Path(folder) / "new" / FILE_NAME).read_bytes()


class WallClock:
    """The wall clock of the bridge's machine. It is wrong by `error_ms`."""

    def __init__(self, world_time: Time) -> None:
        self._time = world_time
        self.error_ms = 0

    def now_ms(self) -> int:
        return self._time.epoch_s * 1000 + self._time.ms() + self.error_ms


class Condition:
    """A threading.Condition for strands. Strands never run concurrently, so nothing is locked."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._waiting: Strand | None = None

    def __enter__(self) -> "Condition":
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing: no lock is held."""

    def wait(self, timeout: float | None = None) -> None:
        self._waiting = strand = current_strand()
        strand.wait(None if timeout is None else self._loop.time() + timeout)

    def wait_for(self, predicate: Callable[[], bool], timeout: float) -> None:
        until_s = self._loop.time() + timeout
        while not predicate() and self._loop.time() < until_s:
            self.wait(until_s - self._loop.time())

    def notify(self) -> None:
        if self._waiting is not None:
            self._waiting.wake()


class Threads:
    """A stand-in for the module `threading`, with the names that the recorder uses."""

    def __init__(self, loop: VirtualLoop, failed: Callable[[BaseException], None]) -> None:
        self._loop, self._failed = loop, failed
        self.strands: list[Strand] = []

    def RLock(self) -> AbstractContextManager[None]:  # noqa: N802  # its name there
        return nullcontext()

    def Condition(self, lock: AbstractContextManager[None]) -> Condition:  # noqa: N802  # its name there
        return Condition(self._loop)

    def Thread(self, target: Callable[[], object], name: str) -> Strand:  # noqa: N802  # its name there
        self.strands.append(Strand(self._loop, target, self._failed))
        return self.strands[-1]


class Bridge:
    """One bridge process, from `start` to `kill`. Its database stays in `folder`."""

    def __init__(
        self, loop: VirtualLoop, world_time: Time, folder: Path, failed: Callable[[BaseException], None]
    ) -> None:
        self._loop, self._time = loop, world_time
        self.wall = WallClock(world_time)
        self.clock: Clock = self.wall  # from `start` on, the product's SystemClock over `wall`
        self._failed = failed
        folder.mkdir(parents=True)
        (folder / FILE_NAME).write_bytes(_new_database())
        self.database: Database = open_database(folder)
        self.database_away = False
        self.hears = True  # the path of the canaries, and so of the units, is whole
        self.running = False
        self.sends: Callable[[str, bytes], bool] = lambda unit_id, payload: False
        self.fell_silent: list[tuple[int, str]] = []
        self.came_back: list[tuple[int, str]] = []
        self._folder = folder

    def add(self, unit_id: str, secret: str) -> None:
        with self.database.writing() as connection:
            add_unit(connection, unit_id, self.clock.now_ms(), secret)

    def lose_database(self) -> Callable[[], None]:
        """Make every transaction fail until the returned function is called."""
        names = "writing", "writing_slice", "reading"

        def refuse(*_: Any, **__: Any) -> Any:
            raise OperationalError("a statement", None, ConnectionError("the database is away"))

        for name in names:
            setattr(self.database, name, refuse)
        self.database_away = True

        def back() -> None:
            for name in names:
                delattr(self.database, name)
            self.database_away = False

        return back

    def start(self) -> None:
        threads = Threads(self._loop, self._failed)
        clock, live, ledger, verified, between = begin_time(
            self.database, lambda floor_ms: SystemClock(floor_ms, self.wall.now_ms, self._time.ms), ALL, None
        )
        self.clock, self.live, self.ledger = clock, live, ledger
        with patch.object(recorders, "threading", threads):
            self.recorder = recorders.Recorder(self.database, self._loop, self.clock.now_ms, ledger)
        self._strands = threads.strands
        self.counters = Counters()
        clocks = Clocks(clock, verified)
        reporting = Reporting(
            self.counters,
            SecurityLog(self.database, clocks),
            UnitReports(self.database, clock, "part 1"),
            UnknownClients(self.database),
        )
        self.ingest = Ingest(live, self.recorder, reporting, clocks, ALL)
        self.upkeep = Upkeep(self.database, live, ledger, clocks, ALL)
        steps = live, ledger, verified, self.recorder, self.upkeep, self.counters, ALL.number, between
        follow_steps(clock, *steps)
        cast(SystemClock, clock).on_step(self._stepped)
        self.running = True
        self._counted_ms, self._hours = self.clock.now_ms(), 0
        ledger.heartbeat_ok(self._counted_ms)
        self._sweep = self._loop.call_later(SWEEP_MS / 1000, self._look)
        self._heard_ms = self._counted_ms
        self._is_silent = self._stored_silent()  # and no return of the unit is stored yet
        self._may_return = False
        self._hourly = self._loop.call_later(STORED_MS / 1000, self._keep)

    def set_clock(self, error_ms: int) -> None:
        """Make the machine's clock wrong by `error_ms` from now on. The bridge notices the step at its next reading."""
        if self.running:
            self._count()
        self.wall.error_ms = error_ms
        self.clock.now_ms()

    def hear(self, hears: bool) -> None:
        """Set whether units and canaries reach the bridge from now on."""
        if self.running:
            self._count()
        self.hears = hears

    def _stepped(self, step: Step) -> None:
        self._counted_ms += step.by_ms
        self._heard_ms += step.by_ms

    def kill(self) -> None:
        """End the process as kill -9 does: what was not committed is lost."""
        self._count()
        self.running = False
        self._sweep.cancel()
        self._hourly.cancel()
        for strand in self._strands:
            strand.end()

    def take(self, unit_id: str, kind: str, payload: bytes, again: bool, committed: Callable[[], object]) -> bool:
        """Pass a PUBLISH of a unit that has logged in to the ingest. Return False if the ingest cannot take it now."""
        self._count()
        self._heard_ms = self.clock.now_ms()
        if self._is_silent and not self._may_return:
            self._may_return = True
            self._sweep.cancel()
            self._sweep = self._loop.call_later(SWEEP_MS / 1000, self._look)
        return self.ingest.take(unit_id, kind, payload, self.clock.now_ms(), again, committed)

    def verdict(self, unit_id: str) -> tuple[int | None, Verdict]:
        """Return what the dashboard shows now: the last contact (bridge clock, ms, or None) and the verdict on it."""
        self._count()
        now_ms = self.clock.now_ms()
        last = self.live.last_contact(unit_id, None, self.ledger, now_ms)
        return (None if last is None else last.at_ms), judge(last, now_ms)

    def rows(self, table: str, unit_id: str) -> list[dict[str, Any]]:
        """Return the stored payloads of a unit from this table."""
        with self.database.reading() as connection:
            found = connection.execute(text(f"SELECT payload FROM {table} WHERE unit_id = :unit"), {"unit": unit_id})
            return [json.loads(row[0]) for row in found]

    def secret_changed_ms(self, unit_id: str) -> int | None:
        with self.database.reading() as connection:
            return credentials_of(connection, unit_id)

    def _count(self) -> None:
        """Count the canaries that have arrived since the last call."""
        now_ms = self.clock.now_ms()
        if not self.hears or not self.running or self.database_away or self.recorder.trouble is not None:
            self._counted_ms = now_ms
            return
        for step_ms in (OUTAGE_AFTER_MS // CANARY_MS * CANARY_MS, CANARY_MS):  # the longer step first
            while self._counted_ms + step_ms <= now_ms:
                self._counted_ms += step_ms
                self.ledger.heartbeat_ok(self._counted_ms)

    def _stored_silent(self) -> bool:
        with self.database.reading() as connection:
            return connection.execute(text("SELECT 1 FROM contacts WHERE silent_ms IS NOT NULL")).first() is not None

    def _look(self) -> None:
        """Sweep for changes of contact, and schedule the next sweep that may find one."""
        if self.database_away:
            self._sweep = self._loop.call_later(SWEEP_MS / 1000, self._look)
            return
        self._count()
        now_ms = self.clock.now_ms()
        if self._may_return or now_ms - self._heard_ms > SILENT_AFTER_MS:
            fell, came = self.upkeep.notice()
            self.fell_silent += [(now_ms, unit_id) for unit_id in fell]
            self.came_back += [(now_ms, unit_id) for unit_id in came]
            self._is_silent = (self._is_silent or bool(fell)) and not came
            self._may_return = self._may_return and self._is_silent
        due_ms = max(SWEEP_MS, self._heard_ms + SILENT_AFTER_MS + SWEEP_MS - now_ms)
        if self._is_silent:
            due_ms = SWEEP_MS if self._may_return else STORED_MS
        self._sweep = self._loop.call_later(due_ms / 1000, self._look)

    def _keep(self) -> None:
        if self.database_away:
            self._hourly = self._loop.call_later(SWEEP_MS / 1000, self._keep)
            return
        self._count()
        last_ok_ms = self.ledger.last_ok_ms or 0
        with self.database.writing() as connection:
            record_listening(connection, CanaryMark(last_ok_ms, 1, self.ledger.listened_ms(last_ok_ms), 0), None)
        self._hours += 1
        if self._hours % 24 == 0:
            self.upkeep.keep_time()
            self.upkeep.roll_up()
            self.upkeep.forget()
        self._hourly = self._loop.call_later(STORED_MS / 1000, self._keep)
