"""The commissioning of a charge point by its installer: the steps are typed on a phone on site, and the unit carries them out.

The unit accepts the command only if its button was pressed within the last 10 minutes (firmware/README.md). The page shows the
unit's answer, and the record as the unit reported it.
"""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Connection

from cloud_bridge import commands
from cloud_bridge.app_state import AppState
from cloud_bridge.commissioning import BOOSTS, LEAST_A, MOST_A, RCD_TRIP_MAX_MS, RIGHT, steps_typed
from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.store.access import Person, Role
from cloud_bridge.store.commands import Command, CommandStatus, newest_commissioning
from cloud_bridge.store.commissioning import commissioning_of
from cloud_bridge.store.job_customers import customers
from cloud_bridge.store.jobs import Job
from cloud_bridge.store.security_events import Kind
from cloud_bridge.store.units import Protocol, Unit, unit_of_past_work, visible_unit
from cloud_bridge.values import PASS_ABOVE_CSQ
from cloud_bridge.web.connections import Reading
from cloud_bridge.web.errors import NotTheirs, Refused
from cloud_bridge.web.page import Field, Number, OwnForm, PersonOf, attachment, page, render_html, to
from cloud_bridge.web.pages.installer.job_page import job_at_hand, job_of
from cloud_bridge.web.presentation import commissioning_pdf
from cloud_bridge.web.presentation.command_words import described
from cloud_bridge.web.presentation.commissioning_words import BOOSTS as BOOST_WORDS
from cloud_bridge.web.presentation.commissioning_words import EARTHING, lines
from cloud_bridge.web.presentation.job_signal import reading_of
from cloud_bridge.web.presentation.pdf_pages import MEDIA_TYPE
from cloud_bridge.web.presentation.view import charge_point
from cloud_bridge.web.presentation.words import time_of_day
from cloud_bridge.web.security.access import StateDep
from cloud_bridge.web.security.log import note
from cloud_bridge.web.security.rates import ORDERS, use
from cloud_bridge.words import gettext as _

ORDER_MS = 2 * MINUTE_MS  # the unit refuses the command after this time

router = APIRouter(prefix="/jobs/{job_id}/commissioning", include_in_schema=False)


@router.get("")
def overview(request: Request, app_state: StateDep, connection: Reading, person: PersonOf, job_id: Number) -> Response:
    job, unit = _open_job(connection, person, job_id)
    now = _now(app_state, connection, person, unit)
    content: dict[str, Any] = {
        "unit": unit,
        "job": job,
        "may_order": person.role is Role.INSTALLER,
        "earthing": EARTHING,
        "boosts": {name: BOOST_WORDS[name] for name in BOOSTS},
        "least_a": LEAST_A,
        "most_a": MOST_A,
        "rcd_most_ms": RCD_TRIP_MAX_MS,
        "pass_above": PASS_ABOVE_CSQ,
    }
    return page(request, "installer/commissioning.html", person, **content, **now)


@router.get("/now")
def now(request: Request, app_state: StateDep, connection: Reading, person: PersonOf, job_id: Number) -> Response:
    """Return the record and the unit's answer, for an open page."""
    job, unit = _open_job(connection, person, job_id)
    content = _now(app_state, connection, person, unit)
    return HTMLResponse(render_html(request, "installer/commissioning_now.html", job=job, unit=unit, **content))


@router.post("", dependencies=[OwnForm])
def order(
    request: Request,
    app_state: StateDep,
    person: PersonOf,
    job_id: Number,
    amps: Field = "",
    earth: Field = "",
    polarity: Field = "",
    rcd_ms: Field = "",
    csq: Field = "",
    boost: Field = "",
) -> Response:
    """Send the steps to the unit, in the installer's name. It answers within seconds."""
    with app_state.database.reading() as connection:
        unit = _open_job(connection, person, job_id)[1]
    if person.role is not Role.INSTALLER:
        raise NotTheirs("job")
    typed = {"amps": amps, "earth": earth, "polarity": polarity, "rcd_ms": rcd_ms, "csq": csq, "boost": boost}
    steps = steps_typed(typed, person.name)
    if isinstance(steps, dict):
        raise Refused(_("That was not taken"), _("Nothing was sent to the charger."), problems=steps)
    use(request, person, ORDERS, _("Too many changes at once"), _("Nothing was sent to the charger this time."))
    commands.give(
        app_state,
        unit.id,
        person.id,
        "commission",
        {
            "amps": steps.amps,
            "earth": steps.earth,
            "polarity": True,
            "rcd_ms": steps.rcd_ms,
            "csq": steps.csq,
            "boost": steps.boost,
            "by": steps.by,
        },
        ORDER_MS,
    )
    note(request, Kind.COMMAND, person, f"commission to {unit.id}")
    return to(f"/jobs/{job_id}/commissioning")


@router.get("/record.pdf")
def as_pdf(app_state: StateDep, person: PersonOf, job_id: Number) -> Response:
    """Return the record as a PDF. After the job is closed, only a record that was made while it was open."""
    with app_state.database.reading() as connection:  # a transaction of its own: drawing takes longer than reading
        job = job_of(connection, person, job_id)
        unit = visible_unit(connection, person, job.unit_id) or unit_of_past_work(connection, person, job.unit_id)
        record = commissioning_of(connection, job.unit_id)
        customer = customers(connection, person, [job.id]).get(job.id)
    if (
        unit is None
        or record is None
        or (job.closed_ms is not None and not job.raised_ms <= record.at_ms <= job.closed_ms)
    ):
        raise NotTheirs("record")
    made = commissioning_pdf.record_pdf(record, unit.id, unit.time_zone, customer.address if customer else "")
    return attachment(f"commissioning-{unit.id}.pdf", made, MEDIA_TYPE)


def _open_job(connection: Connection, person: Person, job_id: int) -> tuple[Job, Unit]:
    """Return the job and its unit, if the job is open. Raises NotTheirs."""
    job = job_at_hand(connection, person, job_id)
    unit = visible_unit(connection, person, job.unit_id)
    if unit is None or job.closed_ms is not None or unit.protocol != Protocol.MQTT:
        raise NotTheirs("job")
    return job, unit


def _now(app_state: AppState, connection: Connection, person: Person, unit: Unit) -> dict[str, Any]:
    """Return the content of commissioning_now.html."""
    point, record = charge_point(app_state, unit), commissioning_of(connection, unit.id)
    command, reading = newest_commissioning(connection, unit.id, person.id, point.now_ms), reading_of(point)
    return {
        "record": lines(record, unit.time_zone) if record else None,
        "is_commissioned": "uncommissioned" not in (point.heartbeat.troubles or []),
        "filled": _filled(command, None if reading is None else reading.csq),
        "command": command and described(command, point.now_ms, unit.time_zone, "owner"),
        "checked_at": time_of_day(point.now_ms, unit.time_zone),
    }


def _filled(command: Command | None, csq: int | None) -> dict[str, str]:
    """Fill in the form as it was last sent, with the present reading, so that nothing has to be typed again."""
    filled = dict.fromkeys(("amps", "earth", "polarity", "rcd_ms", "csq", "boost"), "")
    if command is not None and command.status is not CommandStatus.UNREADABLE:
        filled |= {name: str(command.arguments.get(name, "")) for name in ("amps", "earth", "rcd_ms", "boost")}
        filled["polarity"] = RIGHT
    return filled if csq is None else filled | {"csq": str(csq)}
