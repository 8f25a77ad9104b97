"""The charging session in progress: its energy and cost, and when it started."""

from typing import NamedTuple

from sqlalchemy import Connection

from cloud_bridge.charging_hours import ALL_WEEK, stored
from cloud_bridge.store import history
from cloud_bridge.store.units import Unit
from cloud_bridge.web.presentation.cost import Span, cost
from cloud_bridge.web.presentation.plan_bar import Bill
from cloud_bridge.web.presentation.view import ChargePoint
from cloud_bridge.wire import is_plugged


class SessionNow(NamedTuple):
    """The session by the newest heartbeat."""

    energy_wh: int
    plugged_ms: int  # when the vehicle was plugged in
    cost: str | None  # None if it is unknown


def session_now(connection: Connection, unit: Unit, point: ChargePoint, bill: Bill | None) -> SessionNow | None:
    """Return the session since the vehicle was plugged in, costed by the present hours. Also return None if two units report
    under this identity, or if the meter was replaced."""
    total_wh, heard_ms = point.heartbeat.total_wh, point.heartbeat_ms
    if total_wh is None or heard_ms is None or point.duplicate is not None or not is_plugged(point.heartbeat):
        return None
    idle = history.last_idle(connection, unit.period, point.now_ms)
    if idle is None or idle.total_wh is None or total_wh < idle.total_wh:
        return None
    energy_wh, plugged_ms = total_wh - idle.total_wh, idle.plugged_ms or heard_ms
    return SessionNow(energy_wh, plugged_ms, _cost(point, energy_wh, plugged_ms, heard_ms, bill))


def _cost(point: ChargePoint, energy_wh: int, plugged_ms: int, heard_ms: int, bill: Bill | None) -> str | None:
    if bill is None or bill.tariff is None:
        return None
    is_set_aside = "override" in (point.heartbeat.also_in_force or ())
    allowed = ALL_WEEK if is_set_aside else stored(bill.hours) or ALL_WEEK
    span = Span(plugged_ms // 1000, max(plugged_ms, heard_ms) // 1000, allowed)
    found = cost(energy_wh, span, bill.tariff, point.time_zone)
    return None if found is None else bill.currency.amount(found)
