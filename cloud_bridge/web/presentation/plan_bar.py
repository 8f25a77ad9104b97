"""The plan for tonight as a bar from now to the morning: when the charger may charge, when electricity is off-peak, and when
the vehicle has to be ready. Pure.

templates/driver/plan_bar.html draws it as an SVG, with positions in per cent of its width, and gives the same in words. The
bar starts at the last whole hour, so its ticks are at whole hours.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from cloud_bridge.charging_hours import ALL_WEEK, DAY_MIN, stored
from cloud_bridge.contact import Contact
from cloud_bridge.currencies import CURRENCIES, DEFAULT, Currency
from cloud_bridge.durations import HOUR_MS
from cloud_bridge.readiness.facts import Span
from cloud_bridge.readiness.hours_ahead import avoided
from cloud_bridge.readiness.outlook import free_spans
from cloud_bridge.store.ready_plans import ShownPlan
from cloud_bridge.store.sites import Tariff
from cloud_bridge.time_zones import local_time, zone_or_utc
from cloud_bridge.vehicles.plan import next_time
from cloud_bridge.web.presentation.cost import tariff_words
from cloud_bridge.web.presentation.in_force import InForce
from cloud_bridge.web.presentation.view import ChargePoint
from cloud_bridge.web.presentation.words import listed, minute_of_day
from cloud_bridge.wire import is_plugged
from cloud_bridge.words import gettext as _

MORNING = 8  # o'clock at the site: end of the bar
SHORTEST_MS = 3 * HOUR_MS  # if the morning is nearer than this, the bar extends to the next one
AFTER_READY_MS = HOUR_MS  # how far the bar extends beyond the departure
EVENING, NIGHT = 15, 5  # o'clock: between the two, the bar is titled "Tonight"
LONG_MS = 15 * HOUR_MS  # longer bars have a tick every six hours, shorter ones every three
NEAR_EDGE = 4.0  # per cent: no tick closer to either end, where its label would be cut off
ROOM_FOR_TIMES = 26.0  # per cent of the width: from this width on, a band has room for its times, also on a phone
MOST_SPANS = 3  # most spans listed in words


class Bill(NamedTuple):
    """The owner's tariff and charging hours."""

    hours: str | None = None  # in the unit's format; None if it has reported none
    tariff: Tariff | None = None
    currency: Currency = CURRENCIES[DEFAULT]


class Band(NamedTuple):
    """A section of the bar, in per cent of its width."""

    x: float
    width: float
    text: str = ""  # its times, if there is room


class Tick(NamedTuple):
    """An hour mark below the bar."""

    x: float
    text: str


class PlanBar(NamedTuple):
    """The bar, and its content in words."""

    title: str
    charging: list[Band]  # when the charger may charge
    cheap: list[Band]  # when electricity is off-peak
    ticks: list[Tick]
    now_x: float
    ready_x: float | None
    ready: str  # the time of departure, such as 07:00
    hours: str  # when it may charge, in words
    price: str | None
    has_off_peak: bool


def plan_bar(point: ChargePoint, ruling: InForce | None, bill: Bill, plan: ShownPlan | None) -> PlanBar | None:
    """Build the bar. `ruling` is what is in force now, or None if unknown. Return None if nothing is planned: a charger that
    is not online charges whenever a vehicle is plugged in, and a charger with a fault does not charge at all."""
    if point.verdict.contact is not Contact.ONLINE or point.heartbeat.faults:
        return None
    zone, now_ms = point.time_zone, point.now_ms
    begin_ms = _hour_begun(now_ms, zone)
    end_ms = _morning(now_ms, zone)
    if plan is not None:
        end_ms = max(end_ms, plan.ready_ms + AFTER_READY_MS)

    def x(at_ms: int) -> float:
        return round(100 * (at_ms - begin_ms) / (end_ms - begin_ms), 2)

    def band(span: Span, text: str = "") -> Band:
        width = round(x(span[1]) - x(span[0]), 2)
        return Band(x(span[0]), width, text if width >= ROOM_FOR_TIMES else "")

    free = free_spans(now_ms, end_ms, _held(ruling, bill.hours, now_ms, end_ms))
    return PlanBar(
        title=_("Tonight") if _is_evening(now_ms, zone) else _("Today and tonight"),
        charging=[band(one, _times(one, now_ms, end_ms, zone)) for one in free],
        cheap=[band(one) for one in off_peak(bill.tariff, begin_ms, end_ms, zone)],
        ticks=_ticks(begin_ms, end_ms, zone),
        now_x=x(now_ms),
        ready_x=None if plan is None else x(plan.ready_ms),
        ready="" if plan is None else minute_of_day(plan.ready_ms, zone),
        hours=_in_words(free, ruling, is_plugged(point.heartbeat), now_ms, end_ms, zone),
        price=None if bill.tariff is None else tariff_words(bill.tariff, bill.currency),
        has_off_peak=bill.tariff is not None and bill.tariff.off_peak_rate is not None,
    )


def off_peak(tariff: Tariff | None, from_ms: int, until_ms: int, time_zone: str) -> list[Span]:
    """Return the off-peak spans between two times, by local time at the site. Where local time repeats, a span begins with the
    first occurrence of its start and ends with the second occurrence of its end."""
    if tariff is None or tariff.off_peak_rate is None:
        return []
    zone = zone_or_utc(time_zone)
    found: list[Span] = []
    day = local_time(from_ms, time_zone).date() - timedelta(days=1)
    crosses = tariff.off_peak_to < tariff.off_peak_from
    while True:
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
        if midnight.timestamp() * 1000 >= until_ms:
            return found
        begin = midnight + timedelta(minutes=tariff.off_peak_from)
        end = midnight + timedelta(minutes=tariff.off_peak_to + (DAY_MIN if crosses else 0))
        begin_ms, end_ms = int(begin.timestamp() * 1000), int(end.replace(fold=1).timestamp() * 1000)
        if begin_ms < until_ms and end_ms > from_ms and begin_ms < end_ms:
            found.append((max(begin_ms, from_ms), min(end_ms, until_ms)))
        day += timedelta(days=1)


def _held(ruling: InForce | None, hours: str | None, now_ms: int, end_ms: int) -> list[Span]:
    """Return when the charger may not charge: outside its hours, unless these are overridden, and during a pause."""
    claims = () if ruling is None else ruling.claims
    is_set_aside = ruling is not None and ("override" in claims or ruling.source == "override")
    allowed = ALL_WEEK if is_set_aside else stored(hours)
    held = avoided(ALL_WEEK if allowed is None else allowed, now_ms, end_ms)
    if ruling is None or ruling.source not in ("schedule", "cloud") or ruling.amps != 0:
        return held
    until_ms = end_ms
    if ruling.until_s is not None and ruling.told_s is not None:
        until_ms = min(end_ms, now_ms + (ruling.until_s - ruling.told_s) * 1000)
    return [*held, (now_ms, until_ms)]


def _in_words(
    free: Sequence[Span], ruling: InForce | None, plugged: bool, now_ms: int, end_ms: int, time_zone: str
) -> str:
    if ruling is not None and "override" in ruling.claims and free and free[0][0] <= now_ms:
        return _("Charges at any time, until the vehicle is unplugged")
    if not free:
        return _("Does not charge before {time}").format(time=minute_of_day(end_ms, time_zone))
    told = [_times(one, now_ms, end_ms, time_zone) for one in free[:MOST_SPANS]]
    times = listed(told)
    if len(free) > MOST_SPANS:
        times = _("{times}, and later").format(times=times)
    said = _("Charges {times}") if plugged else _("Charges, once plugged in, {times}")
    return said.format(times=times)


def _times(span: Span, now_ms: int, end_ms: int, time_zone: str) -> str:
    """Return the times of a span, such as 00:30 to 05:30. Without its start if it has begun, and without its end if it extends
    beyond the bar."""
    begin, end = (minute_of_day(at_ms, time_zone) for at_ms in span)
    if span[0] <= now_ms:
        return _("at any time") if span[1] >= end_ms else _("until {time}").format(time=end)
    if span[1] >= end_ms:
        return _("from {time}").format(time=begin)
    return _("{begin} to {end}").format(begin=begin, end=end)


def _hour_begun(now_ms: int, time_zone: str) -> int:
    local = local_time(now_ms, time_zone)
    return now_ms - ((local.minute * 60 + local.second) * 1000 + local.microsecond // 1000)


def _morning(now_ms: int, time_zone: str) -> int:
    at_ms = next_time(MORNING, 0, now_ms, time_zone)
    return at_ms if at_ms - now_ms >= SHORTEST_MS else next_time(MORNING, 0, at_ms, time_zone)


def _is_evening(now_ms: int, time_zone: str) -> bool:
    hour = local_time(now_ms, time_zone).hour
    return hour >= EVENING or hour < NIGHT


def _ticks(begin_ms: int, end_ms: int, time_zone: str) -> list[Tick]:
    step, found = 3 if end_ms - begin_ms <= LONG_MS else 6, []
    for at_ms in range(begin_ms, end_ms, HOUR_MS):
        x = round(100 * (at_ms - begin_ms) / (end_ms - begin_ms), 2)
        local = local_time(at_ms, time_zone)
        if not local.hour % step and not local.minute and NEAR_EDGE <= x <= 100 - NEAR_EDGE:
            found.append(Tick(x, f"{local:%H:%M}"))
    return found
