"""Reads the monthly report of a charge point from the store, for one caller."""

from sqlalchemy import Connection

from cloud_bridge.contact import Gap, is_believable
from cloud_bridge.duplicate_identity import CLEAR_AFTER_MS
from cloud_bridge.durations import DAY_MS
from cloud_bridge.months import Month, month_of, months_back
from cloud_bridge.store import history
from cloud_bridge.store.access import Asker, Role
from cloud_bridge.store.contact_details import named_details
from cloud_bridge.store.units import Unit
from cloud_bridge.web.presentation.monthly_report import About, Heard, MonthlyReport, report_of, row_of
from cloud_bridge.web.presentation.session_costs import SessionCosts, session_number

MOST_MONTHS = 7 * 12  # sessions are retained for seven years (store/upkeep.py)
STILL_SENDS_MS = 7 * DAY_MS  # after the month: a unit that fell silent by then may not have sent all of its sessions


def months_of(unit: Unit, first_ms: int | None, now_ms: int) -> list[Month]:
    """Return the months that have a report, the newest first. They start with the caller's own time with the unit or its first
    contact, whichever is later."""
    newest = month_of(now_ms, unit.time_zone)
    since_ms = max(unit.period.from_ms, first_ms or now_ms)
    return months_back(newest, min(newest, month_of(since_ms, unit.time_zone)), MOST_MONTHS)


def sees_vehicles(asker: Asker, unit: Unit) -> bool:
    """Return True if the caller may see which vehicle was charged: only the household may, not support, installers and
    operators."""
    return asker.role is Role.DRIVER or (asker.id is not None and asker.id == unit.owner_id)


def read_report(connection: Connection, unit: Unit, asker: Asker, month: Month, now_ms: int) -> MonthlyReport:
    """Read the report of a month. The month has begun, and did not end before the caller's own time. Raises
    SQLAlchemyError."""
    from_ms = max(month.begins_ms(unit.time_zone), unit.period.from_ms)
    to_ms = month.ends_ms(unit.time_zone)
    rows = history.sessions_begun(connection, unit.period, from_ms, to_ms)
    costs = SessionCosts(connection, unit, from_ms)
    hidden = {} if sees_vehicles(asker, unit) else {"vehicle": None, "vehicle_said": None}
    found = [
        row_of(stored | hidden, session_number(stored), costs.bands_of_row(stored), costs.currency)
        for stored in rows[: history.MAX_BEGUN]
    ]
    reader = "" if asker.id is None else named_details(connection, asker.id).full_name
    about = About(
        unit.id,
        unit.name or unit.id,
        month,
        unit.time_zone,
        reader,
        from_ms,
        to_ms,
        now_ms,
        costs.tariff,
        costs.currency,
    )
    heard = _heard(connection, unit, from_ms, to_ms, now_ms)
    return report_of(about, found, heard, rows.unreadable, left_out=len(rows) > history.MAX_BEGUN)


def _heard(connection: Connection, unit: Unit, from_ms: int, to_ms: int, now_ms: int) -> Heard:
    gaps = history.unit_gaps(connection, unit.period, from_ms, min(to_ms, now_ms), now_ms)
    inside = [Gap(max(gap.from_ms, from_ms), min(gap.to_ms, to_ms)) for gap in gaps]
    silences = [gap for gap in inside if gap.to_ms - gap.from_ms > unit.silent_after_ms]
    last_ms = None if unit.contact is None else unit.contact.at_ms
    is_silent = last_ms is not None and now_ms - last_ms > unit.silent_after_ms and last_ms < to_ms + STILL_SENDS_MS
    return Heard(silences, last_ms if is_silent else None, _mixed_since_ms(unit, to_ms, now_ms))


def _mixed_since_ms(unit: Unit, to_ms: int, now_ms: int) -> int | None:
    """Return since when a second unit has used the identity, while the evidence is recent, as on the unit's own page
    (view.py)."""
    found, from_ms = unit.duplicate, unit.period.evidence_from_ms
    if found is None or not is_believable(found.last_ms, now_ms) or now_ms - found.last_ms > CLEAR_AFTER_MS:
        return None
    since_ms = max(found.since_ms, from_ms)
    return since_ms if found.last_ms >= from_ms and since_ms < to_ms else None
