"""The page of one job, for its installer and for support."""

from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Connection

from cloud_bridge.app_state import AppState
from cloud_bridge.durations import DAY_MS
from cloud_bridge.errors import BridgeError
from cloud_bridge.store import jobs
from cloud_bridge.store.access import Person, Role, Scope, may
from cloud_bridge.store.commissioning import commissioning_of
from cloud_bridge.store.job_customers import customers
from cloud_bridge.store.job_photos import MOST_PHOTOS, photos_of
from cloud_bridge.store.job_states import Move, moves_of
from cloud_bridge.store.job_timeline import timeline
from cloud_bridge.store.jobs import Job
from cloud_bridge.store.people import find_person, list_people
from cloud_bridge.store.units import Protocol, Unit, unit_of_past_work, visible_unit, visible_zones
from cloud_bridge.support.advice import compare
from cloud_bridge.support.evidence import Evidence
from cloud_bridge.web.errors import NotTheirs
from cloud_bridge.web.page import page, render_html
from cloud_bridge.web.presentation import job_signal, job_steps, job_words
from cloud_bridge.web.presentation.evidence_tables import evidence_tables, what_to_do
from cloud_bridge.web.presentation.looking_back import evidence_of
from cloud_bridge.web.presentation.report_words import table_of
from cloud_bridge.web.presentation.view import charge_point
from cloud_bridge.web.presentation.words import date

EVIDENCE_MS = 14 * DAY_MS  # evidence before a visit; two weeks include each weekday twice
LISTED_BESIDE = 30  # most jobs in the list beside the one that is shown


def installer_or_support(person: Person) -> None:
    """Raise NotTheirs unless the person is an installer or has the scope `support`."""
    if person.role is not Role.INSTALLER and not may(person, Scope.SUPPORT):
        raise NotTheirs("page")


def job_of(connection: Connection, person: Person, job_id: int) -> Job:
    """Return a job that the person may see. Raises NotTheirs."""
    installer_or_support(person)
    found = jobs.find_job(connection, person, job_id)
    if found is None:
        raise NotTheirs("job")
    return found


def job_at_hand(connection: Connection, person: Person, job_id: int) -> Job:
    """Return a job that the person may work on, because they see its charge point. Raises NotTheirs."""
    job = job_of(connection, person, job_id)
    if visible_unit(connection, person, job.unit_id) is None:
        raise NotTheirs("job")
    return job


def may_photograph(connection: Connection, job: Job) -> bool:
    """Return True if the job is the unit's open job in the present owner's time: a photo of one home must not be stored with
    the job of another."""
    current = jobs.open_job(connection, job.unit_id)
    return current is not None and current.id == job.id


def installers_known(connection: Connection) -> list[str]:
    return [row["name"] for row in list_people(connection) if row["role"] == Role.INSTALLER]


def jobs_listed(app_state: AppState, connection: Connection, person: Person, most: int | None = None) -> dict[str, Any]:
    """Return the content of job_list.html."""
    found = jobs.jobs_of(connection, person)
    zones = visible_zones(connection, person, {job.unit_id for job in found})
    ordered, now_ms = job_words.in_order(found, zones)[:most], app_state.clock.now_ms()
    return {
        "listed_jobs": [job_words.listed(job, zones.get(job.unit_id), now_ms) for job in ordered],
        "job_customers": customers(connection, person, [job.id for job in ordered if job.closed_ms is None]),
        "jobs_unreadable": found.unreadable,
    }


def installer_called(connection: Connection, name: str) -> Person | None:
    """Return the installer with this name, or None."""
    try:
        found = find_person(connection, name)
    except BridgeError:
        return None
    return found if found.role is Role.INSTALLER else None


def show_job(request: Request, app_state: AppState, connection: Connection, person: Person, job: Job) -> Response:
    """Show a job. While it is open, the page has the present state of the charge point. An installer who no longer sees the
    charge point is shown what they did and measured, but neither the owner nor the reason of the job. The reason of a job from
    a former owner's time is not shown either."""
    unit = visible_unit(connection, person, job.unit_id)
    sees_unit = unit is not None
    if unit is None and (unit := unit_of_past_work(connection, person, job.unit_id)) is None:
        raise NotTheirs("job")
    now_ms = app_state.clock.now_ms()
    end_ms = job.closed_ms or now_ms if sees_unit else jobs.ended_ms(connection, job)
    before = _evidence_before(app_state, connection, unit, job, end_ms)
    after = None
    if job.visited_ms is not None:
        after = evidence_of(app_state, connection, unit, job.visited_ms, end_ms)
    knows_why = sees_unit and (may(person, Scope.SUPPORT) or job.raised_ms >= unit.period.from_ms)
    moves = moves_of(person.role, job.state) if sees_unit else frozenset[Move]()
    events = timeline(connection, job.id)
    photos = photos_of(connection, person, job.id)
    is_open = sees_unit and job.closed_ms is None
    content: dict[str, Any] = {
        "job": job,
        "unit": unit,
        "sees_unit": sees_unit,
        "knows_why": knows_why,
        "may": {move.name.lower() for move in moves},
        "headline": job_words.headline(job, unit.time_zone, now_ms),
        "glance": job_words.GLANCES[job.state] if sees_unit or job.closed_ms else job_words.ENDED,
        "steps": job_words.steps(events, unit.time_zone) if knows_why else [],
        "steps_unreadable": events.unreadable,
        "customer": customers(connection, person, [job.id]).get(job.id),
        "may_correct": may(person, Scope.SUPPORT) and job.closed_ms is None and unit.owner_id is not None,
        "installers": installers_known(connection) if Move.ASK in moves else [],
        "report": table_of(
            job.report_before, job.report, job.unit_id, unit.time_zone, with_place=knows_why and not job.closed_ms
        ),
        "tel": job_words.tel,
        "change": None if after is None else compare(before, after),
        "photos": photos,
        "may_photograph": is_open and may_photograph(connection, job),
        "has_room": len(photos) < MOST_PHOTOS,
        "most_photos": MOST_PHOTOS,
        "step": job_steps.big_button(job, moves),
        "stages": job_steps.stages(job),
        "now": None,
        "commissioning": _commissioning(app_state, connection, unit, job, is_open),
    }
    if is_open:
        content |= _now_content(app_state, unit, job, before.signal.typical_csq)
        content["outcome"] = job_signal.outcome(job, content["now"])
    content |= what_to_do(app_state, unit, before) if sees_unit else {"advice": (), "troubles": ()}
    content |= evidence_tables(unit, before, after)
    content |= jobs_listed(app_state, connection, person, LISTED_BESIDE)
    return page(request, "installer/job.html", person, **content)


def _commissioning(
    app_state: AppState, connection: Connection, unit: Unit, job: Job, is_open: bool
) -> dict[str, Any] | None:
    """Return the commissioning of a unit of our own: what remains to be done, or what was done while the job was open."""
    record = commissioning_of(connection, unit.id)
    if record and job.closed_ms is not None and not job.raised_ms <= record.at_ms <= job.closed_ms:
        record = None
    if unit.protocol != Protocol.MQTT or not (record or is_open):
        return None
    return {
        "is_open": is_open,
        "is_wanted": "uncommissioned" in (charge_point(app_state, unit).heartbeat.troubles or []),
        "has_record": record is not None,
        "amps": record and record.steps.amps,
        "day": record and date(record.at_ms, unit.time_zone),
    }


def show_now(request: Request, app_state: AppState, connection: Connection, person: Person, job: Job) -> Response:
    """Return the live part of the page. Raises NotTheirs if the job is closed or the person no longer sees the unit."""
    unit = visible_unit(connection, person, job.unit_id)
    if unit is None or job.closed_ms is not None:
        raise NotTheirs("job")
    typical_csq = None
    if job.before is None:
        evidence = _evidence_before(app_state, connection, unit, job, app_state.clock.now_ms())
        typical_csq = evidence.signal.typical_csq
    content = _now_content(app_state, unit, job, typical_csq)
    return HTMLResponse(render_html(request, "installer/job_now.html", job=job, **content))


def _evidence_before(app_state: AppState, connection: Connection, unit: Unit, job: Job, end_ms: int) -> Evidence:
    until_ms = job.visited_ms or end_ms
    return evidence_of(app_state, connection, unit, until_ms - EVIDENCE_MS, until_ms)


def _now_content(app_state: AppState, unit: Unit, job: Job, typical_csq: int | None) -> dict[str, Any]:
    """Return the content of job_now.html."""
    point = charge_point(app_state, unit)
    now = job_signal.now_of(point)
    return {"now": now, "comparison": job_signal.compare(job, typical_csq, now, unit.time_zone, point.now_ms)}
