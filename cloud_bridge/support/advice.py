"""What an installer should try, from the evidence: of the whole time and of its last hour. Pure.

Rules of thumb of radio installation, in the order in which they are cheap to try: the supply, then another network
that the unit itself has heard louder, then the antenna, then a booster.
"""

from typing import NamedTuple

from cloud_bridge.durations import HOUR_MS
from cloud_bridge.support.evidence import Evidence
from cloud_bridge.support.signal import SignalSummary, is_weak
from cloud_bridge.values import PASS_ABOVE_CSQ

MEASURED_MS = HOUR_MS  # of signal, before it says how a place is
OFTEN_WEAK = 0.1  # of the time: 2.4 hours a day
BETTER_BY = 4  # CSQ steps, 8 dB: more than the swing of a network from hour to hour
ANTENNA_HELPS_ABOVE_CSQ = 8  # -97 dBm: below, an antenna a metre higher seldom helps enough
BROWN_OUTS = 3


class Advice(NamedTuple):
    title: str
    why: str


def advise(evidence: Evidence, boots: tuple[int, int] | None = None) -> list[Advice]:
    """Most worthwhile first; one line that says so when the evidence points nowhere. `boots` are the boot counts of two
    charge points that use this identity."""
    found = []
    if boots is not None:  # what the evidence says is of both
        found.append(
            Advice(
                "Find the second charger",
                f"Two log in with this identity, with boot counts {boots[0]:,} and {boots[1]:,}. The steps stand under "
                "Needs attention; signal and restarts say little until then.",
            )
        )
    if evidence.brown_outs >= BROWN_OUTS:
        found.append(
            Advice(
                "Check the supply",
                f"It restarted {evidence.brown_outs} times because its supply dipped. A modem draws 2 A in bursts: look at "
                "the terminals, the cable's cross-section and the 5 V supply before anything about radio.",
            )
        )
    if evidence.signal.measured_ms < MEASURED_MS:
        found.append(Advice("Measure on site", _few_readings(evidence.signal)))
        return found
    found += _radio(evidence) or _lately_or_at_times(evidence)
    if not found and evidence.gaps:
        found.append(
            Advice(
                "Look for what the times have in common",
                "The signal is good, and still it fell silent: see the hours of the gaps. A time switch, a neighbour's "
                "equipment or work on the mast are likelier than the place.",
            )
        )
    if not found and evidence.last_hour.latest_csq is None:
        found.append(
            Advice("Measure on site", "The signal was good, but there is no reading of it from the last hour.")
        )
    return found or [Advice("Nothing to do", "The signal is good, in the last hour too, and it has not been silent.")]


def weak_lately(evidence: Evidence) -> bool:
    """In the last hour, or by its last reading."""
    hour = evidence.last_hour
    return any(csq is not None and is_weak(csq) for csq in (hour.typical_csq, hour.latest_csq))


def _few_readings(signal: SignalSummary) -> str:
    if signal.latest_csq is None:
        return "There is no reading of the signal to say more from here."
    minutes = max(1, round(signal.measured_ms / 60_000))
    measured = f"The signal is known for {minutes} minute{'s' if minutes > 1 else ''} only"
    if is_weak(signal.latest_csq):
        return f"{measured}, and CSQ was {signal.latest_csq} last: it has to be {PASS_ABOVE_CSQ + 1} or more."
    return f"{measured}: CSQ was {signal.latest_csq} last. An hour is needed to say more from here."


def _lately_or_at_times(evidence: Evidence) -> list[Advice]:
    """For a signal that is typically good."""
    signal, hour = evidence.signal, evidence.last_hour
    if weak_lately(evidence):
        return [
            Advice(
                "Look for what has changed",
                f"CSQ was {hour.latest_csq} last and {hour.typical_csq} typically in the last hour, against "
                f"{signal.typical_csq} in all this time. Check the antenna, its lead and plug, and what now stands before it.",
            )
        ]
    if signal.weak_share >= OFTEN_WEAK:
        return [
            Advice(
                "Look for when it is weak",
                f"CSQ is typically {signal.typical_csq}, but {PASS_ABOVE_CSQ} or less for {signal.weak_share:.0%} of the "
                "time. The chart shows when: a parked vehicle or a closed gate may stand in front of the antenna.",
            )
        ]
    return []


def _radio(evidence: Evidence) -> list[Advice]:
    typical = evidence.signal.typical_csq
    if typical is None or not is_weak(typical):
        return []
    lately = ""
    if weak_lately(evidence):
        lately = f" It was {evidence.last_hour.latest_csq} last."
    elif evidence.last_hour.latest_csq is not None:
        lately = f" It is better in the last hour, {evidence.last_hour.typical_csq}: see for a day whether that lasts."
    used = evidence.signal.networks[0]
    found = []
    for other in evidence.signal.networks[1:]:
        if other.operator and other.average_csq >= used.average_csq + BETTER_BY:
            found.append(
                Advice(
                    "Try the other network",
                    f"It has heard {other.operator} at CSQ {other.average_csq:.0f}, and stays on "
                    f"{used.operator or 'its network'} at {used.average_csq:.0f}.",
                )
            )
            break
    if typical > ANTENNA_HELPS_ABOVE_CSQ:
        found.append(
            Advice(
                "Move or replace the antenna",
                f"CSQ is typically {typical} and has to be {PASS_ABOVE_CSQ + 1} or more: an outside antenna, or one a "
                f"metre higher and away from metal, usually gains 3 to 6.{lately}",
            )
        )
    else:
        found.append(
            Advice(
                "Fit a signal booster",
                f"CSQ is typically {typical}: too weak for an antenna alone. Measure first where a booster's outside "
                f"antenna would stand.{lately}",
            )
        )
    return found


class Change(NamedTuple):
    """Before and after a visit."""

    worked: bool | None  # None: too early to say
    words: str


def compare(before: Evidence, after: Evidence) -> Change:
    """Whether the visit helped."""
    then, since = before.signal.typical_csq, after.signal.typical_csq
    if after.signal.measured_ms < MEASURED_MS or then is None or since is None:
        return Change(None, "Too early to say: an hour of readings is needed after the visit.")
    signal = f"CSQ {then} before, {since} since"
    if after.gaps:
        return Change(False, f"Not yet: {signal}, and it has been silent again.")
    if is_weak(since):
        return Change(False, f"Not yet: {signal}; it needs {PASS_ABOVE_CSQ + 1} or more.")
    if weak_lately(after):
        return Change(False, f"Not yet: {signal}, and CSQ {after.last_hour.latest_csq} last.")
    return Change(True, f"It worked: {signal}, and no silence.")
