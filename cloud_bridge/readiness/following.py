"""Updates what is remembered between checks with the newest heartbeat and the newest reading of the vehicle. Pure."""

from math import exp

from cloud_bridge.durations import HOUR_MS, MINUTE_MS
from cloud_bridge.readiness.facts import Car, Facts, ReadyPlan, Span, Watched
from cloud_bridge.vehicles.plan import BELIEVED_MS, EFFICIENCY
from cloud_bridge.wire import Heartbeat, is_plugged

DRAWS_FROM_W = 230  # 1 A: below this, the unit opens the contactor (firmware/charging/README.md)
SMOOTHED_MS = 20 * MINUTE_MS
OF_THE_TIME_MS = 10 * MINUTE_MS  # the meter of an older heartbeat does not belong to a reading
HOUSE = "load_manager"
LEAST_POINTS = 4.0  # battery points needed before the energy that they took is used: readings are whole numbers
AS_MUCH_POINTS = 8.0  # at this many points, measured energy and the driver's battery size have equal weight
MEASURED_BETWEEN = (0.6, 1.6)  # plausible ratio to the driver's battery size; else it was also charged elsewhere
ROUNDED_POINTS = 1.5  # difference between a reading and the meter that rounding to whole numbers explains
TRUSTED = 0.3  # weight of the reading within such a difference


def follow(watched: Watched, facts: Facts, plan: ReadyPlan, now_ms: int) -> Watched:
    """Return what is remembered after this check."""
    heartbeat, heard_ms = facts.heartbeat, facts.heard_ms
    if heartbeat is not None and heard_ms is not None and heard_ms != watched.heard_ms:
        watched = _heard(watched, heartbeat, heard_ms, is_held_back(facts, plan, heard_ms))
    car = facts.car
    if car is not None and car.percent is not None and car.seen_ms > max(watched.percent_ms, now_ms - BELIEVED_MS):
        watched = _read(watched, car, car.percent, plan)
    return watched


def blocks(facts: Facts, plan: ReadyPlan, now_ms: int) -> list[Span]:
    """Return when the unit will not charge and then continue by itself: its charging hours, a pause, a random delay."""
    heartbeat = facts.heartbeat
    if heartbeat is None:
        return [(now_ms, plan.begin_ms), *facts.avoided]
    also, until_ms = heartbeat.also_in_force or (), facts.until_ms
    found: list[Span] = []
    if "override" not in also:
        found += facts.avoided
        if heartbeat.limited_by == "schedule" and until_ms is not None:
            found.append((now_ms, until_ms))
    if is_pause(heartbeat):
        found.append((now_ms, plan.ready_ms if until_ms is None else until_ms))
    elif "cloud" in also and heartbeat.limited_by == "schedule":  # the end of the pause is not reported
        found.append((now_ms, plan.begin_ms))
    if heartbeat.random_delay_s and facts.heard_ms is not None:
        found.append((now_ms, facts.heard_ms + heartbeat.random_delay_s * 1000))
    return found


def is_pause(heartbeat: Heartbeat) -> bool:
    """Return True for a pause that the owner commanded."""
    return heartbeat.limited_by == "cloud" and not (
        heartbeat.amps if heartbeat.allowed_amps is None else heartbeat.allowed_amps
    )


def is_held_back(facts: Facts, plan: ReadyPlan, now_ms: int) -> bool:
    """Return True if one of the blocks is in force."""
    return any(from_ms <= now_ms < until_ms for from_ms, until_ms in blocks(facts, plan, now_ms))


def draws(heartbeat: Heartbeat) -> bool:
    return (heartbeat.watts or 0) >= DRAWS_FROM_W


def wh_per_point(plan: ReadyPlan, watched: Watched) -> float:
    """Return the energy at the meter for one per cent of the battery: at first by the driver's battery size, and increasingly
    as measured."""
    said = plan.capacity_kwh * 10 / EFFICIENCY
    if (
        watched.percent is None
        or watched.first_percent is None
        or watched.percent_wh is None
        or watched.first_wh is None
    ):
        return said
    points = watched.percent - watched.first_percent
    if points < LEAST_POINTS:
        return said
    seen = (watched.percent_wh - watched.first_wh) / points
    least, most = MEASURED_BETWEEN
    if not least * said <= seen <= most * said:
        return said
    return said + (seen - said) * points**2 / (points**2 + AS_MUCH_POINTS**2)


def car_w(plan: ReadyPlan, watched: Watched, usual_w: float) -> float:
    """Return the power of a charge that only the vehicle reports. It is measured from the vehicle's readings once they, or
    `usual_w`, amount to LEAST_POINTS."""
    if watched.percent is None or watched.charges_percent is None or watched.charges_ms is None:
        return usual_w
    passed_ms, per_point_wh = watched.percent_ms - watched.charges_ms, wh_per_point(plan, watched)
    points = watched.percent - watched.charges_percent
    usual_points = usual_w * passed_ms / HOUR_MS / per_point_wh
    if passed_ms <= 0 or max(points, usual_points) < LEAST_POINTS:
        return usual_w
    return max(0.0, points) * per_point_wh * HOUR_MS / passed_ms


def _heard(watched: Watched, heartbeat: Heartbeat, heard_ms: int, is_held: bool) -> Watched:
    if not is_plugged(heartbeat):
        return _unplugged(watched, heartbeat, heard_ms)
    drew_ms = heard_ms if draws(heartbeat) else watched.drew_ms
    idle_ms = watched.idle_ms if heartbeat.faults else None  # one that was idle before a fault still is after it
    if not draws(heartbeat) and not is_held and not heartbeat.faults and heartbeat.limited_by != HOUSE:
        idle_ms = heard_ms if watched.idle_ms is None else watched.idle_ms
    plugged_ms = (heard_ms if watched.heard_ms else 0) if watched.plugged_ms is None else watched.plugged_ms
    meter_wh = watched.meter_wh if heartbeat.total_wh is None else heartbeat.total_wh
    return watched._replace(
        heard_ms=heard_ms,
        plugged_ms=plugged_ms,
        unplugged_ms=None,
        idle_ms=idle_ms,
        has_stopped=idle_ms is not None and drew_ms is not None,
        drew_from_ms=drew_ms if watched.drew_from_ms is None else watched.drew_from_ms,
        drew_ms=drew_ms,
        power_w=_average_w(watched, heartbeat, heard_ms, is_held),
        meter_wh=meter_wh,
        percent_wh=meter_wh if watched.percent_wh is None else watched.percent_wh,
    )


def _unplugged(watched: Watched, heartbeat: Heartbeat, heard_ms: int) -> Watched:
    """Handle the end of a charge. The vehicle's last battery reading is retained until it is too old."""
    return watched._replace(
        heard_ms=heard_ms,
        meter_wh=heartbeat.total_wh,
        unplugged_ms=watched.unplugged_ms if watched.plugged_ms is None else heard_ms,
        plugged_ms=None,
        idle_ms=None,
        has_charged=watched.has_charged or watched.drew_ms is not None,
        drew_from_ms=None,
        drew_ms=None,
        power_w=None,
        first_percent=None,
        first_wh=None,
    )


def _average_w(watched: Watched, heartbeat: Heartbeat, heard_ms: int, is_held: bool) -> float | None:
    """Return the mean power of a charge. It does not change while the vehicle draws nothing, unless the load of the house
    leaves no current."""
    average_w, watts = watched.power_w, heartbeat.watts or 0
    if not draws(heartbeat) and (heartbeat.limited_by != HOUSE or is_held or average_w is None):
        return average_w
    if average_w is None:
        return watts
    passed_ms = max(0, heard_ms - watched.heard_ms)
    return average_w + (watts - average_w) * (1 - exp(-passed_ms / SMOOTHED_MS))


def _read(watched: Watched, car: Car, percent: float, plan: ReadyPlan) -> Watched:
    """Apply a reading of the vehicle. It is valid for the time when it was taken; what the meter has counted since is
    added."""
    meter_wh = watched.meter_wh if watched.heard_ms >= car.seen_ms - OF_THE_TIME_MS else None
    if meter_wh is not None and watched.power_w is not None and watched.drew_ms == watched.heard_ms:
        later_ms = watched.heard_ms - car.seen_ms  # negative if the meter has counted more since the heartbeat
        meter_wh = int(meter_wh - watched.power_w * later_ms / 3_600_000)
    if watched.percent is not None and watched.percent_wh is not None and meter_wh is not None:
        counted = watched.percent + max(0, meter_wh - watched.percent_wh) / wh_per_point(plan, watched)
        if abs(percent - counted) <= ROUNDED_POINTS:
            percent = counted + TRUSTED * (percent - counted)
    found = watched._replace(percent=percent, percent_ms=car.seen_ms, percent_wh=meter_wh)
    if not car.charging:
        found = found._replace(charges_ms=None, charges_percent=None)
    elif found.charges_ms is None:
        found = found._replace(charges_ms=car.seen_ms, charges_percent=percent)
    if watched.first_percent is None and meter_wh is not None and watched.plugged_ms is not None:
        found = found._replace(first_percent=percent, first_wh=meter_wh)
    return found
