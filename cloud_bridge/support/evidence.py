"""What the store knows of a charge point's connection in a span of time: for support, installers and their comparison."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from sqlalchemy import Connection

from cloud_bridge.availability import availability
from cloud_bridge.contact import Gap, outage_ms
from cloud_bridge.store import history
from cloud_bridge.store.ownership import Period
from cloud_bridge.store.readable import Rows
from cloud_bridge.support.network_moves import Move, network_moves
from cloud_bridge.support.unit_events import UnitEvent, unit_events
from cloud_bridge.values import PASS_ABOVE_CSQ

FIVE_MINUTES_MS = 300_000
VEHICLE_EVENTS = (
    "wake_up",
    "contactor_rest",
    "draws_more",
)  # what is done for a vehicle that does not behave as the standard has it


class SignalPoint(NamedTuple):
    at_ms: int
    csq: float
    operator: str


class Network(NamedTuple):
    """One mobile network as the unit saw it."""

    operator: str  # PLMN digits; empty while the modem did not say
    samples: int
    average_csq: float


class Heard(NamedTuple):
    """What only the running bridge knows: it may be ahead of its store."""

    last_contact_ms: int | None
    our_open_gap: Gap | None  # while we ourselves are not listening
    now_ms: int | None = None  # what was stamped later was stamped by a clock that was wrong


class Evidence(NamedTuple):
    from_ms: int
    to_ms: int
    since_ms: int  # where in this time it first reached us; `from_ms` for one that had before
    ours: list[Gap]  # times in which we were not listening
    gaps: list[Gap]  # longer than the threshold of silence, our own outages taken out
    silent_ms: int  # all gaps together
    availability: float | None  # by the rule of availability.py, since `since_ms`
    points: list[SignalPoint]  # of the signal, oldest first
    typical_csq: float | None  # the median
    weakest_csq: int | None
    weak_share: float  # of the samples: at 14 or below
    networks: list[Network]  # most used first
    brown_outs: int
    boots: int
    moves: list[Move]  # between networks, and remedies where there was none
    vehicle_events: list[UnitEvent]  # of VEHICLE_EVENTS
    unreadable_gaps: int  # that cannot be shown, since their content is not valid
    unreadable: int  # records of all kinds, these gaps among them

    @property
    def samples(self) -> int:
        """Of the signal."""
        return len(self.points)


def gather(
    connection: Connection, period: Period, from_ms: int, to_ms: int, silent_after_ms: int, heard: Heard
) -> Evidence:
    """Everything between the two times that the asker may see. The silence that goes on now counts as a gap up to
    `to_ms`."""
    over = history.unit_gaps(connection, period, from_ms, to_ms, heard.now_ms)
    if heard.last_contact_ms is not None:
        begin_ms = max(heard.last_contact_ms, period.evidence_from_ms)
        if begin_ms < to_ms:
            over.append(Gap(begin_ms, to_ms))
    first_ms = history.first_contact_ms(connection, period)
    known_ms = [*(gap.from_ms for gap in over), *([] if first_ms is None else [first_ms])]
    since_ms = max(from_ms, min(known_ms, default=from_ms))
    ours = history.our_gaps(connection, min([from_ms, *known_ms]), to_ms, heard.now_ms)
    if heard.our_open_gap is not None:
        ours.append(heard.our_open_gap)
    gaps = silent_gaps(over, ours, from_ms, to_ms, silent_after_ms)
    points = signal_points(connection, period, from_ms, to_ms)
    events = history.unit_events(connection, period, from_ms, to_ms)
    moves, vehicle_events = network_moves(events), unit_events(events, VEHICLE_EVENTS)
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
        typical_csq=median(point.csq for point in points) if points else None,
        weakest_csq=min((round(point.csq) for point in points), default=None),
        weak_share=sum(point.csq <= PASS_ABOVE_CSQ for point in points) / len(points) if points else 0.0,
        networks=_networks(points),
        brown_outs=sum('"brown_out"' in payload for payload in boots),
        boots=len(boots),
        moves=moves,
        vehicle_events=vehicle_events,
        unreadable_gaps=over.unreadable,
        unreadable=sum(found.unreadable for found in (over, points, events, moves, vehicle_events)),
    )


def silent_gaps(over: Sequence[Gap], ours: Sequence[Gap], from_ms: int, to_ms: int, silent_after_ms: int) -> list[Gap]:
    """The times of silence: contact gaps that are longer than the threshold after our own outages are taken out.

    A gap that began earlier is cut at `from_ms`; one with an outage of ours in it is shortened by that.
    """
    gaps = []
    for gap in over:
        end_ms = min(gap.to_ms, to_ms)
        if end_ms - gap.from_ms - outage_ms(ours, gap.from_ms, end_ms) > silent_after_ms:
            begin_ms = max(gap.from_ms, from_ms)
            gaps.append(Gap(begin_ms, end_ms - outage_ms(ours, begin_ms, end_ms)))
    return gaps


def signal_points(connection: Connection, period: Period, from_ms: int, to_ms: int) -> Rows[SignalPoint]:
    """Oldest first: five-minute averages as far as they have been made, then the readings themselves."""
    averages = history.signal_by_five_minutes(connection, period, from_ms, to_ms)
    points = [SignalPoint(row["from_ms"], row["total"] / row["samples"], row["operator"]) for row in averages]
    raw = history.signal_raw(connection, period, points[-1].at_ms + FIVE_MINUTES_MS if points else from_ms, to_ms)
    points += [SignalPoint(row["received_ms"], float(row["csq"]), row["operator"]) for row in raw]
    return Rows(points, averages.unreadable + raw.unreadable)


def _networks(points: Sequence[SignalPoint]) -> list[Network]:
    by_operator: dict[str, list[float]] = {}
    for point in points:
        by_operator.setdefault(point.operator, []).append(point.csq)
    found = [Network(operator, len(values), sum(values) / len(values)) for operator, values in by_operator.items()]
    return sorted(found, key=lambda network: -network.samples)
