"""The monthly report: a month's sessions with their sums, as a page, CSV and PDF; and a form to correct which vehicle a
session charged."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from cloud_bridge.months import Month, month_of, read_month
from cloud_bridge.store import history
from cloud_bridge.store.units import Unit
from cloud_bridge.vehicles import repository
from cloud_bridge.web.connections import Reading, Writing
from cloud_bridge.web.errors import NotTheirs, Refused
from cloud_bridge.web.page import Field, Number, OwnForm, PersonOf, UnitOf, attachment, page, to
from cloud_bridge.web.presentation import csv_file, monthly_pdf
from cloud_bridge.web.presentation.monthly_csv import report_csv
from cloud_bridge.web.presentation.monthly_reading import months_of, read_report, sees_vehicles
from cloud_bridge.web.presentation.pdf_pages import MEDIA_TYPE
from cloud_bridge.web.security.access import StateDep
from cloud_bridge.words import gettext as _

MAX_VEHICLE = 60  # characters

router = APIRouter(prefix="/charge-points/{unit_id}/report", include_in_schema=False)


@router.get("")
def overview(
    request: Request, app_state: StateDep, connection: Reading, person: PersonOf, unit: UnitOf, month: str = ""
) -> Response:
    """Show a month, by default the last complete one, or the current one if there is no other."""
    now_ms = app_state.clock.now_ms()
    months = months_of(unit, history.first_contact_ms(connection, unit.period), now_ms)
    shown = _checked(month, unit, now_ms) if month else months[min(1, len(months) - 1)]
    report = read_report(connection, unit, person, shown, now_ms)
    content: dict[str, Any] = {
        "unit": unit,
        "report": report,
        "months": months if shown in months else [shown, *months],
        "says_vehicle": sees_vehicles(person, unit),
    }
    return page(request, "driver/monthly_report.html", person, **content)


@router.get("/{month}.csv")
def as_csv(app_state: StateDep, connection: Reading, person: PersonOf, unit: UnitOf, month: str) -> Response:
    now_ms = app_state.clock.now_ms()
    report = read_report(connection, unit, person, _checked(month, unit, now_ms), now_ms)
    return attachment(f"{report.file_name}.csv", report_csv(report), csv_file.MEDIA_TYPE)


@router.get("/{month}.pdf")
def as_pdf(app_state: StateDep, person: PersonOf, unit: UnitOf, month: str) -> Response:
    now_ms = app_state.clock.now_ms()
    shown = _checked(month, unit, now_ms)
    with app_state.database.reading() as connection:  # a transaction of its own: drawing takes longer than reading
        report = read_report(connection, unit, person, shown, now_ms)
    return attachment(f"{report.file_name}.pdf", monthly_pdf.report_pdf(report), MEDIA_TYPE)


@router.get("/sessions/{session_id}")
def which_vehicle(
    request: Request, connection: Reading, person: PersonOf, unit: UnitOf, session_id: Number
) -> Response:
    session = history.session_begun(connection, unit.period, session_id)
    if session is None or not sees_vehicles(person, unit):
        raise NotTheirs("session")
    names = [vehicle.name for vehicle in repository.of_person(connection, person.id)]
    content: dict[str, Any] = {
        "session": session,
        "names": names,
        "month": month_of(session["began_ms"], unit.time_zone),
        "most": MAX_VEHICLE,
    }
    return page(request, "driver/session_vehicle.html", person, unit=unit, **content)


@router.post("/sessions/{session_id}", dependencies=[OwnForm])
def say_vehicle(
    person: PersonOf,
    unit: UnitOf,
    session_id: Number,
    connection: Writing,
    vehicle: Annotated[str, Form(max_length=MAX_VEHICLE)] = "",
    month: Field = "",
) -> Response:
    """Store which vehicle a session charged. An empty name restores the one from the car account."""
    name = vehicle.strip()
    if not name.isprintable():
        raise Refused(_("That does not work"), _("A vehicle's name has printable characters alone."), field="vehicle")
    if not sees_vehicles(person, unit) or not history.say_vehicle(connection, unit.period, session_id, name or None):
        raise NotTheirs("session")
    shown = read_month(month)
    return to(f"/charge-points/{unit.id}/report{'' if shown is None else f'?month={shown}'}")


def _checked(text: str, unit: Unit, now_ms: int) -> Month:
    """Parse a month. Raises Refused if it is invalid, or if the person has no report for it."""
    month = read_month(text)
    if month is None:
        raise Refused(
            _("No such month"), _("A month is written as 2026-10. Choose one on the page of the report."), 404
        )
    if month.begins_ms(unit.time_zone) > now_ms:
        raise Refused(
            _("That month has not begun"), _("There is no report of {month} yet.").format(month=month.name), 404
        )
    if month.ends_ms(unit.time_zone) <= unit.period.from_ms:
        since = _("{month} is before your time with this charger. What it did then is not yours to see.").format(
            month=month.name
        )
        raise Refused(_("No report of that month"), since, 404)
    return month
