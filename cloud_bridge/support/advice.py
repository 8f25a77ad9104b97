"""What an installer should try, according to the evidence of the whole time and of its last hour. Pure.

Rules of thumb of radio installation, the cheapest first: the supply, then another network that the unit itself has received
more strongly, then the antenna, then a booster.
"""

from typing import NamedTuple

from cloud_bridge.durations import HOUR_MS
from cloud_bridge.support.evidence import Evidence
from cloud_bridge.support.signal import SignalSummary, is_weak
from cloud_bridge.values import PASS_ABOVE_CSQ
from cloud_bridge.words import formats, ngettext
from cloud_bridge.words import gettext as _

MEASURED_MS = HOUR_MS  # amount of signal data needed to judge a place
OFTEN_WEAK = 0.1  # share of the time; 2.4 hours a day
BETTER_BY = 4  # CSQ steps, 8 dB: more than a network varies from hour to hour
ANTENNA_HELPS_ABOVE_CSQ = 8  # -97 dBm: below this, an antenna a metre higher seldom helps enough
BROWN_OUTS = 3


class Advice(NamedTuple):
    title: str
    why: str


def advise(evidence: Evidence, boots: tuple[int, int] | None = None) -> list[Advice]:
    """Return advice, the most worthwhile first. If the evidence shows no problem, one line says so. `boots` are the boot
    counts of two charge points that use this identity."""
    found = []
    if boots is not None:  # the evidence is of both
        found.append(
            Advice(
                _("Find the second charger"),
                _(
                    "Two log in with this identity, with boot counts {first} and {second}. The steps stand under Needs "
                    "attention; signal and restarts say little until then."
                ).format(first=formats.count(boots[0]), second=formats.count(boots[1])),
            )
        )
    if evidence.brown_outs >= BROWN_OUTS:
        found.append(
            Advice(
                _("Check the supply"),
                _(
                    "It restarted {times} times because its supply dipped. A modem draws 2 A in bursts: look at the "
                    "terminals, the cable's cross-section and the 5 V supply before anything about radio."
                ).format(times=evidence.brown_outs),
            )
        )
    if evidence.signal.measured_ms < MEASURED_MS:
        found.append(Advice(_("Measure on site"), _few_readings(evidence.signal)))
        return found
    found += _radio(evidence) or _lately_or_at_times(evidence)
    if not found and evidence.gaps:
        found.append(
            Advice(
                _("Look for what the times have in common"),
                _(
                    "The signal is good, and still it fell silent: see the hours of the gaps. A time switch, a neighbour's "
                    "equipment or work on the mast are likelier than the place."
                ),
            )
        )
    if not found and evidence.last_hour.latest_csq is None:
        found.append(
            Advice(_("Measure on site"), _("The signal was good, but there is no reading of it from the last hour."))
        )
    return found or [
        Advice(_("Nothing to do"), _("The signal is good, in the last hour too, and it has not been silent."))
    ]


def weak_lately(evidence: Evidence) -> bool:
    """Return True if the signal was weak in the last hour or at the last reading."""
    hour = evidence.last_hour
    return any(csq is not None and is_weak(csq) for csq in (hour.typical_csq, hour.latest_csq))


def _few_readings(signal: SignalSummary) -> str:
    if signal.latest_csq is None:
        return _("There is no reading of the signal to say more from here.")
    minutes = max(1, round(signal.measured_ms / 60_000))
    if is_weak(signal.latest_csq):
        said = ngettext(
            "The signal is known for {n} minute only, and CSQ was {csq} last: it has to be {least} or more.",
            "The signal is known for {n} minutes only, and CSQ was {csq} last: it has to be {least} or more.",
            minutes,
        )
    else:
        said = ngettext(
            "The signal is known for {n} minute only: CSQ was {csq} last. An hour is needed to say more from here.",
            "The signal is known for {n} minutes only: CSQ was {csq} last. An hour is needed to say more from here.",
            minutes,
        )
    return said.format(n=minutes, csq=signal.latest_csq, least=PASS_ABOVE_CSQ + 1)


def _lately_or_at_times(evidence: Evidence) -> list[Advice]:
    """Return advice for a signal that is typically good."""
    signal, hour = evidence.signal, evidence.last_hour
    if weak_lately(evidence):
        return [
            Advice(
                _("Look for what has changed"),
                _(
                    "CSQ was {latest} last and {typical} typically in the last hour, against {before} in all this time. Check "
                    "the antenna, its lead and plug, and what now stands before it."
                ).format(latest=hour.latest_csq, typical=hour.typical_csq, before=signal.typical_csq),
            )
        ]
    if signal.weak_share >= OFTEN_WEAK:
        return [
            Advice(
                _("Look for when it is weak"),
                _(
                    "CSQ is typically {typical}, but {weak} or less for {percent} of the time. The chart shows when: a "
                    "parked vehicle or a closed gate may stand in front of the antenna."
                ).format(typical=signal.typical_csq, weak=PASS_ABOVE_CSQ, percent=formats.percent(signal.weak_share)),
            )
        ]
    return []


def _radio(evidence: Evidence) -> list[Advice]:
    typical = evidence.signal.typical_csq
    if typical is None or not is_weak(typical):
        return []
    lately = ""
    if weak_lately(evidence):
        lately = " " + _("It was {csq} last.").format(csq=evidence.last_hour.latest_csq)
    elif evidence.last_hour.latest_csq is not None:
        better = _("It is better in the last hour, {csq}: see for a day whether that lasts.")
        lately = " " + better.format(csq=evidence.last_hour.typical_csq)
    used = evidence.signal.networks[0]
    found = []
    for other in evidence.signal.networks[1:]:
        if other.operator and other.average_csq >= used.average_csq + BETTER_BY:
            found.append(
                Advice(
                    _("Try the other network"),
                    _("It has heard {network} at CSQ {csq}, and stays on {used} at {used_csq}.").format(
                        network=other.operator,
                        csq=formats.number(other.average_csq),
                        used=used.operator or _("its network"),
                        used_csq=formats.number(used.average_csq),
                    ),
                )
            )
            break
    if typical > ANTENNA_HELPS_ABOVE_CSQ:
        found.append(
            Advice(
                _("Move or replace the antenna"),
                _(
                    "CSQ is typically {typical} and has to be {least} or more: an outside antenna, or one a metre higher and "
                    "away from metal, usually gains 3 to 6."
                ).format(typical=typical, least=PASS_ABOVE_CSQ + 1)
                + lately,
            )
        )
    else:
        found.append(
            Advice(
                _("Fit a signal booster"),
                _(
                    "CSQ is typically {typical}: too weak for an antenna alone. Measure first where a booster's outside "
                    "antenna would stand."
                ).format(typical=typical)
                + lately,
            )
        )
    return found


class Change(NamedTuple):
    """The comparison before and after a visit."""

    worked: bool | None  # None if it is too early to say
    words: str


def compare(before: Evidence, after: Evidence) -> Change:
    """Compare the evidence before and after a visit."""
    then, since = before.signal.typical_csq, after.signal.typical_csq
    if after.signal.measured_ms < MEASURED_MS or then is None or since is None:
        return Change(None, _("Too early to say: an hour of readings is needed after the visit."))
    if after.gaps:
        said = _("Not yet: CSQ {before} before, {since} since, and it has been silent again.")
    elif is_weak(since):
        said = _("Not yet: CSQ {before} before, {since} since; it needs {least} or more.")
    elif weak_lately(after):
        said = _("Not yet: CSQ {before} before, {since} since, and CSQ {latest} last.")
    else:
        said = _("It worked: CSQ {before} before, {since} since, and no silence.")
    worked = not (after.gaps or is_weak(since) or weak_lately(after))
    latest = after.last_hour.latest_csq
    return Change(worked, said.format(before=then, since=since, least=PASS_ABOVE_CSQ + 1, latest=latest))
