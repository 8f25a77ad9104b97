"""The HTTP interface to the installers' jobs. What is told is what the page of the job tells the same asker."""

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
    """Work for an installer at one charge point. Nothing here says whose the charge point is."""

    number: int
    charge_point: str
    installer: Annotated[str | None, Field(description="login; null: the account was deleted")]
    state: JobState
    visit_from: Annotated[Time | None, Field(description="the visit that is planned; null: none is")]
    visit_until: Time | None
    raised_at: Time
    reason: Annotated[str | None, Field(description="null for an installer who does not see the charge point any more")]
    visited_at: Annotated[Time | None, Field(description="evidence before and after it is compared")]
    has_report: Annotated[bool, Field(description="a signal report was uploaded")]
    closed_at: Annotated[Time | None, Field(description="null: it is open")]
    outcome: str | None


class JobList(Schema):
    jobs: list[Job]
    unreadable: Annotated[int, Field(description="how many more there are that cannot be shown")]


@router.get("", response_model=JobList)
def list_jobs(connection: Reading, asker: ApiAsker, response: Response, after: AfterNumber = 0) -> dict[str, Any]:
    """By number, 500 at a time, the next ones at the address in `Link`: an installer's own, and all of them with the scope
    `support`."""
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
