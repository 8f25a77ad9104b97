"""Predicts whether a vehicle will be ready, and if not, why. Pure.

Each check makes two forecasts of the battery at the departure. The best case assumes that the vehicle charges from now on
whenever it may, as fast as planned. If even that is not enough, it will not be ready, and waiting is pointless. The other
forecast assumes that nothing changes. It causes an alert only shortly before it would be too late for one, because vehicles
wake up, networks come back, and people plug in by themselves.

The battery is the vehicle's last reading plus what the meter has counted since, by the measured energy of one per cent. If the
battery is unknown, the question is whether the plan is carried out at all: a vehicle that draws power, or has drawn power and
has stopped by itself, is on track.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from cloud_bridge.durations import HOUR_MS, MINUTE_MS
from cloud_bridge.readiness.facts import Car, Facts, ReadyPlan, Span, Watched
from cloud_bridge.readiness.following import HOUSE, blocks, car_w, draws, is_held_back, is_pause, wh_per_point
from cloud_bridge.readiness.reasons import Reason
from cloud_bridge.vehicles.plan import BELIEVED_MS, TAPER_FACTOR, TAPER_PERCENT, TOLD_BEFORE_MS
from cloud_bridge.wire import is_plugged

DECIDED_BEFORE_MS = TOLD_BEFORE_MS + 15 * MINUTE_MS  # leaves time to see it for five minutes, and to reach the driver
LAST_CALL_MS = 2 * MINUTE_MS  # before the last moment for an alert in time: problems are then alerted without waiting
IDLE_FOR_MS = 20 * MINUTE_MS  # vehicles pause to balance their cells or to warm up, and then continue
AT_LIMIT_FOR_MS = 5 * MINUTE_MS  # at a limit of their own they do not; at the last call that is believed at once
LIMITS, LEAST_LIMIT, LIMIT_POINTS = 10, 50, 0.8  # such limits are multiples of ten; accuracy of the battery
WARM_AFTER_MS = 60 * MINUTE_MS  # of charging: a cold battery draws little before
SHORT_POINTS = 5.0  # a driver does not notice on the road if the battery is short by no more than this
CERTAIN_POINTS = 4.0  # error of the best-case forecast
DOUBT_POINTS = 0.5  # error of the forecast at the last call (its standard deviation over many nights)
LATE_POINTS = 3.0  # margin once an alert in time is no longer possible: then only clear cases are alerted
BEFORE_PLUGGED_MS = 30 * MINUTE_MS  # an older reading is from before the drive home
TOLD_LATER_MS = 10 * MINUTE_MS  # accounts report a plugged-in vehicle up to this much later
OF_THE_VEHICLE = (Reason.ASLEEP, Reason.STOPPED, Reason.SLOW)  # about the plugged-in vehicle, maybe another one
FRESH_MS = 45 * MINUTE_MS  # how long a reported charging state is used; accounts are polled every 10 or 30 minutes


class Verdict(StrEnum):
    """Stored with the plan: members may be added, but never renamed."""

    ON_TRACK = "on-track"
    AT_RISK = "at-risk"  # not ready if nothing changes, but there is time left
    WILL_MISS = "will-miss"
    NOT_KNOWN = "not-known"


class Outlook(NamedTuple):
    """The result of one check."""

    verdict: Verdict
    reason: Reason | None = None  # for all but ON_TRACK; with ON_TRACK only WHICH_VEHICLE
    percent: int | None = None  # battery at the departure if nothing changes; None if unknown
    full_ms: int | None = (
        None  # when the vehicle then reaches its target; None if it has, will not, or if that is unknown
    )


class _Now(NamedTuple):
    """Present charging."""

    power_w: float | None  # in the free time; None if unknown
    reason: Reason | None  # why the power is 0 or unknown


def outlook(plan: ReadyPlan, watched: Watched, facts: Facts, now_ms: int) -> Outlook:
    """Return the verdict on the present facts. `facts` are already applied to `watched`."""
    found = _of_what_is_plugged(plan, watched, facts, now_ms)
    if not facts.has_others or facts.is_silent or not _may_be_another(watched, facts):
        return found
    if found.verdict is Verdict.ON_TRACK:
        return found._replace(reason=Reason.WHICH_VEHICLE)
    if found.verdict is Verdict.WILL_MISS and found.reason in OF_THE_VEHICLE:
        return Outlook(Verdict.NOT_KNOWN, Reason.WHICH_VEHICLE)
    return found


def _of_what_is_plugged(plan: ReadyPlan, watched: Watched, facts: Facts, now_ms: int) -> Outlook:
    is_due = now_ms >= plan.ready_ms - DECIDED_BEFORE_MS
    percent = battery(plan, watched, facts, now_ms)
    now = _now(plan, watched, facts, percent, now_ms)
    free = free_spans(now_ms, plan.ready_ms, blocks(facts, plan, now_ms))
    if percent is None:
        return _without_battery(plan, watched, facts, now, bool(free), now_ms)
    per_point_wh, goal = wh_per_point(plan, watched), plan.target_percent - SHORT_POINTS
    best_w = max(plan.power_w, watched.power_w or 0)
    best = _charged(percent, best_w, free, per_point_wh)
    expected = None if now.power_w is None else _charged(percent, now.power_w, free, per_point_wh)
    shown = None if expected is None else min(100, int(expected))
    full_ms = _full_ms(plan.target_percent, percent, now.power_w or 0, free, per_point_wh)
    if percent >= goal:
        return Outlook(Verdict.ON_TRACK, None, int(max(percent, expected or 0)), full_ms)
    if best < goal - CERTAIN_POINTS:
        is_held = is_held_back(facts, plan, now_ms)
        reason = None if is_held else now.reason
        return Outlook(Verdict.WILL_MISS, reason or _too_late(plan, watched, facts, percent, now_ms), shown)
    if expected is None:
        return Outlook(Verdict.NOT_KNOWN, now.reason)
    is_in_doubt = expected < goal + DOUBT_POINTS and (is_last_call(plan, now_ms) or watched.is_told)
    if expected >= goal and not is_in_doubt:
        return Outlook(Verdict.ON_TRACK, None, shown, full_ms)
    reason = now.reason or _too_slow(plan, watched, facts, percent, now_ms)
    if expected >= goal:
        return Outlook(Verdict.NOT_KNOWN, reason, shown)
    is_clear = now_ms <= plan.ready_ms - TOLD_BEFORE_MS or expected < goal - LATE_POINTS
    return Outlook(Verdict.WILL_MISS if is_due and is_clear else Verdict.AT_RISK, reason, shown)


def battery(plan: ReadyPlan, watched: Watched, facts: Facts, now_ms: int) -> float | None:
    """Return the present battery in per cent, or None if unknown."""
    if watched.percent is None:
        return None
    oldest_ms = now_ms - BELIEVED_MS if watched.plugged_ms is None else watched.plugged_ms - BEFORE_PLUGGED_MS
    if watched.percent_ms < oldest_ms:
        return None
    taken_wh = 0.0
    if watched.meter_wh is not None and watched.percent_wh is not None and not _is_another(watched, facts):
        taken_wh = max(0, watched.meter_wh - watched.percent_wh)
    if facts.is_silent and _says_that_it_charges(facts, now_ms):
        usual_w = watched.power_w or plan.power_w
        taken_wh = car_w(plan, watched, usual_w) * max(0, now_ms - watched.percent_ms) / HOUR_MS
    return _charged(watched.percent, taken_wh, [(0, HOUR_MS)], wh_per_point(plan, watched))


def free_spans(now_ms: int, ready_ms: int, held: Sequence[Span]) -> list[Span]:
    """Return the time up to the departure without the blocks."""
    free, at_ms = [], now_ms
    for from_ms, until_ms in sorted(held):
        if from_ms > at_ms:
            free.append((at_ms, min(from_ms, ready_ms)))
        at_ms = max(at_ms, until_ms)
        if at_ms >= ready_ms:
            break
    if at_ms < ready_ms:
        free.append((at_ms, ready_ms))
    return [(begins, ends) for begins, ends in free if begins < ends]


def _now(plan: ReadyPlan, watched: Watched, facts: Facts, percent: float | None, now_ms: int) -> _Now:
    heartbeat, usual_w = facts.heartbeat, watched.power_w or plan.power_w
    if not _is_warm(watched):
        usual_w = max(usual_w, plan.power_w)
    if facts.is_silent or heartbeat is None:
        if _says_that_it_charges(facts, now_ms):
            return _Now(car_w(plan, watched, usual_w), None)
        is_idle = _says_that_it_does_not(facts, plan, now_ms) and not is_held_back(facts, plan, now_ms)
        return _Now(0 if is_idle else None, Reason.SILENT)
    if not is_plugged(heartbeat):
        return _Now(0, Reason.NOT_PLUGGED)
    if _is_another(watched, facts):
        return _Now(0, Reason.OTHER_VEHICLE)
    if heartbeat.faults:
        return _Now(0, Reason.FAULT)
    rests_for_ms = _rests_for_ms(plan, watched, percent, now_ms)
    if watched.idle_ms is not None and watched.heard_ms - watched.idle_ms >= rests_for_ms:
        return _Now(0, Reason.ASLEEP if watched.drew_ms is None else Reason.STOPPED)
    if heartbeat.limited_by == HOUSE and watched.power_w is None and not draws(heartbeat):
        return _Now(0, Reason.HOUSE)
    return _Now(usual_w, None)


def last_call(now_ms: int) -> Span:
    """Return the range of departures that have to be alerted now or never."""
    return now_ms + TOLD_BEFORE_MS, now_ms + TOLD_BEFORE_MS + LAST_CALL_MS


def is_last_call(plan: ReadyPlan, now_ms: int) -> bool:
    first_ms, last_ms = last_call(now_ms)
    return first_ms <= plan.ready_ms <= last_ms


def _rests_for_ms(plan: ReadyPlan, watched: Watched, percent: float | None, now_ms: int) -> int:
    """Return how long a vehicle may draw nothing before that counts."""
    if watched.is_told:
        return 0  # nothing is taken back before it charges
    is_in_time = DECIDED_BEFORE_MS >= plan.ready_ms - now_ms >= TOLD_BEFORE_MS
    if not is_in_time or watched.drew_ms is None or not _is_limit(percent):
        return IDLE_FOR_MS
    return 0 if is_last_call(plan, now_ms) else AT_LIMIT_FOR_MS


def _is_limit(percent: float | None) -> bool:
    if percent is None or percent < LEAST_LIMIT - LIMIT_POINTS:
        return False
    return abs(percent - round(percent / LIMITS) * LIMITS) <= LIMIT_POINTS


def _is_warm(watched: Watched) -> bool:
    drew_from_ms, drew_ms = watched.drew_from_ms, watched.drew_ms
    return drew_from_ms is not None and drew_ms is not None and drew_ms - drew_from_ms >= WARM_AFTER_MS


def _without_battery(
    plan: ReadyPlan, watched: Watched, facts: Facts, now: _Now, has_time: bool, now_ms: int
) -> Outlook:
    """Return the verdict without a known battery: whether the vehicle charges at all."""
    is_due = now_ms >= plan.ready_ms - DECIDED_BEFORE_MS
    late = Verdict.WILL_MISS if is_due else Verdict.AT_RISK
    unknown = Verdict.NOT_KNOWN if is_due else Verdict.AT_RISK
    if now.reason is Reason.OTHER_VEHICLE:
        return Outlook(unknown, now.reason)
    if watched.has_stopped:
        return Outlook(Verdict.ON_TRACK)
    if now.reason is Reason.SILENT:
        return Outlook(late if now.power_w == 0 else Verdict.NOT_KNOWN, now.reason)
    if now.reason is Reason.ASLEEP:
        return Outlook(unknown, Reason.IDLE_UNSEEN)
    if now.reason in (Reason.NOT_PLUGGED, Reason.FAULT, Reason.HOUSE):
        may_be_enough = watched.drew_ms is not None or watched.has_charged
        return Outlook(unknown if may_be_enough else late, now.reason)
    is_paused = facts.heartbeat is not None and is_pause(facts.heartbeat)
    if not has_time and watched.drew_ms is None:
        is_in_time = now_ms <= plan.ready_ms - TOLD_BEFORE_MS  # later, it may have charged before it was replugged
        return Outlook(Verdict.WILL_MISS if is_in_time else unknown, Reason.PAUSED if is_paused else Reason.HOURS)
    if not has_time and is_paused:
        return Outlook(unknown, Reason.PAUSED)
    return Outlook(Verdict.ON_TRACK)


def _is_another(watched: Watched, facts: Facts) -> bool:
    """Return True if the plugged-in vehicle cannot be this one: this one has reported since then that it is not plugged in."""
    car = facts.car
    return car is not None and car.plugged is False and not car.charging and _is_of_this_charge(watched, car)


def _may_be_another(watched: Watched, facts: Facts) -> bool:
    """Return True while a vehicle is plugged in and this one has not reported that it is."""
    car = facts.car
    if watched.plugged_ms is None:
        return False
    return car is None or car.plugged is None or not _is_of_this_charge(watched, car)


def _is_of_this_charge(watched: Watched, car: Car) -> bool:
    return watched.plugged_ms is not None and car.seen_ms >= watched.plugged_ms + TOLD_LATER_MS


def _says_that_it_charges(facts: Facts, now_ms: int) -> bool:
    return _is_newer(facts, now_ms) and facts.car is not None and facts.car.charging is True


def _says_that_it_does_not(facts: Facts, plan: ReadyPlan, now_ms: int) -> bool:
    """Return True if the vehicle reports that it does not charge, although nothing held it back at that time."""
    car = facts.car
    if car is None or car.charging is not False or not _is_newer(facts, now_ms):
        return False
    return not is_held_back(facts, plan, car.seen_ms)


def _is_newer(facts: Facts, now_ms: int) -> bool:
    """Return True if the vehicle's reading is newer than the charge point's last message."""
    return facts.car is not None and facts.car.seen_ms > max(facts.heard_ms or 0, now_ms - FRESH_MS)


def _charged(percent: float, power_w: float, free: Sequence[Span], per_point_wh: float) -> float:
    """Return the battery after charging with this power during this time."""
    points = power_w * sum(ends - begins for begins, ends in free) / HOUR_MS / per_point_wh
    below = max(0.0, min(points, TAPER_PERCENT - percent))
    return min(100.0, percent + below + (points - below) / TAPER_FACTOR)


def _full_ms(target: float, percent: float, power_w: float, free: Sequence[Span], per_point_wh: float) -> int | None:
    below = max(0.0, min(target, TAPER_PERCENT) - percent)
    above = max(0.0, target - max(percent, TAPER_PERCENT))
    if power_w <= 0 or percent >= target:
        return None
    left_ms = int((below + above * TAPER_FACTOR) * per_point_wh / power_w * HOUR_MS)
    for begins, ends in free:
        if left_ms <= ends - begins:
            return begins + left_ms
        left_ms -= ends - begins
    return None


def _too_late(plan: ReadyPlan, watched: Watched, facts: Facts, percent: float, now_ms: int) -> Reason:
    """Return why the time is too short even at the planned power: what would have to be removed for it to be enough."""
    heartbeat, per_point_wh = facts.heartbeat, wh_per_point(plan, watched)
    goal, best_w = plan.target_percent - SHORT_POINTS, max(plan.power_w, watched.power_w or 0)

    def would_do(held: Sequence[Span]) -> bool:
        return _charged(percent, best_w, free_spans(now_ms, plan.ready_ms, held), per_point_wh) >= goal

    if would_do(()):
        if heartbeat is not None and is_pause(heartbeat) and would_do(facts.avoided):
            return Reason.PAUSED
        return Reason.HOURS if facts.avoided else Reason.SLOW
    return Reason.NO_TIME


def _too_slow(plan: ReadyPlan, watched: Watched, facts: Facts, percent: float, now_ms: int) -> Reason:
    """Return why the charge is too slow although the vehicle charges."""
    heartbeat = facts.heartbeat
    if heartbeat is not None and heartbeat.limited_by == HOUSE:
        return Reason.HOUSE
    if heartbeat is not None and heartbeat.limited_by == "cloud" and not is_pause(heartbeat):
        return Reason.PAUSED
    if watched.power_w is not None and watched.power_w < plan.power_w * 0.9:
        return Reason.SLOW
    return _too_late(plan, watched, facts, percent, now_ms)
