"""The costs of a unit's sessions, by today's tariff and the charging hours of their time."""

from typing import Any

from sqlalchemy import Connection

from cloud_bridge.charging_hours import ALL_WEEK, stored
from cloud_bridge.store.schedules import schedules, sessions_charged_now
from cloud_bridge.store.sites import prices_of
from cloud_bridge.store.units import Unit
from cloud_bridge.web.presentation.cost import LONGEST_S, Bands, Span, bands
from cloud_bridge.wire import BadPayload, Session, decode


class SessionCosts:
    """Costs of the sessions received since `from_ms`, in the minor unit of the currency; None is unknown."""

    def __init__(self, connection: Connection, unit: Unit, from_ms: int) -> None:
        self.tariff, self.currency = prices_of(connection, unit.id)
        self._time_zone = unit.time_zone
        has_two_rates = self.tariff is not None and self.tariff.off_peak_rate is not None
        taken = schedules(connection, unit.period) if has_two_rates else []
        self._hours = [(one.taken_ms // 1000, stored(one.hours) or ALL_WEEK) for one in taken]
        began_ms = from_ms - LONGEST_S * 1000
        self._charged_now = sessions_charged_now(connection, unit.period, began_ms) if has_two_rates else set()

    def of_row(self, row: dict[str, Any]) -> float | None:
        """Return the cost of a row of the table `sessions`."""
        found = self.bands_of_row(row)
        return None if found is None else found.cost

    def bands_of_row(self, row: dict[str, Any]) -> Bands | None:
        """Return the cost of a row by rate."""
        number = session_number(row)
        return self._bands(row["energy_wh"] or 0, row["started_s"], row["ended_s"], number in self._charged_now)

    def of(self, energy_wh: int, started_s: int | None, ended_s: int | None, charged_now: bool) -> float | None:
        found = self._bands(energy_wh, started_s, ended_s, charged_now)
        return None if found is None else found.cost

    def _bands(self, energy_wh: int, started_s: int | None, ended_s: int | None, charged_now: bool) -> Bands | None:
        if self.tariff is None:
            return None
        allowed = ALL_WEEK if charged_now or started_s is None else self._allowed(started_s)
        return bands(energy_wh, Span(started_s, ended_s, allowed), self.tariff, self._time_zone)

    def _allowed(self, at_s: int) -> int:
        """Return when it could charge by the hours in force at that time. Return all of the week for times before the first
        hours were reported."""
        return next((allowed for taken_s, allowed in reversed(self._hours) if taken_s <= at_s), ALL_WEEK)


def session_number(row: dict[str, Any]) -> int | None:
    """Return the running number of the session on its unit. Return None for records of older firmware."""
    try:
        session = decode("session", row["payload"].encode())
    except BadPayload:  # stored by an earlier version of the bridge, which did not validate the number
        return None
    return session.number if isinstance(session, Session) else None
