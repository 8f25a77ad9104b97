"""The store's evidence about a charge point's connection in a span of time: for support, installers and comparisons."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from cloud_bridge.availability import availability
from cloud_bridge.contact import Gap, outage_ms
from cloud_bridge.durations import HOUR_MS
from cloud_bridge.paths import EVERY
from cloud_bridge.store import history
from cloud_bridge.store.ownership import Period
from cloud_bridge.store.readable import Rows
from cloud_bridge.support import fault_times
from cloud_bridge.support.network_moves import Move, network_moves
from cloud_bridge.support.signal import (
    FIVE_MINUTES_MS,
    Reading,
    SignalPoint,
    SignalSummary,
    by_five_minutes,
    over_time,
    summary,
)
from cloud_bridge.support.unit_events import UnitEvent, unit_events

FINE_MS = 3 * HOUR_MS  # for spans up to this, every reading that is still stored is shown
VEHICLE_EVENTS = (
    "wake_up",
    "contactor_rest",
    "draws_more",
)  # what is done for a vehicle that does not behave as the standard has it


class Heard(NamedTuple):
    """What only the running bridge has; it may be newer than the store."""

    last_contact_ms: int | None
    our_open_gaps: Mapping[int, Gap]  # the service's outages that have not ended, by path
    now_ms: int | None = None  # times after this come from a clock that was wrong
    path: int = EVERY  # the unit's path in a cluster (paths.py)


class Evidence(NamedTuple):
    from_ms: int
    to_ms: int
    since_ms: int  # first contact, if it is in this span; else `from_ms`
    ours: list[Gap]  # outages of the service
    gaps: list[Gap]  # silences: longer than the threshold, without the service's outages
    silent_ms: int  # sum of all gaps
    availability: float | None  # since `since_ms`, by the rule in availability.py
    points: list[SignalPoint]  # of the signal, oldest first
    signal: SignalSummary
    last_hour: SignalSummary  # of the last hour of this span
    brown_outs: int
    boots: int
    moves: list[Move]  # between networks, and remedies when there was none
    vehicle_events: list[UnitEvent]  # of VEHICLE_EVENTS
    fault_times: list[fault_times.FaultTime]
    unreadable_gaps: int  # gaps left out because their stored content is invalid
    unreadable: int  # records of all kinds left out, including these gaps

    @property
    def silent_last_hour(self) -> list[Gap]:
        """The silences in the last hour of this span, limited to it."""
        from_ms = max(self.from_ms, self.to_ms - HOUR_MS)
        return [Gap(max(gap.from_ms, from_ms), gap.to_ms) for gap in self.gaps if gap.to_ms > from_ms]


def gather(
    connection: Connection, period: Period, from_ms: int, to_ms: int, silent_after_ms: int, heard: Heard
) -> Evidence:
    """Gather the evidence between the two times that the viewer may see. A silence in progress counts as a gap up to
    `to_ms`."""
    over = history.unit_gaps(connection, period, from_ms, to_ms, heard.now_ms)
    if heard.last_contact_ms is not None:
        begin_ms = max(heard.last_contact_ms, period.evidence_from_ms)
        if begin_ms < to_ms:
            over.append(Gap(begin_ms, to_ms))
    first_ms = history.first_contact_ms(connection, period)
    known_ms = [*(gap.from_ms for gap in over), *([] if first_ms is None else [first_ms])]
    since_ms = max(from_ms, min(known_ms, default=from_ms))
    window = (min([from_ms, *known_ms]), to_ms)
    ours = history.outages(connection, period, heard.path, *window, heard.now_ms, heard.our_open_gaps)
    gaps = silent_gaps(over, ours, from_ms, to_ms, silent_after_ms)
    first_average_ms = since_ms // HOUR_MS * HOUR_MS
    points = signal_points(connection, period, max(from_ms, first_average_ms), to_ms)
    hour = signal_points(connection, period, max(from_ms, to_ms - HOUR_MS), to_ms)
    events = history.unit_events(connection, period, from_ms, to_ms)
    moves, vehicle_events = network_moves(events), unit_events(events, VEHICLE_EVENTS)
    fault_changes = unit_events(events, fault_times.KINDS)
    boots = [event["payload"] for event in events if event["kind"] == "boot"]
    return Evidence(
        from_ms=from_ms,
        to_ms=to_ms,
        since_ms=since_ms,
        ours=[gap for gap in ours if gap.to_ms > from_ms],
        gaps=gaps,
        silent_ms=sum(gap.to_ms - gap.from_ms for gap in gaps),
        availability=availability(gaps, ours, since_ms, to_ms),
        points=points,
        signal=summary(points),
        last_hour=summary(hour),
        brown_outs=sum('"brown_out"' in payload for payload in boots),
        boots=len(boots),
        moves=moves,
        vehicle_events=vehicle_events,
        fault_times=fault_times.fault_times(fault_changes),
        unreadable_gaps=over.unreadable,
        unreadable=sum(found.unreadable for found in (over, points, events, moves, vehicle_events, fault_changes)),
    )


def silent_gaps(over: Sequence[Gap], ours: Sequence[Gap], from_ms: int, to_ms: int, silent_after_ms: int) -> list[Gap]:
    """Return the silences: contact gaps that exceed the threshold without the service's outages.

    A gap that began earlier is cut at `from_ms`. Outages within a gap shorten it.
    """
    gaps = []
    for gap in over:
        end_ms = min(gap.to_ms, to_ms)
        if end_ms - gap.from_ms - outage_ms(ours, gap.from_ms, end_ms) > silent_after_ms:
            begin_ms = max(gap.from_ms, from_ms)
            gaps.append(Gap(begin_ms, end_ms - outage_ms(ours, begin_ms, end_ms)))
    return gaps


def signal_points(connection: Connection, period: Period, from_ms: int, to_ms: int) -> Rows[SignalPoint]:
    """Return the signal, oldest first. Each point is an average of five minutes, whether or not the store has calculated it
    yet. For spans up to `FINE_MS` it is every reading that is still stored, and for old data the average of an hour."""
    averages = history.signal_averages(connection, period, from_ms, to_ms)
    hours = [
        SignalPoint(
            row["from_ms"],
            row["until_ms"],
            row["lasting_ms"],
            row["total"] / row["samples"],
            row["operator"],
            row["lowest"],
            row["highest"],
        )
        for row in averages
        if "lasting_ms" in row
    ]
    made = [
        Reading(
            row["from_ms"],
            row["total"] / row["samples"],
            row["operator"],
            row["lowest"],
            row["highest"],
            row["samples"],
        )
        for row in averages[len(hours) :]
    ]
    is_fine = to_ms - from_ms <= FINE_MS
    raw_from_ms = averages[-1]["until_ms"] if averages and not is_fine else from_ms
    raw = history.signal_raw(connection, period, raw_from_ms, to_ms)
    single = [Reading(row["received_ms"], float(row["csq"]), row["operator"], row["csq"], row["csq"], 1) for row in raw]
    if not is_fine:
        single = by_five_minutes(single)
    elif single:
        made = [one for one in made if one.at_ms + FIVE_MINUTES_MS <= single[0].at_ms]
    return Rows([*hours, *over_time([*made, *single], to_ms)], averages.unreadable + raw.unreadable)
