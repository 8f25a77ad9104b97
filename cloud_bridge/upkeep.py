"""Upkeep: the periodic work of the leading process. It detects silence, aggregates signal and deletes old rows, in
threads and in short transactions.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.alerts.alarm import (
    DELIVER_EVERY_S,
    DEPARTURES_EVERY_S,
    DONE_EVERY_S,
    LOST_VEHICLES_EVERY_S,
    NOTICE_EVERY_S,
    REPORTS_EVERY_S,
    TROUBLE_EVERY_S,
    WEAK_SIGNAL_EVERY_S,
    Alarm,
)
from cloud_bridge.clock import Step
from cloud_bridge.contact import Contact, UptimeLedger, judge
from cloud_bridge.durations import DAY_MS, HOUR_MS
from cloud_bridge.duties import Duties
from cloud_bridge.errors import StoreUnusable
from cloud_bridge.ingest.shard import ALL, NONE, Shard
from cloud_bridge.live import Live
from cloud_bridge.roll_out_decisions import DECIDE_EVERY_S, RINGS_EVERY_S, decide_all, give_all_rings
from cloud_bridge.settling import SETTLE_EVERY_S, settle_sessions
from cloud_bridge.store.chunk_removal import ChunkRemoval
from cloud_bridge.store.chunks import CHUNKED
from cloud_bridge.store.database import Database
from cloud_bridge.store.fleet import SilentMinute, silent_by_minute
from cloud_bridge.store.ownership import BUCKET_MS
from cloud_bridge.store.partitions import drop_partitions, make_partitions
from cloud_bridge.store.record import read_gaps, read_listened
from cloud_bridge.store.signal_averages import (
    FIVE_MINUTES,
    HOURS,
    LATE_MS,
    make_hours,
    next_hour,
    record_rolled_up,
    roll_up_signal,
    rolled_up_until,
    units_averaged,
    units_read,
)
from cloud_bridge.store.slices import in_slices, one_by_one
from cloud_bridge.store.transitions import back, mark_back, mark_silent, overdue
from cloud_bridge.store.upkeep import (
    KEPT,
    KEPT_FIVE_MINUTES,
    Cleared,
    Kept,
    forget,
    has_rows,
    may_go_until,
    oldest_ends,
    read_cleared,
    read_verified,
    record_cleared,
    record_verified,
)
from cloud_bridge.verified_time import Clocks

SWEEP_EVERY_S = 5.0
ROLL_UP_EVERY_S = 300.0
HOURS_SPAN_MS = 2 * DAY_MS  # the span whose hours are aggregated together
SPANS_AT_ONCE = 4  # spans in one turn: the backlog of a year of an older version takes four hours
KEEP_TIME_EVERY_S = 60.0
MAKE_PARTITIONS_EVERY_S = 600.0
FORGET_EVERY_S = 3600.0
MARKED_AT_ONCE = 100  # units in one step of a transaction

Turn = tuple[float, str, Callable[[], object]]  # pause in seconds, name of the duty, function

_log = logging.getLogger(__name__)


class Upkeep:
    """The upkeep duties. Each method is to be called periodically."""

    def __init__(
        self,
        database: Database,
        live: Live,
        ledger: UptimeLedger,
        clocks: Clocks,
        shard: Shard = ALL,
    ) -> None:
        self.silences: list[SilentMinute] = []  # as of the last turn: silent units, grouped by what they have in common
        self._database = database
        self._live = live
        self._ledger = ledger
        self._clock = clocks.clock
        self._shard = shard
        self._verified = clocks.verified
        self._was_set = False  # whether our clock has stepped since the last look for strays
        self._has_looked = False  # whether there was a look for strays since the start

    def stepped(self, _step: Step) -> None:
        """Note that our clock has stepped, so that `forget` looks for strays."""
        self._was_set = True

    def notice(self) -> tuple[list[str], list[str]]:
        """Store which units fell silent and which are back since the last turn. Return both lists. Raises
        SQLAlchemyError."""
        now_ms = self._clock.now_ms()
        self.learn()
        with self._database.reading() as connection:
            ours = {} if self._shard is NONE else {self._shard.number: self._ledger.listened_ms(now_ms)}
            listened = ours | self._ledger.others_listened_ms
            suspects = overdue(connection, listened) if listened else []
            returned = back(connection)
        silent = []
        for unit_id, silent_after_ms, stored in suspects:
            last = self._live.last_contact(unit_id, stored, self._ledger, now_ms)  # may be a commit newer
            if judge(last, now_ms, silent_after_ms).contact is Contact.SILENT:
                silent.append((unit_id, stored.at_ms))
        fell: list[str] = []
        came: list[str] = []
        self._do(_some_at_once(silent), lambda connection, some: fell.extend(mark_silent(connection, some, now_ms)))
        self._do(_some_at_once(returned), lambda connection, some: came.extend(mark_back(connection, some, now_ms)))
        with self._database.reading() as connection:
            self.silences = silent_by_minute(connection)
        return fell, came

    def follow(self) -> None:
        """Read from the store the silences that another process has detected, and its listening. Raises
        SQLAlchemyError."""
        self.learn()
        with self._database.reading() as connection:
            self.silences = silent_by_minute(connection)

    def learn(self) -> None:
        """Read the listening of the shards that share the units with this one. Raises SQLAlchemyError."""
        if self._shard.is_alone:
            return
        with self._database.reading() as connection:
            others = {
                shard: listened for shard, listened in read_listened(connection).items() if self._shard.is_other(shard)
            }
            self._ledger.learn(read_gaps(connection), others, self._clock.now_ms())

    def roll_up(self) -> None:
        """Aggregate signal into five-minute averages, up to now. Raises SQLAlchemyError."""
        now_ms = self._clock.now_ms()
        end_ms = now_ms - now_ms % BUCKET_MS
        with self._database.reading() as connection:
            since_ms = max(0, min(rolled_up_until(connection, FIVE_MINUTES), end_ms) - LATE_MS)
            since_ms -= since_ms % BUCKET_MS
            groups = list(units_read(connection, since_ms, end_ms))
        self._do(groups, lambda connection, unit_ids: roll_up_signal(connection, since_ms, end_ms, unit_ids))
        self._rolled_up(FIVE_MINUTES, end_ms)

    def roll_up_hours(self) -> None:
        """Aggregate five-minute averages that are final into hourly averages. Raises SQLAlchemyError."""
        now_ms = self._clock.now_ms()
        with self._database.reading() as connection:
            end_ms = max(0, min(rolled_up_until(connection, FIVE_MINUTES), now_ms) - LATE_MS)
            end_ms -= end_ms % HOUR_MS
            cleared = read_cleared(connection, KEPT_FIVE_MINUTES)
            since_ms = min(rolled_up_until(connection, HOURS), end_ms)
        if cleared is not None:  # older five-minute rows are from a wrong clock, and their hours exist already
            since_ms = max(since_ms, cleared.until_ms)
        for _ in range(SPANS_AT_ONCE):
            with self._database.reading() as connection:
                first_ms = next_hour(connection, since_ms, end_ms)
                if first_ms is None:
                    break
                since_ms = min(first_ms + HOURS_SPAN_MS, end_ms)
                groups = list(units_averaged(connection, first_ms, since_ms))
            self._do(groups, partial(self._make_hours, first_ms, since_ms))
            self._rolled_up(HOURS, since_ms)
        else:
            return  # the next turn continues
        self._rolled_up(HOURS, end_ms)

    @staticmethod
    def _make_hours(from_ms: int, until_ms: int, connection: Connection, unit_ids: Sequence[str]) -> None:
        make_hours(connection, from_ms, until_ms, unit_ids)

    def _do(self, parts: Iterable[Any], do: Callable[[Connection, Any], object]) -> None:
        """Call `do` with each part, in short transactions."""
        in_slices(self._database.writing_slice, one_by_one(parts, do))

    def _rolled_up(self, name: str, until_ms: int) -> None:
        with self._database.writing() as connection:
            record_rolled_up(connection, name, until_ms)

    def keep_time(self) -> None:
        """Store verified time for the next process. A process that receives no messages, and so has no witnesses, reads
        it instead. Raises SQLAlchemyError."""
        self._verified.look()
        if self._shard is NONE:
            with self._database.reading() as connection:
                self._verified.learn(read_verified(connection))
            return
        with self._database.writing() as connection:
            record_verified(connection, self._verified.now_ms())

    def forget(self) -> None:
        """Delete rows whose retention has ended both by our clock and by verified time. Raises SQLAlchemyError."""
        verified_ms, wall_ms = self._verified.now_ms(), self._clock.now_ms()
        was_set, self._was_set = self._was_set, False
        try:
            for kept in KEPT:
                with self._database.reading() as connection:
                    before = read_cleared(connection, kept)
                    to_ms = may_go_until(connection, kept, min(wall_ms, verified_ms) - kept.days * DAY_MS)
                cleared = self._clear(kept, before, to_ms)
                may_be_new = was_set or wall_ms < cleared.until_ms
                if may_be_new or cleared.strays_since_ms is not None or not self._has_looked:
                    cleared = self._look_for_strays(kept, cleared, verified_ms, may_be_new)
                if cleared != before:
                    with self._database.writing() as connection:
                        record_cleared(connection, kept, cleared)
        except SQLAlchemyError:
            self._was_set |= was_set
            raise
        self._has_looked = True
        try:
            self._database.empty_log()
        except StoreUnusable as error:  # retried in the next hour
            _log.warning("%s", error)

    def settle_sessions(self) -> None:
        """Find meter readings and vehicle of sessions that have ended recently. Raises SQLAlchemyError."""
        settle_sessions(self._database, self._clock.now_ms())

    def make_partitions(self) -> None:
        """Create the partitions of the next day, on PostgreSQL. Raises SQLAlchemyError."""
        make_partitions(self._database, self._clock.now_ms())

    def _clear(self, kept: Kept, before: Cleared | None, to_ms: int) -> Cleared:
        if before is None:
            self._remove(kept, None, to_ms, Cleared(0, None))
            return Cleared(to_ms, None)
        if to_ms > before.until_ms:
            self._remove(kept, before.until_ms, to_ms, before)
            return before._replace(until_ms=to_ms)
        return before

    def _look_for_strays(self, kept: Kept, cleared: Cleared, verified_ms: int, may_be_new: bool) -> Cleared:
        with self._database.reading() as connection:
            if not has_rows(connection, kept, cleared.until_ms):
                return cleared._replace(strays_since_ms=None)
        since_ms = cleared.strays_since_ms
        if since_ms is None or may_be_new:
            return cleared._replace(strays_since_ms=verified_ms)
        if verified_ms - since_ms <= kept.days * DAY_MS:
            return cleared
        self._remove(kept, None, cleared.until_ms)
        return cleared._replace(strays_since_ms=None)

    def _remove(self, kept: Kept, from_ms: int | None, to_ms: int, before: Cleared | None = None) -> None:
        """Delete rows from `from_ms` to `to_ms`. With `before`, progress is stored in each transaction, because readers
        of signal use it."""
        reached_ms = 0

        def reached(connection: Connection, until_ms: int) -> None:
            nonlocal reached_ms
            reached_ms = max(reached_ms, until_ms)
            if before is not None:
                record_cleared(connection, kept, before._replace(until_ms=reached_ms))

        def forget_until(connection: Connection, end_ms: int) -> None:
            nonlocal from_ms
            forget(connection, kept, from_ms, end_ms)
            reached(connection, end_ms)
            from_ms = end_ms

        if self._database.kind == "sqlite" and kept.table in CHUNKED:
            chunks = ChunkRemoval(kept.table, from_ms, to_ms, reached, kept is KEPT_FIVE_MINUTES)
            in_slices(partial(self._database.writing_slice, referred_to=False), chunks.step)
            return
        drop_partitions(self._database, kept.table, from_ms, to_ms, reached)
        while ends_ms := self._oldest_ends(kept, from_ms, to_ms):
            self._do(ends_ms, forget_until)

    def _oldest_ends(self, kept: Kept, from_ms: int | None, to_ms: int) -> list[int]:
        with self._database.reading() as connection:
            return oldest_ends(connection, kept, from_ms, to_ms)

    async def run(self, alarm: Alarm, duties: Duties) -> None:
        """Run all duties until cancelled, in the leading process."""
        turns: list[Turn] = [
            (SWEEP_EVERY_S, "silences", self.notice),
            (ROLL_UP_EVERY_S, "signal", self.roll_up),
            (ROLL_UP_EVERY_S, "signal_hours", self.roll_up_hours),
            (MAKE_PARTITIONS_EVERY_S, "partitions", self.make_partitions),
            (KEEP_TIME_EVERY_S, "verified_time", self.keep_time),
            (FORGET_EVERY_S, "retention", self.forget),
            (NOTICE_EVERY_S, "alerts", alarm.notice),
            (DELIVER_EVERY_S, "delivery", alarm.deliver),
            (WEAK_SIGNAL_EVERY_S, "weak_signal_alerts", alarm.notice_weak_signal),
            (TROUBLE_EVERY_S, "trouble_alerts", alarm.notice_trouble),
            (DONE_EVERY_S, "done_alerts", alarm.notice_done),
            (LOST_VEHICLES_EVERY_S, "lost_vehicle_alerts", alarm.notice_lost_vehicles),
            (RINGS_EVERY_S, "roll_out_rings", partial(give_all_rings, self._database)),
            (DEPARTURES_EVERY_S, "departure_alerts", alarm.notice_departures),
            (REPORTS_EVERY_S, "monthly_reports", alarm.notice_reports),
            (SETTLE_EVERY_S, "sessions", self.settle_sessions),
            (DECIDE_EVERY_S, "roll_outs", partial(decide_all, self._database, Clocks(self._clock, self._verified))),
        ]
        await _run(turns, duties)

    async def keep_time_for_ever(self, duties: Duties) -> None:
        """Run until cancelled the only duty that a process without pages has while another process leads."""
        await duties.every(KEEP_TIME_EVERY_S, "verified_time", partial(asyncio.to_thread, self.keep_time))

    async def stand_by(self, duties: Duties) -> None:
        """Run until cancelled the duties that a process has while another process leads."""
        await _run(
            [(SWEEP_EVERY_S, "silences", self.follow), (KEEP_TIME_EVERY_S, "verified_time", self.keep_time)], duties
        )


async def _run(turns: Sequence[Turn], duties: Duties) -> None:
    await asyncio.gather(
        *(duties.every(seconds, name, partial(asyncio.to_thread, turn)) for seconds, name, turn in turns)
    )


def _some_at_once(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (rows[at : at + MARKED_AT_ONCE] for at in range(0, len(rows), MARKED_AT_ONCE))
