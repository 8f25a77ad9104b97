"""What a charging session has cost, and what a tariff says. Pure.

The unit tells energy, begin and end of a session; how the energy lay between them it does not, so it is taken as even.
Off-peak is what the clock on the wall says: an hour that it shows twice is off-peak twice, one that it skips is not.
"""

from datetime import UTC, datetime, tzinfo

from cloud_bridge.currencies import Currency
from cloud_bridge.store.sites import Tariff
from cloud_bridge.time_zones import zone_or_utc
from cloud_bridge.web.presentation.hours import clock

MINUTE_S = 60
LONGEST_S = 7 * 24 * 3600  # of a session that is split by the hour; a longer one is a mistake of a clock


def cost(energy_wh: int, started_s: int | None, ended_s: int | None, tariff: Tariff, time_zone: str) -> float | None:
    """In pence, or in what the site's currency has, not rounded. None when there are two rates and the unit did not know when
    it charged."""
    if tariff.off_peak_rate is None:
        return energy_wh * tariff.rate / 100_000
    if started_s is None or ended_s is None or not 0 <= ended_s - started_s <= LONGEST_S:
        return None
    ended_s = max(ended_s, started_s + 1)
    cheap_s = _off_peak_s(started_s, ended_s, tariff, zone_or_utc(time_zone))
    rate_s = tariff.off_peak_rate * cheap_s + tariff.rate * (ended_s - started_s - cheap_s)
    return energy_wh * rate_s / (ended_s - started_s) / 100_000


def tariff_words(tariff: Tariff, currency: Currency) -> str:
    """8.5p per kWh from 00:30 to 05:30, 28p at other times"""
    if tariff.off_peak_rate is None:
        return f"{currency.rate(tariff.rate)} per kWh"
    hours = f"from {clock(tariff.off_peak_from)} to {clock(tariff.off_peak_to)}"
    return f"{currency.rate(tariff.off_peak_rate)} per kWh {hours}, {currency.rate(tariff.rate)} at other times"


def _off_peak_s(started_s: int, ended_s: int, tariff: Tariff, zone: tzinfo) -> int:
    """The clocks of all zones change at a whole minute of UTC, and so do the rates."""
    found = 0
    for minute_s in range(started_s // MINUTE_S * MINUTE_S, ended_s, MINUTE_S):
        if _is_off_peak(minute_s, tariff, zone):
            found += min(minute_s + MINUTE_S, ended_s) - max(minute_s, started_s)
    return found


def _is_off_peak(at_s: int, tariff: Tariff, zone: tzinfo) -> bool:
    local = datetime.fromtimestamp(at_s, UTC).astimezone(zone)
    minute = local.hour * 60 + local.minute
    if tariff.off_peak_from <= tariff.off_peak_to:
        return tariff.off_peak_from <= minute < tariff.off_peak_to
    return minute >= tariff.off_peak_from or minute < tariff.off_peak_to
