"""What the bridge does by the clock: notices silence, rolls up, forgets. Never on the event loop, never in a hurry."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.alerts.alarm import NOTICE_EVERY_S, TROUBLE_EVERY_S, WEAK_SIGNAL_EVERY_S, Alarm
from cloud_bridge.clock import Clock
from cloud_bridge.contact import Contact, UptimeLedger, judge, later
from cloud_bridge.errors import StoreUnusable
from cloud_bridge.ingest.shard import ALL, Shard
from cloud_bridge.live import Live
from cloud_bridge.store.database import Database
from cloud_bridge.store.fleet import SilentMinute, silent_by_minute
from cloud_bridge.store.record import other_shards_ok, read_listening
from cloud_bridge.store.transitions import back, mark_back, mark_silent, overdue
from cloud_bridge.store.upkeep import (
    KEPT,
    LATE_MS,
    Kept,
    forget,
    outdated,
    roll_up_signal,
    rolled_up_until,
    whole_buckets,
)

SWEEP_EVERY_S = 5.0
ROLL_UP_EVERY_S = 300.0
FORGET_EVERY_S = 3600.0
MARKED_AT_ONCE = 500  # in one transaction: the recorder waits for it

_log = logging.getLogger(__name__)


class Upkeep:
    """Its three duties, each to be called again and again."""

    def __init__(self, database: Database, live: Live, ledger: UptimeLedger, clock: Clock, shard: Shard = ALL) -> None:
        self.silences: list[SilentMinute] = []  # as of the last look: who is silent, and what they have in common
        self._database = database
        self._live = live
        self._ledger = ledger
        self._clock = clock
        self._shard = shard
        self._rolled_up_ms: int | None = None

    def notice(self) -> tuple[list[str], list[str]]:
        """Store who fell silent and who came back since the last look; returns both. Raises SQLAlchemyError."""
        now_ms = self._clock.now_ms()
        with self._database.reading() as connection:
            suspects, returned = overdue(connection, now_ms), back(connection)
            if self._shard.of > 1:
                others = other_shards_ok(connection, *self._shard)
                self._ledger.learn(read_listening(connection)[0], others, now_ms)
        gaps = self._ledger.outages(now_ms)
        silent = []
        for unit_id, stored_ms, silent_after_ms in suspects:
            live = self._live.find(unit_id)  # may be a commit newer
            seen_ms = (
                stored_ms if live is None or live.last_contact_ms is None else later(stored_ms, live.last_contact_ms)
            )
            if seen_ms == stored_ms and judge(seen_ms, now_ms, gaps, silent_after_ms).contact is Contact.SILENT:
                silent.append((unit_id, seen_ms))
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

    def roll_up(self) -> None:
        """Signal by five minutes, up to now. Raises SQLAlchemyError."""
        now_ms = self._clock.now_ms()
        if self._rolled_up_ms is None:
            with self._database.reading() as connection:
                self._rolled_up_ms = rolled_up_until(connection, now_ms)
        for first_ms in whole_buckets(self._rolled_up_ms - LATE_MS, now_ms):
            with (
                self._database.writing() as connection
            ):  # a day of 2,000 units at once keeps the recorder out for 4.4 s
                roll_up_signal(connection, first_ms)
        self._rolled_up_ms = now_ms

    def forget(self) -> None:
        """What is older than it may be. Raises SQLAlchemyError."""
        now_ms = self._clock.now_ms()
        for kept in KEPT:
            while keys := self._outdated(kept, now_ms):
                with self._database.writing() as connection:
                    forget(connection, kept, keys, now_ms)
        try:
            self._database.empty_log()
        except StoreUnusable as error:  # the next hour
            _log.warning("%s", error)

    def _outdated(self, kept: Kept, now_ms: int) -> list[dict[str, Any]]:
        with self._database.reading() as connection:
            return outdated(connection, kept, now_ms)

    async def run(self, alarm: Alarm) -> None:
        """All of it, for ever."""
        await asyncio.gather(
            _every(SWEEP_EVERY_S, self.notice),
            _every(ROLL_UP_EVERY_S, self.roll_up),
            _every(FORGET_EVERY_S, self.forget),
            _every(NOTICE_EVERY_S, alarm.notice),
            _every(WEAK_SIGNAL_EVERY_S, alarm.notice_weak_signal),
            _every(TROUBLE_EVERY_S, alarm.notice_trouble),
        )


def _some_at_once(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (rows[at : at + MARKED_AT_ONCE] for at in range(0, len(rows), MARKED_AT_ONCE))


async def _every(seconds: float, duty: Callable[[], object]) -> None:
    while True:
        try:
            await asyncio.to_thread(duty)
        except SQLAlchemyError as error:  # done the next time; /healthz tells when the store is in trouble
            _log.warning("upkeep has to wait: %s", error)
        await asyncio.sleep(seconds)
