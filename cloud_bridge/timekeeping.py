"""What a process knows of the time when it begins, and what follows when its clock is set: all that keeps stamps, at once."""

import logging
from collections.abc import Callable
from typing import NamedTuple

from cloud_bridge.clock import Clock, Step, SteppedClock
from cloud_bridge.contact import FUTURE_MS, UptimeLedger, is_believable, merged, skipped
from cloud_bridge.counters import Counters
from cloud_bridge.live import Live
from cloud_bridge.store.database import Database
from cloud_bridge.store.record import ClockSet, read_listening, read_steps
from cloud_bridge.store.recorder import Recorder
from cloud_bridge.store.units import last_contacts, unit_count
from cloud_bridge.store.upkeep import read_behind, read_verified, record_behind, record_verified, told_the_time
from cloud_bridge.upkeep import Upkeep
from cloud_bridge.verified_time import VerifiedTime

_log = logging.getLogger(__name__)


class Timekeeping(NamedTuple):
    """Made of the store and one look at the clock."""

    clock: Clock
    live: Live
    ledger: UptimeLedger
    verified: VerifiedTime
    between: Step | None  # the clock was set back between the process before this one and this one, by so much at least


def begin_time(database: Database, clock_from: Callable[[int], Clock], shard: int = 1) -> Timekeeping:
    """`clock_from` makes the clock, given the latest time that the store knows."""
    with database.reading() as connection:
        gaps, last_ok_ms = read_listening(connection, shard)
        clock = clock_from(last_ok_ms or 0)
        start_ms = clock.now_ms()
        steps = read_steps(connection)
        skipped_before = skipped(steps)
        kept, echoes = read_verified(connection), told_the_time(connection)
        between = None
        if last_ok_ms is not None and not is_believable(last_ok_ms, start_ms):
            between = Step(start_ms, start_ms - last_ok_ms)
            steps.append(between)
        verified = VerifiedTime(clock, kept, unit_count(connection), echoes, steps)
        behind = [] if kept is None or not kept.behind_ms else [kept]
        behind += read_behind(connection)
        not_heard = merged([*gaps, *skipped_before])
        live = Live(last_contacts(connection), last_ok_ms, start_ms, behind, not_heard)
    with database.writing() as connection:
        if kept is not None and kept.behind_ms and start_ms >= kept.at_ms - FUTURE_MS:
            record_behind(connection, kept)
        record_verified(connection, verified.kept())
    return Timekeeping(clock, live, UptimeLedger(gaps, last_ok_ms, start_ms, skipped(steps)), verified, between)


def follow_steps(
    clock: Clock,
    live: Live,
    ledger: UptimeLedger,
    verified: VerifiedTime,
    recorder: Recorder,
    upkeep: Upkeep,
    counters: Counters,
    shard: int = 1,
    between: Step | None = None,
) -> None:
    """From now on. A clock that does not tell its steps is taken at its word."""

    def stepped(step: Step) -> None:
        counters.clock_steps += 1
        _log.warning("our clock was set %s by %d s", "forward" if step.by_ms > 0 else "back", abs(step.by_ms) // 1000)
        recorder.stepped(ClockSet(step, live.start_ms, live.heard(), shard))
        live.stepped(*step)
        ledger.stepped(*step)
        verified.stepped(step)
        upkeep.stepped(step)

    if between is not None:
        _log.warning("our clock was set back by %d s or more since the last start", -between.by_ms // 1000)
        recorder.stepped(ClockSet(between, between.at_ms, [], shard, while_running=False))
    if isinstance(clock, SteppedClock):
        clock.on_step(stepped)
