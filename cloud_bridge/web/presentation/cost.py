"""The cost of a charging session, and a tariff in words. Pure.

The unit reports the energy, start and end of a session, but not how the energy was distributed between them. The energy is
spread evenly over the minutes in which the unit's hours allowed charging, or over all minutes if the hours were overridden or
are unknown. Off-peak hours are in local time: an hour that occurs twice is off-peak twice, and one that is skipped is not.
"""

from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

from cloud_bridge.charging_hours import ALL_DAY, ALL_WEEK, DAY_MIN, WEEK_MIN
from cloud_bridge.currencies import Currency
from cloud_bridge.store.sites import Tariff
from cloud_bridge.time_zones import BRITISH, zone_or_utc
from cloud_bridge.web.presentation.hours import clock
from cloud_bridge.words import gettext as _

MINUTE_S = 60
LONGEST_S = 7 * 24 * 3600  # longest session that is split by rate; a longer one comes from a wrong clock


class Span(NamedTuple):
    """Time of a session by the unit's clock. Start and end are None if the clock was not set."""

    started_s: int | None
    ended_s: int | None
    allowed: int = ALL_WEEK  # minutes of the week in which it could charge (charging_hours.py)


class Bands(NamedTuple):
    """The cost of a session, and the off-peak part of its energy and cost. Costs are in pence, or in the minor unit of the
    site's currency, and not rounded."""

    cost: float
    off_peak_wh: int = 0
    off_peak_cost: float = 0.0


def cost(energy_wh: int, span: Span, tariff: Tariff, time_zone: str) -> float | None:
    """Return the cost in pence, or in the minor unit of the site's currency, not rounded. Return None if there are two rates
    and the time of the session is unknown."""
    found = bands(energy_wh, span, tariff, time_zone)
    return None if found is None else found.cost


def bands(energy_wh: int, span: Span, tariff: Tariff, time_zone: str) -> Bands | None:
    """Return the cost by rate, or None like `cost`. With a single rate, nothing is off-peak."""
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
    """Return a tariff in words: 8.5p per kWh from 00:30 to 05:30, 28p at other times."""
    if tariff.off_peak_rate is None:
        return _("{rate} per kWh").format(rate=currency.rate(tariff.rate))
    return _("{off_peak} per kWh from {begin} to {end}, {rate} at other times").format(
        off_peak=currency.rate(tariff.off_peak_rate),
        begin=clock(tariff.off_peak_from),
        end=clock(tariff.off_peak_to),
        rate=currency.rate(tariff.rate),
    )


def _split(started_s: int, ended_s: int, tariff: Tariff, zone: tzinfo, allowed: int) -> tuple[int, int]:
    """Return the seconds off-peak and at other times. Clock changes, rates and hours all fall on whole minutes of UTC. The
    unit's hours are in British time, in any country."""
    first, last = started_s // MINUTE_S, (ended_s - 1) // MINUTE_S
    may = _minutes(first, last, zone_or_utc(BRITISH), allowed)
    is_cheap = _minutes(first, last, zone, _off_peak(tariff))
    early_s, late_s = started_s - first * MINUTE_S, (last + 1) * MINUTE_S - ended_s  # of the first and the last minute

    def lasting_s(minutes: int) -> int:
        return minutes.bit_count() * MINUTE_S - (minutes & 1) * early_s - (minutes >> last - first & 1) * late_s

    return lasting_s(may & is_cheap), lasting_s(may & ~is_cheap)


def _minutes(first: int, last: int, zone: tzinfo, week: int) -> int:
    """Return which of the UTC minutes from `first` to `last` are in this week mask by local time; one bit for each minute."""
    if week == ALL_WEEK:
        return (1 << last - first + 1) - 1
    begin, end = (datetime.fromtimestamp(minute * MINUTE_S, UTC).astimezone(zone) for minute in (first, last))
    if begin.utcoffset() != end.utcoffset():  # the clocks change in between
        middle = (first + last) // 2
        before, after = _minutes(first, middle, zone, week), _minutes(middle + 1, last, zone, week)
        return before | after << middle + 1 - first
    at = begin.weekday() * DAY_MIN + begin.hour * 60 + begin.minute
    turned = week >> at | (week & (1 << at) - 1) << WEEK_MIN - at  # rotated so that it begins with the first minute
    whole, rest = divmod(last - first + 1, WEEK_MIN)
    return sum(turned << n * WEEK_MIN for n in range(whole)) | (turned & (1 << rest) - 1) << whole * WEEK_MIN


def _off_peak(tariff: Tariff) -> int:
    """Return the off-peak minutes of the week as a bit mask."""
    begin, end = tariff.off_peak_from, tariff.off_peak_to
    between = (1 << max(begin, end)) - (1 << min(begin, end))
    of_day = between if begin <= end else ALL_DAY & ~between
    return sum(of_day << day * DAY_MIN for day in range(7))
