"""Set up a process's knowledge of time at its start, and correct all timestamps in memory when its clock steps.

Why no false statement is made about a contact
----------------------------------------------
There are four measures of time. A step of the wall clock moves only the first:

    our time     the wall clock with step detection (clock.py). Shown to people, and used for timestamps
    listened     the total listening time: the time between canaries that came in time (contact.UptimeLedger). It never
                 grows by more than the time that passes
    latest       an upper bound of the true time: the latest time that our clock has shown, continued by the monotonic
                 clock (verified_time.py). It is never before the true time, provided that a right clock has been seen
    verified     a lower bound of the true time. Expiry and deletion go by it, contact does not

A contact is stored as its timestamp in our time, with `listened` and `latest` at that moment. Effect of each event:

    event                   our time              listened              latest              stored contacts
    ---------------------------------------------------------------------------------------------------------------
    a message               goes on               goes on               goes on             all three, in the commit that
                                                                                            is acknowledged
    step, either sign       follows it            goes on               goes on             the timestamps of this process's
                                                                                            contacts follow it
    downtime of any length  is the wall clock     does not grow         our time, plus the  unchanged
    and a start                                                         amount by which it
                                                                        was behind or has
                                                                        gone back
    kill -9                 as an orderly stop: everything is stored with each canary and each message, and a step when it
                            is detected. A step that was not stored counts as one between two processes

This is what may be believed (contact.on_clock_of_now, live.Live.last_contact):

-   Silence is the growth of `listened` since the contact. It is no more than the time since the contact, so silence is
    never claimed within 30 minutes of a message, whatever any clock shows. It grows while we listen, so silence is
    claimed eventually. Alerts go by the same count (store/transitions.overdue), so a clock error does not delay them.
-   The last contact is shown as no later than the present time minus that silence, so never in the future. A later
    timestamp was made by a clock that was ahead, or our clock is behind.
-   The age of a contact that this process has recorded is measured by the monotonic clock, so no step changes it. After a
    step forward the whole machine may have been suspended, so the contact does not count as one of the last 30 minutes.
-   A contact that another process has recorded is shown by its timestamp if that process's clock was not behind `latest`
    at that time, and otherwise as "no later than" the present time minus the silence. `latest` is not before the true
    time, so a timestamp that is believed is not earlier than the message. An estimate can prove a silence but not that
    the unit is online: until its next message, the unit is "unknown" where the timestamp might have made it "online".

One case cannot be detected: the clock is set back between two processes by less than the time in which none ran, as on
a machine whose clock resumes where it was switched off, and is set forward between two later processes. That looks like
a clock that went on. Contacts in between are shown older than they are, and as "unknown", since we were not listening;
never as silent.
"""

import logging
from collections.abc import Callable, Mapping
from typing import NamedTuple

from cloud_bridge.bounded_live import BoundedLive
from cloud_bridge.clock import Clock, Step, SteppedClock
from cloud_bridge.contact import UptimeLedger, is_believable
from cloud_bridge.counters import Counters
from cloud_bridge.ingest.shard import ALL, NONE, Shard
from cloud_bridge.live import Live
from cloud_bridge.path_ledger import PathLedger
from cloud_bridge.paths import OCPP
from cloud_bridge.store.database import Database
from cloud_bridge.store.paths import adopt_strays
from cloud_bridge.store.record import ClockSet, adopt, heard_by_others, read_gaps, read_listened, read_steps
from cloud_bridge.store.recorder import Recorder
from cloud_bridge.store.units import count_units
from cloud_bridge.store.upkeep import read_verified, record_verified, told_the_time
from cloud_bridge.upkeep import Upkeep
from cloud_bridge.verified_time import Bounds, VerifiedTime, latest_at_start

_log = logging.getLogger(__name__)


class Timekeeping(NamedTuple):
    """The time-related state of a process, built from the store and one reading of the clock."""

    clock: Clock
    live: Live
    ledger: UptimeLedger
    verified: VerifiedTime
    between: Step | None  # the least step back of the clock since the previous process, if there was one


def begin_time(
    database: Database,
    clock_from: Callable[[int], Clock],
    shard: Shard = ALL,
    paths: Mapping[int, str] | None = None,
) -> Timekeeping:
    """Build the state of a process that receives units' messages. Raises SQLAlchemyError.

    `clock_from` creates the clock from the latest time in the store. `paths` are the numbers and names of the nodes of
    a cluster, which stamp messages themselves, or of the OCPP doors; None without a cluster. No unit is in memory
    before its first message."""
    with database.reading() as connection:
        listened = read_listened(connection)
        before = listened.get(shard.number)
        last_ok_ms, listened_ms = (None, 0) if before is None else before[:2]
        clock = clock_from(last_ok_ms or 0)
        start_ms = clock.now_ms()
        steps = read_steps(connection)
        between = None
        if last_ok_ms is not None and not is_believable(last_ok_ms, start_ms):
            between = Step(start_ms, start_ms - last_ok_ms)
            steps.append(between)
        verified_ms = read_verified(connection)
        bounds = Bounds(start_ms if verified_ms is None else verified_ms, latest_at_start(start_ms, before))
        verified = VerifiedTime(clock, bounds, count_units(connection), told_the_time(connection), steps)
        if paths is not None:
            path_ledger = PathLedger(read_gaps(connection), listened, paths, start_ms)
        else:
            ledger = UptimeLedger(read_gaps(connection), last_ok_ms, start_ms, listened_ms, shard.number)
    if paths is not None:
        with database.writing() as connection:
            record_verified(connection, verified.now_ms())
            if OCPP not in paths:  # an OCPP door does not know the nodes
                adopt_strays(connection, paths)
        return Timekeeping(clock, BoundedLive(start_ms), path_ledger, verified, between)
    with database.writing() as connection:
        record_verified(connection, verified.now_ms())
    with database.reading() as connection:
        for some in heard_by_others(connection, shard.number):
            with database.writing() as adopting:
                ours_now = [unit_id for unit_id in some if shard.takes(unit_id)]
                adopt(adopting, ours_now, shard.number, ledger.listened_at_most_ms(start_ms))
    return Timekeeping(clock, Live(start_ms), ledger, verified, between)


def begin_time_beside(database: Database, clock_from: Callable[[int], Clock]) -> Timekeeping:
    """Build the state of a process that receives no messages and relies on what other processes store. Writes nothing.
    Raises SQLAlchemyError."""
    with database.reading() as connection:
        newest = max(read_listened(connection).values(), default=None)
        clock = clock_from(0 if newest is None else newest.until_ms)
        start_ms = clock.now_ms()
        verified_ms = read_verified(connection)
        bounds = Bounds(start_ms if verified_ms is None else verified_ms, latest_at_start(start_ms, newest))
        verified = VerifiedTime(clock, bounds, steps=read_steps(connection))
    return Timekeeping(clock, Live(), UptimeLedger(start_ms=start_ms, shard=NONE.number), verified, None)


def follow_steps_beside(clock: Clock, ledger: UptimeLedger, verified: VerifiedTime, upkeep: Upkeep) -> None:
    """Follow the steps of the clock in a process that receives no messages: no stored contact has a timestamp of its
    clock."""

    def stepped(step: Step) -> None:
        _log.warning("system clock stepped %+d s", step.by_ms // 1000)
        ledger.stepped(step.by_ms)
        verified.stepped(step)
        upkeep.stepped(step)

    if isinstance(clock, SteppedClock):
        clock.on_step(stepped)


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
    """Follow the steps of the clock in a process that receives units' messages. A clock without step detection is
    trusted."""

    def stepped(step: Step) -> None:
        counters.clock_steps += 1
        _log.warning("system clock stepped %s %d s", "forward" if step.by_ms > 0 else "back", abs(step.by_ms) // 1000)
        recorder.stepped(ClockSet(step, live.start_ms, live.heard(), shard))
        live.stepped(*step)
        ledger.stepped(step.by_ms)
        verified.stepped(step)
        upkeep.stepped(step)

    if between is not None:
        _log.warning("system clock stepped back at least %d s since the last run", -between.by_ms // 1000)
        recorder.stepped(ClockSet(between, between.at_ms, [], shard))
    if isinstance(clock, SteppedClock):
        clock.on_step(stepped)
