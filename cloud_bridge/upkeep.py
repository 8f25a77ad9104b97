"""What the bridge does by the clock: notices silence, rolls up, forgets. Never on the event loop, never in a hurry."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.alerts.alarm import (
    DELIVER_EVERY_S,
    DONE_EVERY_S,
    LOST_VEHICLES_EVERY_S,
    NOTICE_EVERY_S,
    TROUBLE_EVERY_S,
    WEAK_SIGNAL_EVERY_S,
    Alarm,
)
from cloud_bridge.clock import Step
from cloud_bridge.contact import Contact, UptimeLedger, judge
from cloud_bridge.durations import DAY_MS
from cloud_bridge.duties import Duties
from cloud_bridge.errors import StoreUnusable
from cloud_bridge.ingest.shard import ALL, Shard
from cloud_bridge.live import Live
from cloud_bridge.store.database import Database
from cloud_bridge.store.fleet import SilentMinute, silent_by_minute
from cloud_bridge.store.record import read_gaps, read_listened
from cloud_bridge.store.transitions import back, mark_back, mark_silent, overdue
from cloud_bridge.store.upkeep import (
    KEPT,
    LATE_MS,
    Cleared,
    Kept,
    forget,
    has_rows,
    oldest_end,
    read_cleared,
    record_cleared,
    record_verified,
    roll_up_signal,
    rolled_up_until,
    whole_buckets,
)
from cloud_bridge.verified_time import Clocks

SWEEP_EVERY_S = 5.0
ROLL_UP_EVERY_S = 300.0
KEEP_TIME_EVERY_S = 60.0
FORGET_EVERY_S = 3600.0
MARKED_AT_ONCE = 500  # in one transaction: the recorder waits for it

_log = logging.getLogger(__name__)


class Upkeep:
    """Its duties, each to be called again and again."""

    def __init__(
        self,
        database: Database,
        live: Live,
        ledger: UptimeLedger,
        clocks: Clocks,
        shard: Shard = ALL,
    ) -> None:
        self.silences: list[SilentMinute] = []  # as of the last look: who is silent, and what they have in common
        self._database = database
        self._live = live
        self._ledger = ledger
        self._clock = clocks.clock
        self._shard = shard
        self._verified = clocks.verified
        self._was_set = False  # our clock, since the last look for strays
        self._has_looked = False  # for strays, since the start
        self._rolled_up_ms: int | None = None

    def stepped(self, _step: Step) -> None:
        self._was_set = True

    def notice(self) -> tuple[list[str], list[str]]:
        """Store who fell silent and who came back since the last look; returns both. Raises SQLAlchemyError."""
        now_ms = self._clock.now_ms()
        self.learn()
        with self._database.reading() as connection:
            listened = {self._shard.number: self._ledger.listened_ms(now_ms), **self._ledger.others_listened_ms}
            suspects = overdue(connection, listened)
            returned = back(connection)
        silent = []
        for unit_id, silent_after_ms, stored in suspects:
            last = self._live.last_contact(unit_id, stored, self._ledger, now_ms)  # may be a commit newer
            if judge(last, now_ms, silent_after_ms).contact is Contact.SILENT:
                silent.append((unit_id, stored.at_ms))
        fell, came = [], []
        for some in _some_at_once(silent):
            with self._database.writing() as connection:
                fell += mark_silent(connection, some, now_ms)
        for some in _some_at_once(returned):
            with self._database.writing() as connection:
                came += mark_back(connection, some, now_ms)
        with self._database.reading() as connection:
            self.silences = silent_by_minute(connection)
        return fell, came

    def learn(self) -> None:
        """What the shards that share the units with this one have stored of their listening. Raises SQLAlchemyError."""
        if self._shard.of == 1:
            return
        with self._database.reading() as connection:
            others = {
                shard: listened
                for shard, listened in read_listened(connection).items()
                if shard != self._shard.number and shard <= self._shard.of  # not of when there were more
            }
            self._ledger.learn(read_gaps(connection), others, self._clock.now_ms())

    def roll_up(self) -> None:
        """Signal by five minutes, up to now. Raises SQLAlchemyError."""
        now_ms = self._clock.now_ms()
        with self._database.reading() as connection:
            if self._rolled_up_ms is None:
                self._rolled_up_ms = rolled_up_until(connection, now_ms)
            buckets = whole_buckets(connection, min(self._rolled_up_ms, now_ms) - LATE_MS, now_ms)
        for first_ms in buckets:
            with (
                self._database.writing() as connection
            ):  # a day of 2,000 units at once keeps the recorder out for 4.4 s
                roll_up_signal(connection, first_ms)
        self._rolled_up_ms = now_ms

    def keep_time(self) -> None:
        """What has verifiably passed, for the next process. Raises SQLAlchemyError."""
        self._verified.look()
        with self._database.writing() as connection:
            record_verified(connection, self._verified.now_ms())

    def forget(self) -> None:
        """What is older than it may be, both by our clock and by what has verifiably passed. Raises SQLAlchemyError."""
        verified_ms, wall_ms = self._verified.now_ms(), self._clock.now_ms()
        was_set, self._was_set = self._was_set, False
        try:
            for kept in KEPT:
                with self._database.reading() as connection:
                    before = read_cleared(connection, kept)
                cleared = self._clear(kept, before, min(wall_ms, verified_ms) - kept.days * DAY_MS)
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
        except StoreUnusable as error:  # the next hour
            _log.warning("%s", error)

    def _clear(self, kept: Kept, before: Cleared | None, to_ms: int) -> Cleared:
        if before is None:
            self._remove(kept, None, to_ms)
            return Cleared(to_ms, None)
        if to_ms > before.until_ms:
            self._remove(kept, before.until_ms, to_ms)
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

    def _remove(self, kept: Kept, from_ms: int | None, to_ms: int) -> None:
        while (end_ms := self._oldest_end(kept, from_ms, to_ms)) is not None:
            with self._database.writing() as connection:
                forget(connection, kept, from_ms, end_ms)
            from_ms = end_ms

    def _oldest_end(self, kept: Kept, from_ms: int | None, to_ms: int) -> int | None:
        with self._database.reading() as connection:
            return oldest_end(connection, kept, from_ms, to_ms)

    async def run(self, alarm: Alarm, duties: Duties) -> None:
        """All of it, for ever."""
        turns: list[tuple[float, str, Callable[[], object]]] = [
            (SWEEP_EVERY_S, "silences", self.notice),
            (ROLL_UP_EVERY_S, "signal", self.roll_up),
            (KEEP_TIME_EVERY_S, "verified_time", self.keep_time),
            (FORGET_EVERY_S, "retention", self.forget),
            (NOTICE_EVERY_S, "alerts", alarm.notice),
            (DELIVER_EVERY_S, "delivery", alarm.deliver),
            (WEAK_SIGNAL_EVERY_S, "weak_signal_alerts", alarm.notice_weak_signal),
            (TROUBLE_EVERY_S, "trouble_alerts", alarm.notice_trouble),
            (DONE_EVERY_S, "done_alerts", alarm.notice_done),
            (LOST_VEHICLES_EVERY_S, "lost_vehicle_alerts", alarm.notice_lost_vehicles),
        ]
        await asyncio.gather(
            *(duties.every(seconds, name, partial(asyncio.to_thread, turn)) for seconds, name, turn in turns)
        )


def _some_at_once(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (rows[at : at + MARKED_AT_ONCE] for at in range(0, len(rows), MARKED_AT_ONCE))
