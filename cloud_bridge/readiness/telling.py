"""When a driver is told of a departure: once, and once that it will be well after all. Pure."""

from enum import StrEnum

from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.readiness.facts import ReadyPlan, Watched
from cloud_bridge.readiness.outlook import DECIDED_BEFORE_MS, SHORT_POINTS, Outlook, Verdict
from cloud_bridge.vehicles.plan import TOLD_BEFORE_MS

SETTLES_MS = (
    5 * MINUTE_MS
)  # a unit that has just been told something, or is switched on, says what is in force a moment later
UNPLUGGED_MS = 20 * MINUTE_MS  # before the last moment to tell it in time
SURE_POINTS = 2.0  # more than just enough, before something is taken back


class News(StrEnum):
    """What a driver is told."""

    WILL_MISS = "will-miss"
    NOT_KNOWN = "not-known"
    TAKEN_BACK = "taken-back"


def tell(plan: ReadyPlan, watched: Watched, found: Outlook, now_ms: int) -> tuple[Watched, News | None]:
    """What there is to tell that has not been told, and what is remembered then."""
    if now_ms >= plan.ready_ms:
        return watched, None
    if watched.told_ms is None:
        what = _amiss(plan, watched, found, now_ms)
        if what is None:
            return watched._replace(amiss_ms=None), None
        watched = watched._replace(amiss_ms=now_ms if watched.amiss_ms is None else watched.amiss_ms)
        if watched.amiss_ms is None or now_ms - watched.amiss_ms < SETTLES_MS:
            return watched, None
        return watched._replace(told_ms=now_ms, knew_battery=found.percent is not None), what
    if watched.taken_back_ms is None and _is_well(plan, watched, found):
        return watched._replace(taken_back_ms=now_ms), News.TAKEN_BACK
    return watched, None


def _amiss(plan: ReadyPlan, watched: Watched, found: Outlook, now_ms: int) -> News | None:
    if watched.unplugged_ms is not None and watched.unplugged_ms > plan.ready_ms - TOLD_BEFORE_MS - UNPLUGGED_MS:
        return None  # whoever unplugs it shortly before the departure knows
    if found.verdict is Verdict.WILL_MISS:
        return News.WILL_MISS
    is_due = now_ms >= plan.ready_ms - DECIDED_BEFORE_MS
    return News.NOT_KNOWN if found.verdict is Verdict.NOT_KNOWN and is_due else None


def _is_well(plan: ReadyPlan, watched: Watched, found: Outlook) -> bool:
    """Clearly enough to take something back."""
    if found.percent is None:
        return found.verdict is Verdict.ON_TRACK and not watched.knew_battery
    return found.verdict is Verdict.ON_TRACK and found.percent >= plan.target_percent - SHORT_POINTS + SURE_POINTS
