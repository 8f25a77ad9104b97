"""What the installer of a job is told of its customer: corrected by support, and by the driver whose it is."""

from typing import Annotated

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
from cloud_bridge.web.errors import NotTheirs
from cloud_bridge.web.page import Number, OwnForm, PersonOf, page, to

MOST = 4000  # characters that are read of a field; what is too long has its own words

router = APIRouter(include_in_schema=False)

Typed = Annotated[str, Form(max_length=MOST)]


@router.get("/jobs/{job_id}/customer")
def customer(request: Request, connection: Reading, person: PersonOf, job_id: Number) -> Response:
    job, unit, _ = _theirs(connection, person, job_id)
    known = customers(connection, person, [job.id]).get(job.id, Details())
    return _form(request, person, job, unit, known)


@router.post("/jobs/{job_id}/customer", dependencies=[OwnForm])
def change_customer(
    request: Request,
    person: PersonOf,
    job_id: Number,
    connection: Writing,
    full_name: Typed = "",
    phone: Typed = "",
    address: Typed = "",
    access_notes: Typed = "",
) -> Response:
    job, unit, owner_id = _theirs(connection, person, job_id)
    details = Details(full_name, phone, "", address, access_notes)
    try:
        set_customer(connection, job.id, owner_id, details)
    except BadDetails as error:
        return _form(request, person, job, unit, details, error.wrong)
    return to(_back(person, job))


def _theirs(connection: Connection, person: Person, job_id: int) -> tuple[Job, Unit, int]:
    """An open job, its unit, and the owner, whom it is about. Raises NotTheirs but for support and the owner."""
    job = jobs.find_job(connection, person, job_id) if may(person, Scope.SUPPORT) else None
    job = job or jobs.job_of_owner(connection, person, job_id)
    unit = None if job is None else visible_unit(connection, person, job.unit_id)
    if job is None or job.closed_ms is not None or unit is None or unit.owner_id is None:
        raise NotTheirs("job")
    return job, unit, unit.owner_id


def _form(
    request: Request, person: Person, job: Job, unit: Unit, details: Details, wrong: dict[str, str] | None = None
) -> Response:
    content = {"job": job, "unit": unit, "details": details, "wrong": wrong or {}, "back": _back(person, job)}
    return page(request, "installer/job_customer.html", person, 422 if wrong else 200, **content)


def _back(person: Person, job: Job) -> str:
    return f"/jobs/{job.id}" if may(person, Scope.SUPPORT) else f"/charge-points/{job.unit_id}/support"
