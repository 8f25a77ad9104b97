"""What a charging session has cost, and what a tariff says. Pure.

The unit tells energy, begin and end of a session; how the energy lay between them it does not. It is taken as even over the
minutes in which the unit's hours let it charge, or over all of them where they were set aside or are not known.
Off-peak is what the clock on the wall says: an hour that it shows twice is off-peak twice, one that it skips is not.
"""

from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

from cloud_bridge.charging_hours import ALL_WEEK, DAY_MIN
from cloud_bridge.currencies import Currency
from cloud_bridge.store.sites import Tariff
from cloud_bridge.time_zones import BRITISH, zone_or_utc
from cloud_bridge.web.presentation.hours import clock
from cloud_bridge.words import gettext as _

MINUTE_S = 60
LONGEST_S = 7 * 24 * 3600  # of a session that is split by the hour; a longer one is a mistake of a clock


class Span(NamedTuple):
    """Of a session, by the unit's clock; None: it did not know the time."""

    started_s: int | None
    ended_s: int | None
    allowed: int = ALL_WEEK  # the minutes of the week in which it could charge (charging_hours.py)


class Bands(NamedTuple):
    """What a session has cost, and what of its energy and cost is off-peak; the rest is not. Costs are in pence, or in what
    the site's currency has, not rounded."""

    cost: float
    off_peak_wh: int = 0
    off_peak_cost: float = 0.0


def cost(energy_wh: int, span: Span, tariff: Tariff, time_zone: str) -> float | None:
    """In pence, or in what the site's currency has, not rounded. None when there are two rates and the unit did not know when
    it charged."""
    found = bands(energy_wh, span, tariff, time_zone)
    return None if found is None else found.cost


def bands(energy_wh: int, span: Span, tariff: Tariff, time_zone: str) -> Bands | None:
    """The same by rate; where there is one, nothing is off-peak."""
    if tariff.off_peak_rate is None:
        return Bands(energy_wh * tariff.rate / 100_000)
    started_s, ended_s, allowed = span
    if started_s is None or ended_s is None or not 0 <= ended_s - started_s <= LONGEST_S:
        return None
    ended_s = max(ended_s, started_s + 1)
    cheap_s, other_s = _split(started_s, ended_s, tariff, zone_or_utc(time_zone), allowed)
    if not cheap_s + other_s:
        cheap_s, other_s = _split(started_s, ended_s, tariff, zone_or_utc(time_zone), ALL_WEEK)
    lasting_s = cheap_s + other_s
    both = energy_wh * (tariff.off_peak_rate * cheap_s + tariff.rate * other_s) / lasting_s / 100_000
    off_peak = energy_wh * tariff.off_peak_rate * cheap_s / lasting_s / 100_000
    return Bands(both, round(energy_wh * cheap_s / lasting_s), off_peak)


def tariff_words(tariff: Tariff, currency: Currency) -> str:
    """8.5p per kWh from 00:30 to 05:30, 28p at other times"""
    if tariff.off_peak_rate is None:
        return _("{rate} per kWh").format(rate=currency.rate(tariff.rate))
    return _("{off_peak} per kWh from {begin} to {end}, {rate} at other times").format(
        off_peak=currency.rate(tariff.off_peak_rate),
        begin=clock(tariff.off_peak_from),
        end=clock(tariff.off_peak_to),
        rate=currency.rate(tariff.rate),
    )


def _split(started_s: int, ended_s: int, tariff: Tariff, zone: tzinfo, allowed: int) -> tuple[int, int]:
    """Seconds off-peak and at other times. The clocks of all zones change at a whole minute of UTC, and so do rates and
    hours; the unit's hours are by British time, wherever it hangs."""
    cheap_s = other_s = 0
    british = zone_or_utc(BRITISH)
    for minute_s in range(started_s // MINUTE_S * MINUTE_S, ended_s, MINUTE_S):
        at = datetime.fromtimestamp(minute_s, UTC)
        if allowed != ALL_WEEK:
            local = at.astimezone(british)
            if not allowed >> (local.weekday() * DAY_MIN + local.hour * 60 + local.minute) & 1:
                continue
        lasting_s = min(minute_s + MINUTE_S, ended_s) - max(minute_s, started_s)
        if _is_off_peak(at.astimezone(zone), tariff):
            cheap_s += lasting_s
        else:
            other_s += lasting_s
    return cheap_s, other_s


def _is_off_peak(local: datetime, tariff: Tariff) -> bool:
    minute = local.hour * 60 + local.minute
    if tariff.off_peak_from <= tariff.off_peak_to:
        return tariff.off_peak_from <= minute < tariff.off_peak_to
    return minute >= tariff.off_peak_from or minute < tariff.off_peak_to
