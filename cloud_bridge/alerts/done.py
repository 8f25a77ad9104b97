"""When a charge is done: a vehicle that has charged takes nothing any more, though it is offered current. Pure.

The unit ends a session when the vehicle is unplugged, which nobody has to be told. So this goes by the power in its
heartbeats: the vehicle has drawn for a while, then nothing for some minutes, though it is offered current. A schedule, a pause
or a fault offers none. A vehicle that is full stops by itself, and so does one at its own limit.
"""

from collections.abc import Callable
from typing import NamedTuple

from cloud_bridge.durations import HOUR_MS, MINUTE_MS
from cloud_bridge.support.running_session import RunningSession
from cloud_bridge.words import formats
from cloud_bridge.words import gettext as _

IDLE_BELOW_W = 230  # 1 A: below it the unit opens the contactor (firmware/charging/README.md)
IDLE_FOR_MS = 5 * MINUTE_MS  # vehicles rest for a moment to balance their cells
NEWS_FOR_MS = HOUR_MS  # afterwards its owner has found out: after an outage of ours nobody is told of yesterday
MIN_CHARGED_MS = 5 * MINUTE_MS
MIN_CHARGED_WH = 100


class Charged(NamedTuple):
    """What a vehicle has taken."""

    from_ms: int
    to_ms: int  # it drew for the last time at about this time
    energy_wh: int | None  # None: the meter did not tell


def charged(running: RunningSession, now_ms: int) -> Charged | None:
    """None: it is not done, or has been for so long that it is no news, or has hardly charged."""
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
    """How much, and for how much money, as far as is known."""
    energy = (
        _("how much is not known") if charge.energy_wh is None else f"{formats.number(charge.energy_wh / 1000, 1)} kWh"
    )
    return energy if cost is None else _("{energy}, about {cost}").format(energy=energy, cost=cost())
