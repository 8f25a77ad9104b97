"""The contact details of the customer, as the installer of a job sees them. Support and the owner can correct them."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from cloud_bridge.store import jobs
from cloud_bridge.store.access import Person, Scope, may
from cloud_bridge.store.contact_details import BadDetails, Details
from cloud_bridge.store.job_customers import customers, set_customer
from cloud_bridge.store.jobs import Job
from cloud_bridge.store.units import Unit, visible_unit
from cloud_bridge.web.connections import Reading, Writing
from cloud_bridge.web.errors import NotTheirs, Refused
from cloud_bridge.web.page import Number, OwnForm, PersonOf, page, to
from cloud_bridge.words import gettext as _

router = APIRouter(include_in_schema=False)

LongField = Annotated[str, Form(max_length=4000)]  # a text that is too long for the store gets a specific message


@router.get("/jobs/{job_id}/customer")
def customer(request: Request, connection: Reading, person: PersonOf, job_id: Number) -> Response:
    job, unit, _ = _theirs(connection, person, job_id)
    known = customers(connection, person, [job.id]).get(job.id, Details())
    content: dict[str, Any] = {"job": job, "unit": unit, "details": known, "back": _back(person, job)}
    return page(request, "installer/job_customer.html", person, **content)


@router.post("/jobs/{job_id}/customer", dependencies=[OwnForm])
def change_customer(
    person: PersonOf,
    job_id: Number,
    connection: Writing,
    full_name: LongField = "",
    phone: LongField = "",
    address: LongField = "",
    access_notes: LongField = "",
) -> Response:
    job, _unit, owner_id = _theirs(connection, person, job_id)
    try:
        set_customer(connection, job.id, owner_id, Details(full_name, phone, "", address, access_notes))
    except BadDetails as error:
        raise Refused(_("These details were not taken"), _("Nothing was changed."), problems=error.wrong) from None
    return to(_back(person, job))


def _theirs(connection: Connection, person: Person, job_id: int) -> tuple[Job, Unit, int]:
    """Return an open job, its unit, and the id of the unit's owner. Raises NotTheirs for everybody but support and the
    owner."""
    job = jobs.find_job(connection, person, job_id) if may(person, Scope.SUPPORT) else None
    job = job or jobs.job_of_owner(connection, person, job_id)
    unit = None if job is None else visible_unit(connection, person, job.unit_id)
    if job is None or job.closed_ms is not None or unit is None or unit.owner_id is None:
        raise NotTheirs("job")
    return job, unit, unit.owner_id


def _back(person: Person, job: Job) -> str:
    return f"/jobs/{job.id}" if may(person, Scope.SUPPORT) else f"/charge-points/{job.unit_id}/support"
