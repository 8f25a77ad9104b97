"""What a driver sees of the installer's job at their charge point: its state, the installer, and what the installer sees of
the driver."""

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection

from cloud_bridge.durations import DAY_MS
from cloud_bridge.errors import UnreadableRow
from cloud_bridge.store.access import Person
from cloud_bridge.store.contact_details import Details, named_details
from cloud_bridge.store.job_customers import customers
from cloud_bridge.store.job_photos import ListedPhoto, photos_of
from cloud_bridge.store.job_timeline import timeline
from cloud_bridge.store.jobs import Job, newest_job
from cloud_bridge.store.units import Unit
from cloud_bridge.web.presentation.job_words import Step, steps_for_driver, tel, told_to_driver

SHOWN_MS = 30 * DAY_MS  # how long a job is shown after its end


class JobCard(NamedTuple):
    headline: str
    job_id: int
    is_open: bool
    installer: Details | None
    tel: str | None  # the installer's number
    steps: list[Step]
    customer: Details
    tel_of: Callable[[str], str | None]
    photos: list[ListedPhoto]


def job_card(connection: Connection, person: Person, unit: Unit, now_ms: int) -> JobCard | None:
    """Return the card. Return None if the unit is not the person's own, if there was no job in their time, or if it ended long
    ago."""
    job = job_for_owner(connection, person, unit)
    if job is None or (job.closed_ms is not None and job.closed_ms < now_ms - SHOWN_MS):
        return None
    installer = None if job.installer_id is None else named_details(connection, job.installer_id)
    return JobCard(
        told_to_driver(job, unit.time_zone, now_ms),
        job.id,
        job.closed_ms is None,
        installer,
        None if installer is None else tel(installer.phone),
        steps_for_driver(timeline(connection, job.id), unit.time_zone),
        customers(connection, person, [job.id]).get(job.id, Details()),
        tel,
        photos_of(connection, person, job.id),
    )


def job_for_owner(connection: Connection, person: Person, unit: Unit) -> Job | None:
    """Return the unit's newest job, an open one first. Return None for an invalid row, so that the driver's page works without
    it."""
    if unit.owner_id != person.id:
        return None
    try:
        return newest_job(connection, unit.period)
    except UnreadableRow:
        return None
