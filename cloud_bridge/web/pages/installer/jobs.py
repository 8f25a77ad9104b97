"""The installer's jobs: their list, the page of each, and the live part of that page."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud_bridge.web.connections import Reading
from cloud_bridge.web.page import Number, PersonOf, page
from cloud_bridge.web.pages.installer.job_page import installer_or_support, job_of, jobs_listed, show_job, show_now
from cloud_bridge.web.security.access import StateDep

router = APIRouter(include_in_schema=False)


@router.get("/jobs")
def overview(request: Request, app_state: StateDep, connection: Reading, person: PersonOf) -> Response:
    installer_or_support(person)
    return page(request, "installer/jobs.html", person, **jobs_listed(app_state, connection, person))


@router.get("/jobs/{job_id}")
def one(request: Request, app_state: StateDep, connection: Reading, person: PersonOf, job_id: Number) -> Response:
    return show_job(request, app_state, connection, person, job_of(connection, person, job_id))


@router.get("/jobs/{job_id}/now")
def now(request: Request, app_state: StateDep, connection: Reading, person: PersonOf, job_id: Number) -> Response:
    """Return the verdict and the comparison for an open page; live.js requests it after a message from the charge point."""
    return show_now(request, app_state, connection, person, job_of(connection, person, job_id))
