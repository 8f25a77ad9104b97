"""A charge point's facts in words, as they stood when a message was sent: attached to it, so that nobody has to ask.

Their driver reads them before they send the message. Their number and length are bounded, whatever the charge point told.
"""

import json
from collections.abc import Sequence

from cloud_bridge.contact import Gap
from cloud_bridge.durations import DAY_MS
from cloud_bridge.faults import in_words
from cloud_bridge.support.evidence import Evidence
from cloud_bridge.support.fault_times import FaultTime, set_since
from cloud_bridge.support.signal import SignalSummary
from cloud_bridge.web.presentation import words
from cloud_bridge.web.presentation.dashboard import Around, describe
from cloud_bridge.web.presentation.view import ChargePoint

FACTS_OVER_MS = 7 * DAY_MS
MAX_FACTS, MAX_VALUE = 40, 400  # lines, characters of one
MAX_FAULTS = 5  # that are over, the newest
UNREADABLE = ("Not shown", "What was stored with this message cannot be shown: its content is not valid.")


def facts_of(
    point: ChargePoint, week: Evidence, firmware: str | None, modem: str | None, closings: int | None
) -> list[tuple[str, str]]:
    """(name, value) pairs, most telling first. `firmware` is its version, `modem` the model, `closings` those of the
    contactor; None while unknown."""
    board = describe(point, Around(firmware=firmware, modem=modem, closings=closings))
    heartbeat = point.heartbeat
    return [
        ("Last contacted", board.last_contact_moment or "never"),
        ("Contact", board.glance.word),
        ("State", f"{board.state} ({heartbeat.state or 'not known'})"),
        ("Faults", faults_now(heartbeat.faults or [], week.fault_times, point.time_zone)),
        ("Earlier faults in 7 days", faults_over(week.fault_times, point.time_zone)),
        ("Needs attention", "; ".join(trouble.title for trouble in board.troubles) or "nothing"),
        ("Silent in the last hour", silences(week.silent_last_hour)),
        ("Silent in 7 days", silences(week.gaps)),
        ("Signal in the last hour", latest_signal(week.last_hour)),
        ("Signal in 7 days", signal(week.signal)),
        ("Weak signal in 7 days", weak_time(week.signal)),
        ("Networks in 7 days", networks(week.signal)),
        ("Restarts in 7 days", restarts(week)),
        *((fact.label, fact.text) for fact in board.facts),
    ]


def as_text(facts: list[tuple[str, str]]) -> str:
    return json.dumps([(name, value[:MAX_VALUE]) for name, value in facts[:MAX_FACTS]])


def from_text(text: str | None) -> list[tuple[str, str]]:
    """One line that says so for facts that cannot be shown."""
    if text is None:
        return []
    try:
        return [(str(name), str(value)) for name, value in json.loads(text)]
    except (ValueError, TypeError, RecursionError):  # not as `as_text` writes them
        return [UNREADABLE]


def faults_now(names: Sequence[str], times: Sequence[FaultTime], time_zone: str) -> str:
    since_ms = set_since(times, names)
    return "; ".join(in_words(name) + _since(since_ms.get(name), time_zone) for name in names) or "none"


def faults_over(times: Sequence[FaultTime], time_zone: str) -> str:
    """Those that were cleared, the newest first."""
    told = [
        f"{in_words(time.name)}, {words.day_and_time(time.from_ms, time_zone)}, for {words.exactly(time.to_ms - time.from_ms)}"
        for time in reversed(times)
        if time.to_ms is not None
    ]
    more = [f"and {len(told) - MAX_FAULTS} more"] if len(told) > MAX_FAULTS else []
    return "; ".join(told[:MAX_FAULTS] + more) or "none"


def _since(at_ms: int | None, time_zone: str) -> str:
    return "" if at_ms is None else f", since {words.day_and_time(at_ms, time_zone)}"


def silences(gaps: Sequence[Gap]) -> str:
    if not gaps:
        return "never"
    together_ms = sum(gap.to_ms - gap.from_ms for gap in gaps)
    return f"{words.times(len(gaps))}, together {words.lasting(together_ms)}"


def signal(summary: SignalSummary) -> str:
    if summary.typical_csq is None:
        return "no readings"
    return f"typically CSQ {summary.typical_csq}, at worst {summary.weakest_csq}"


def latest_signal(summary: SignalSummary) -> str:
    """Of a time that ends now."""
    if summary.latest_csq is None:
        return signal(summary)
    return f"{signal(summary)}, {summary.latest_csq} last"


def weak_time(summary: SignalSummary) -> str:
    """How much of the measured time the signal was weak."""
    if summary.typical_csq is None:
        return "no readings"
    return f"{summary.weak_share:.0%} of the {words.lasting(round(summary.measured_ms))} that were measured"


def restarts(evidence: Evidence) -> str:
    if not evidence.boots:
        return "none"
    return words.times(evidence.boots) + (
        f", {words.times(evidence.brown_outs)} because the supply dipped" if evidence.brown_outs else ""
    )


def networks(summary: SignalSummary) -> str:
    named = [
        f"{words.operator_name(network.operator) or 'unknown'} (CSQ {network.average_csq:.0f})"
        for network in summary.networks
    ]
    return ", ".join(named) or "none seen"
