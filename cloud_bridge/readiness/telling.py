"""Decides when a driver is alerted about a departure: once, then that all is well again, and after that once more. Pure."""

from enum import StrEnum

from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.readiness.facts import ReadyPlan, Watched
from cloud_bridge.readiness.outlook import (
    DECIDED_BEFORE_MS,
    LAST_CALL_MS,
    SHORT_POINTS,
    Outlook,
    Verdict,
    is_last_call,
)
from cloud_bridge.readiness.reasons import Reason
from cloud_bridge.vehicles.plan import TOLD_BEFORE_MS

SETTLES_MS = 5 * MINUTE_MS  # a unit that was just commanded or switched on soon reports what is in force
SURE_POINTS = 2.0  # margin above the goal before an alert is taken back
FAULT_SETTLES_MS = 20 * MINUTE_MS  # once it is late: the driver was already alerted to the red light itself
MOST_TOLD = 2  # for one departure; each is taken back at most once


class News(StrEnum):
    """What a driver is alerted to."""

    WILL_MISS = "will-miss"
    NOT_KNOWN = "not-known"
    TAKEN_BACK = "taken-back"


def anew(watched: Watched) -> Watched:
    """Reset for another departure: no alert was sent yet, and what is known about the vehicle remains."""
    return watched._replace(amiss_ms=None, is_told=False, times_told=0)


def tell(plan: ReadyPlan, watched: Watched, found: Outlook, now_ms: int) -> tuple[Watched, News | None]:
    """Return what is remembered now, and the news to alert, if any."""
    if now_ms >= plan.ready_ms:
        return watched, None
    if watched.is_told:
        if not _is_well(plan, watched, found):
            return watched, None
        return watched._replace(is_told=False, amiss_ms=None), News.TAKEN_BACK
    what = _amiss(plan, watched, found, now_ms) if watched.times_told < MOST_TOLD else None
    if what is None:
        return watched._replace(amiss_ms=None), None
    watched = watched._replace(amiss_ms=now_ms if watched.amiss_ms is None else watched.amiss_ms)
    is_urgent = (
        is_last_call(plan, now_ms) and found.reason is not Reason.NOT_PLUGGED
    )  # whoever has just unplugged it knows
    is_late = now_ms > plan.ready_ms - TOLD_BEFORE_MS
    settles_ms = FAULT_SETTLES_MS if found.reason is Reason.FAULT and is_late else SETTLES_MS
    if now_ms - (watched.amiss_ms or 0) < settles_ms and not is_urgent:
        return watched, None
    told = watched._replace(times_told=watched.times_told + 1, is_told=True, knew_battery=found.percent is not None)
    return told, what


def _amiss(plan: ReadyPlan, watched: Watched, found: Outlook, now_ms: int) -> News | None:
    if watched.unplugged_ms is not None and watched.unplugged_ms >= plan.ready_ms - TOLD_BEFORE_MS - LAST_CALL_MS:
        return None  # whoever unplugs it shortly before the departure knows
    if found.verdict is Verdict.WILL_MISS:  # the supply of a silent charger may come back at any time
        return News.NOT_KNOWN if found.reason is Reason.SILENT else News.WILL_MISS
    is_due = now_ms >= plan.ready_ms - DECIDED_BEFORE_MS
    return News.NOT_KNOWN if found.verdict is Verdict.NOT_KNOWN and is_due else None


def _is_well(plan: ReadyPlan, watched: Watched, found: Outlook) -> bool:
    """Return True if the outlook is good enough to take an alert back."""
    if found.verdict is not Verdict.ON_TRACK:
        return False
    charges = watched.drew_ms is not None and watched.drew_ms == watched.heard_ms
    if found.percent is None:
        return not watched.knew_battery and (charges or watched.has_stopped)
    enough = plan.target_percent - SHORT_POINTS + SURE_POINTS
    says_so = watched.charges_ms is not None and watched.percent_ms > watched.heard_ms
    return found.percent >= enough and (charges or says_so or (watched.percent or 0) >= enough)
