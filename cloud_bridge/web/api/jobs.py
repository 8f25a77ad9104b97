"""The HTTP interface to the installers' jobs. A caller gets what the page of the job shows them."""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field

from cloud_bridge.clock import iso_utc
from cloud_bridge.store.access import Role, Scope
from cloud_bridge.store.job_states import JobState
from cloud_bridge.store.jobs import jobs_after
from cloud_bridge.store.units import visible_ids
from cloud_bridge.web.api import paging
from cloud_bridge.web.api.paging import AfterNumber, lead_on
from cloud_bridge.web.api.schema import ACCESS_PROBLEMS, Schema, Time
from cloud_bridge.web.connections import Reading
from cloud_bridge.web.security.access import ApiAsker, require

router = APIRouter(prefix="/api/jobs", responses=ACCESS_PROBLEMS)


class Job(Schema):
    """Work for an installer at one charge point. It does not name the owner of the charge point."""

    number: int
    charge_point: str
    installer: Annotated[str | None, Field(description="Login of the installer; null if the account was deleted.")]
    state: JobState
    visit_from: Annotated[Time | None, Field(description="Start of the planned visit; null if none is planned.")]
    visit_until: Time | None
    raised_at: Time
    reason: Annotated[
        str | None,
        Field(description="Why the job was raised; null for an installer who may no longer see the charge point."),
    ]
    visited_at: Annotated[
        Time | None, Field(description="Time of the visit: the evidence before it is compared with that after it.")
    ]
    has_report: Annotated[bool, Field(description="True if a signal report was uploaded.")]
    closed_at: Annotated[Time | None, Field(description="null while the job is open.")]
    outcome: str | None


class JobList(Schema):
    jobs: list[Job]
    unreadable: Annotated[
        int, Field(description="Number of further jobs that are left out because their stored content is invalid.")
    ]


@router.get("", response_model=JobList)
def list_jobs(connection: Reading, asker: ApiAsker, response: Response, after: AfterNumber = 0) -> dict[str, Any]:
    """Return jobs ordered by number, at most 500; the header `Link` has the address of the next page. An installer gets their
    own jobs, and the scope `support` gives all of them."""
    if asker.role is not Role.INSTALLER:
        require(asker, Scope.SUPPORT)
    rows, next_after = jobs_after(connection, asker, after, paging.PAGE)
    lead_on(response, "/api/jobs", next_after)
    seen = visible_ids(connection, asker, {job.unit_id for job in rows})
    return {
        "jobs": [
            {
                "number": job.id,
                "charge_point": job.unit_id,
                "installer": job.installer,
                "state": job.state,
                "visit_from": _time(job.visit and job.visit.from_ms),
                "visit_until": _time(job.visit and job.visit.until_ms),
                "raised_at": iso_utc(job.raised_ms),
                "reason": job.reason if job.unit_id in seen else None,
                "visited_at": _time(job.visited_ms),
                "has_report": job.report is not None,
                "closed_at": _time(job.closed_ms),
                "outcome": job.outcome,
            }
            for job in rows
        ],
        "unreadable": rows.unreadable,
    }


def _time(at_ms: int | None) -> str | None:
    return None if at_ms is None else iso_utc(at_ms)
