"""The facts about a charge point in words, attached to a support message as they are when it is sent.

The driver sees them before sending. Their number and length are bounded, whatever the charge point reported.
"""

import json
from collections.abc import Sequence

from cloud_bridge.contact import Gap
from cloud_bridge.durations import DAY_MS
from cloud_bridge.faults import in_words
from cloud_bridge.store.firmware import Told
from cloud_bridge.support.evidence import Evidence
from cloud_bridge.support.fault_times import FaultTime, set_since
from cloud_bridge.support.signal import SignalSummary
from cloud_bridge.web.presentation import words
from cloud_bridge.web.presentation.dashboard import Around, describe
from cloud_bridge.web.presentation.view import ChargePoint
from cloud_bridge.words import N_, formats
from cloud_bridge.words import gettext as _

FACTS_OVER_MS = 7 * DAY_MS
MAX_FACTS, MAX_VALUE = 40, 400  # lines, characters in each
MAX_FAULTS = 5  # most cleared faults listed, the newest
UNREADABLE = (N_("Not shown"), N_("What was stored with this message cannot be shown: its content is not valid."))


def facts_of(point: ChargePoint, week: Evidence, told: Told) -> list[tuple[str, str]]:
    """Return (name, value) pairs, the most informative first."""
    around = Around(firmware=told.firmware, modem=told.modem, closings=told.closings, air_bytes=told.air_bytes)
    board = describe(point, around)
    heartbeat = point.heartbeat
    return [
        (_("Last contacted"), board.last_contact_moment or _("never")),
        (_("Contact"), board.glance.word),
        (_("State"), f"{board.state} ({heartbeat.state or _('not known')})"),
        (_("Faults"), faults_now(heartbeat.faults or [], week.fault_times, point.time_zone)),
        (_("Earlier faults in 7 days"), faults_over(week.fault_times, point.time_zone)),
        (_("Needs attention"), "; ".join(trouble.title for trouble in board.troubles) or _("nothing")),
        (_("Silent in the last hour"), silences(week.silent_last_hour)),
        (_("Silent in 7 days"), silences(week.gaps)),
        (_("Signal in the last hour"), latest_signal(week.last_hour)),
        (_("Signal in 7 days"), signal(week.signal)),
        (_("Weak signal in 7 days"), weak_time(week.signal)),
        (_("Networks in 7 days"), networks(week.signal)),
        (_("Restarts in 7 days"), restarts(week)),
        *((fact.label, fact.text) for fact in board.facts),
    ]


def as_text(facts: list[tuple[str, str]]) -> str:
    return json.dumps([(name, value[:MAX_VALUE]) for name, value in facts[:MAX_FACTS]])


def from_text(text: str | None) -> list[tuple[str, str]]:
    """Decode stored facts. The values are in English, and the names are returned in the reader's language. If the text is
    invalid, return one line that says so."""
    if text is None:
        return []
    try:
        return [(_(str(name)), str(value)) for name, value in json.loads(text)]
    except (ValueError, TypeError, RecursionError):  # not written by `as_text`
        return [(_(UNREADABLE[0]), _(UNREADABLE[1]))]


def faults_now(names: Sequence[str], times: Sequence[FaultTime], time_zone: str) -> str:
    since_ms = set_since(times, names)
    return "; ".join(_since(in_words(name), since_ms.get(name), time_zone) for name in names) or _("none")


def faults_over(times: Sequence[FaultTime], time_zone: str) -> str:
    """Return the cleared faults, the newest first."""
    said = _("{fault}, {time}, for {length}")
    told = [
        said.format(
            fault=in_words(time.name),
            time=words.day_and_time(time.from_ms, time_zone),
            length=words.exactly(time.to_ms - time.from_ms),
        )
        for time in reversed(times)
        if time.to_ms is not None
    ]
    more = [_("and {n} more").format(n=len(told) - MAX_FAULTS)] if len(told) > MAX_FAULTS else []
    return "; ".join(told[:MAX_FAULTS] + more) or _("none")


def _since(fault: str, at_ms: int | None, time_zone: str) -> str:
    if at_ms is None:
        return fault
    return _("{fault}, since {time}").format(fault=fault, time=words.day_and_time(at_ms, time_zone))


def silences(gaps: Sequence[Gap]) -> str:
    if not gaps:
        return _("never")
    together_ms = sum(gap.to_ms - gap.from_ms for gap in gaps)
    return _("{times}, together {length}").format(times=words.times(len(gaps)), length=words.lasting(together_ms))


def signal(summary: SignalSummary) -> str:
    if summary.typical_csq is None:
        return _("no readings")
    said = _("typically CSQ {typical}, at worst {weakest}")
    return said.format(typical=summary.typical_csq, weakest=summary.weakest_csq)


def latest_signal(summary: SignalSummary) -> str:
    """Return the signal of a time that ends now, with its last reading."""
    if summary.latest_csq is None:
        return signal(summary)
    return _("{signal}, {csq} last").format(signal=signal(summary), csq=summary.latest_csq)


def weak_time(summary: SignalSummary) -> str:
    """Return the share of the measured time in which the signal was weak."""
    if summary.typical_csq is None:
        return _("no readings")
    said = _("{percent} of the {length} that were measured")
    return said.format(percent=formats.percent(summary.weak_share), length=words.lasting(round(summary.measured_ms)))


def restarts(evidence: Evidence) -> str:
    if not evidence.boots:
        return _("none")
    times = words.times(evidence.boots)
    if not evidence.brown_outs:
        return times
    said = _("{times}, {brown_outs} because the supply dipped")
    return said.format(times=times, brown_outs=words.times(evidence.brown_outs))


def networks(summary: SignalSummary) -> str:
    named = [
        f"{words.operator_name(network.operator) or _('unknown')} (CSQ {formats.number(network.average_csq)})"
        for network in summary.networks
    ]
    return ", ".join(named) or _("none seen")
