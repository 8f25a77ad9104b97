"""What an installer should try, from the evidence. Pure.

Rules of thumb of radio installation, in the order in which they are cheap to try: the supply, then another network
that the unit itself has heard louder, then the antenna, then a booster.
"""

from typing import NamedTuple

from cloud_bridge.support.evidence import Evidence
from cloud_bridge.values import PASS_ABOVE_CSQ

FEW_SAMPLES = 12  # an hour of heartbeats of an idle unit
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
    if evidence.samples < FEW_SAMPLES:
        found.append(Advice("Measure on site", "There are too few readings of the signal to say more from here."))
        return found
    found += _radio(evidence)
    if not found and evidence.gaps:
        found.append(
            Advice(
                "Look for what the times have in common",
                "The signal is good, and still it fell silent: see the hours of the gaps. A time switch, a neighbour's "
                "equipment or work on the mast are likelier than the place.",
            )
        )
    return found or [Advice("Nothing to do", "The signal is good and it has not been silent.")]


def _radio(evidence: Evidence) -> list[Advice]:
    typical = evidence.typical_csq
    if typical is None or typical > PASS_ABOVE_CSQ:
        return []
    used = evidence.networks[0]
    found = []
    for other in evidence.networks[1:]:
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
                f"CSQ is typically {typical:.0f} and has to be {PASS_ABOVE_CSQ + 1} or more: an outside antenna, or one a "
                "metre higher and away from metal, usually gains 3 to 6.",
            )
        )
    else:
        found.append(
            Advice(
                "Fit a signal booster",
                f"CSQ is typically {typical:.0f}: too weak for an antenna alone. Measure first where a booster's outside "
                "antenna would stand.",
            )
        )
    return found


class Change(NamedTuple):
    """Before and after a visit."""

    worked: bool | None  # None: too early to say
    words: str


def compare(before: Evidence, after: Evidence) -> Change:
    """Whether the visit helped."""
    if after.samples < FEW_SAMPLES or before.typical_csq is None or after.typical_csq is None:
        return Change(None, "Too early to say: an hour of readings is needed after the visit.")
    signal = f"CSQ {before.typical_csq:.0f} before, {after.typical_csq:.0f} since"
    if after.typical_csq > PASS_ABOVE_CSQ and not after.gaps:
        return Change(True, f"It worked: {signal}, and no silence.")
    if after.gaps:
        return Change(False, f"Not yet: {signal}, and it has been silent again.")
    return Change(False, f"Not yet: {signal}; it needs {PASS_ABOVE_CSQ + 1} or more.")
