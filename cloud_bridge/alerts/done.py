"""Detects the end of a charge: a vehicle that was charging no longer draws current, although current is offered. Pure.

The unit ends a session when the vehicle is unplugged, which is no news. The detection therefore uses the power in its
heartbeats: the vehicle has drawn power for some time, and then none for some minutes, although current is offered. During a
schedule, a pause or a fault no current is offered. A vehicle stops by itself when it is full or has reached its own limit.
"""

from collections.abc import Callable
from typing import NamedTuple

from cloud_bridge.durations import HOUR_MS, MINUTE_MS
from cloud_bridge.support.running_session import RunningSession
from cloud_bridge.words import formats
from cloud_bridge.words import gettext as _

IDLE_BELOW_W = 230  # 1 A: below this, the unit opens the contactor (firmware/charging/README.md)
IDLE_FOR_MS = 5 * MINUTE_MS  # vehicles pause briefly to balance their cells
NEWS_FOR_MS = HOUR_MS  # after this, the owner knows already: after an outage of ours, nothing is sent about yesterday
MIN_CHARGED_MS = 5 * MINUTE_MS
MIN_CHARGED_WH = 100


class Charged(NamedTuple):
    """What a vehicle has drawn."""

    from_ms: int
    to_ms: int  # about when it last drew power
    energy_wh: int | None  # None if the meter did not report it


def charged(running: RunningSession, now_ms: int) -> Charged | None:
    """Return the finished charge. Return None if it is not finished, finished too long ago, or hardly began."""
    drawing = [one for one in running.readings if one.watts >= IDLE_BELOW_W]
    if not drawing:
        return None
    idle_since_ms = next((one.at_ms for one in running.readings if one.at_ms > drawing[-1].at_ms), None)
    if idle_since_ms is None or not IDLE_FOR_MS <= now_ms - idle_since_ms <= NEWS_FOR_MS:
        return None
    found = Charged(drawing[0].at_ms, idle_since_ms, running.energy_wh)
    is_enough = found.to_ms - found.from_ms >= MIN_CHARGED_MS
    return found if is_enough and (found.energy_wh is None or found.energy_wh >= MIN_CHARGED_WH) else None


def in_words(charge: Charged, cost: Callable[[], str] | None) -> str:
    """Return the energy and the cost in words, as far as they are known."""
    energy = (
        _("how much is not known") if charge.energy_wh is None else f"{formats.number(charge.energy_wh / 1000, 1)} kWh"
    )
    return energy if cost is None else _("{energy}, about {cost}").format(energy=energy, cost=cost())
