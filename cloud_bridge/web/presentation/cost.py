"""What a charging session has cost. Pure.

The unit tells energy, begin and end of a session; how the energy lay between them it does not, so it is taken as even.
"""

from datetime import UTC, datetime, tzinfo

from cloud_bridge.store.sites import Tariff
from cloud_bridge.time_zones import zone_or_utc

MINUTE_S = 60
LONGEST_S = 7 * 24 * 3600  # of a session that is split by the hour; a longer one is a mistake of a clock


def cost_pence(
    energy_wh: int, started_s: int | None, ended_s: int | None, tariff: Tariff, time_zone: str
) -> float | None:
    """None when there are two rates and the unit did not know when it charged."""
    if tariff.off_peak_rate is None:
        return energy_wh * tariff.rate / 100_000
    if started_s is None or ended_s is None or not 0 <= ended_s - started_s <= LONGEST_S:
        return None
    zone = zone_or_utc(time_zone)
    minutes = range(started_s, max(ended_s, started_s + 1), MINUTE_S)
    cheap = sum(_is_off_peak(at_s, tariff, zone) for at_s in minutes) / len(minutes)
    rate = tariff.off_peak_rate * cheap + tariff.rate * (1 - cheap)
    return energy_wh * rate / 100_000


def _is_off_peak(at_s: int, tariff: Tariff, zone: tzinfo) -> bool:
    local = datetime.fromtimestamp(at_s, UTC).astimezone(zone)
    minute = local.hour * 60 + local.minute
    if tariff.off_peak_from <= tariff.off_peak_to:
        return tariff.off_peak_from <= minute < tariff.off_peak_to
    return minute >= tariff.off_peak_from or minute < tariff.off_peak_to
