"""What a process knows of the time when it begins, and what follows when its clock is set: all that keeps stamps, at once.

What the bridge knows of a contact, and why nothing false is claimed of it
--------------------------------------------------------------------------
Four measures of time, of which a step of the wall clock moves the first alone:

    our time     the wall clock's, its steps told (clock.py); shown to people, and what stamps are made of
    listened     how long we have listened in all: counted from canary to canary, of which none is late
                 (contact.UptimeLedger). From one moment to a later one it grows by no more than the time that passes
    latest       how late it may be: goes on by the monotonic clock from our time of some moment, the latest that our
                 clock has shown (verified_time.py). While a right clock has been seen, it is never before the true time
    verified     how late it is at least: what ends or deletes something goes by it, and no contact does

A contact is stored as its stamp of our time with `listened` and `latest` of that moment. What each event changes:

    event                   our time              listened              latest              stored contacts
    ---------------------------------------------------------------------------------------------------------------
    a message               goes on               goes on               goes on             all three, in the commit that
                                                                                            is acknowledged
    step, either sign       follows it            goes on               goes on             the stamps of units that this
                                                                                            process has heard follow it
    not running, for any    is the wall clock's   stands still          our time, later by  stay
    time, and a start                                                   what that was
                                                                        behind, and by what
                                                                        it has gone back
    kill -9                 as an orderly stop: all is stored with each canary and each message, and a step as soon as it
                            is noticed. One that was not stored is one that has happened between two processes

So may be believed (contact.on_clock_of_now, live.Live.last_contact):

-   Silence is what `listened` has grown by since the contact: no more than the time since it, so it is never claimed
    within 30 minutes of a message, whatever any clock shows; and it grows while we listen, so it is claimed in the end.
    What alerts follow is noticed by the same count (store/transitions.overdue), so no alert is late by a clock's error.
-   The last contact is shown no later than now less that silence: never in the future, of a wrong clock either. A stamp
    that says later was made by a clock that was ahead, or ours is behind.
-   What this process has heard is as long ago as the monotonic clock says: no step makes it older or newer. Set forward,
    the machine may have stood still as a whole, so it is no contact of the last 30 minutes any more.
-   What another process has heard is shown by its stamp if its clock was not behind `latest` at that time, and
    otherwise as "no later than" now less the silence. `latest` is not before the true time, so a stamp that is believed is
    not older than the message. An estimate shows a silence and no contact: until the unit is heard again it is
    "unknown", where the stamp might have said "online".

What cannot be known: a clock that is set back between two processes by less than the time in which none ran, as by a
machine that begins where it was switched off, and set forward between two later ones. It looks like a clock that went
on. What was heard between is shown older than it is, and as "unknown", since we did not listen; never as silent.
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
    """Made of the store and one look at the clock."""

    clock: Clock
    live: Live
    ledger: UptimeLedger
    verified: VerifiedTime
    between: Step | None  # the clock was set back between the process before this one and this one, by so much at least


def begin_time(
    database: Database,
    clock_from: Callable[[int], Clock],
    shard: Shard = ALL,
    paths: Mapping[int, str] | None = None,
) -> Timekeeping:
    """`clock_from` makes the clock, given the latest time that the store knows. `paths` are the numbers and names of the
    nodes of a cluster, which say themselves when a unit was heard, or of the doors for OCPP; None: there is no cluster. No
    unit is kept in memory before it is heard."""
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
            if OCPP not in paths:  # a door for OCPP does not know the nodes
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
    """As begin_time, of a process that hears no unit and judges by what others store. No unit is read, and nothing is
    written."""
    with database.reading() as connection:
        newest = max(read_listened(connection).values(), default=None)
        clock = clock_from(0 if newest is None else newest.until_ms)
        start_ms = clock.now_ms()
        verified_ms = read_verified(connection)
        bounds = Bounds(start_ms if verified_ms is None else verified_ms, latest_at_start(start_ms, newest))
        verified = VerifiedTime(clock, bounds, steps=read_steps(connection))
    return Timekeeping(clock, Live(), UptimeLedger(start_ms=start_ms, shard=NONE.number), verified, None)


def follow_steps_beside(clock: Clock, ledger: UptimeLedger, verified: VerifiedTime, upkeep: Upkeep) -> None:
    """From now on: nothing that is stored was stamped by this process, but for what it notices."""

    def stepped(step: Step) -> None:
        _log.warning("our clock was set by %d s", step.by_ms // 1000)
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
    """From now on. A clock that does not tell its steps is taken at its word."""

    def stepped(step: Step) -> None:
        counters.clock_steps += 1
        _log.warning("our clock was set %s by %d s", "forward" if step.by_ms > 0 else "back", abs(step.by_ms) // 1000)
        recorder.stepped(ClockSet(step, live.start_ms, live.heard(), shard))
        live.stepped(*step)
        ledger.stepped(step.by_ms)
        verified.stepped(step)
        upkeep.stepped(step)

    if between is not None:
        _log.warning("our clock was set back by %d s or more since the last start", -between.by_ms // 1000)
        recorder.stepped(ClockSet(between, between.at_ms, [], shard))
    if isinstance(clock, SteppedClock):
        clock.on_step(stepped)
