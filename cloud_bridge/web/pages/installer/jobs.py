"""The installer's jobs: the list of them, each one's page, and the mark of a visit."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud_bridge.store import jobs
from cloud_bridge.web.connections import Reading, Writing
from cloud_bridge.web.page import Number, OwnForm, PersonOf, page, to
from cloud_bridge.web.pages.installer.job_page import (
    installer_or_support,
    job_at_hand,
    job_of,
    jobs_listed,
    show_job,
)
from cloud_bridge.web.security.access import StateDep

router = APIRouter(include_in_schema=False)


@router.get("/jobs")
def overview(request: Request, app_state: StateDep, connection: Reading, person: PersonOf) -> Response:
    installer_or_support(person)
    return page(request, "installer/jobs.html", person, **jobs_listed(app_state, connection, person))


@router.get("/jobs/{job_id}")
def one(request: Request, app_state: StateDep, connection: Reading, person: PersonOf, job_id: Number) -> Response:
    return show_job(request, app_state, connection, person, job_of(connection, person, job_id))


@router.post("/jobs/{job_id}/visit", dependencies=[OwnForm])
def visit(app_state: StateDep, person: PersonOf, job_id: Number, connection: Writing) -> Response:
    """They were there just now."""
    jobs.visited(connection, job_at_hand(connection, person, job_id), app_state.clock.now_ms())
    return to(f"/jobs/{job_id}")
