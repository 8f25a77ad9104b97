"""The installer's jobs: the evidence, what to try, the report of the visit, and whether it worked."""

from textwrap import shorten
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import Response
from sqlalchemy import Connection

from cloud_bridge.app_state import AppState
from cloud_bridge.durations import DAY_MS
from cloud_bridge.errors import BridgeError
from cloud_bridge.store import jobs
from cloud_bridge.store.access import Person, Role, Scope, may
from cloud_bridge.store.claims import assign
from cloud_bridge.store.conversations import newest_words
from cloud_bridge.store.jobs import MAX_REASON, MAX_REPORT, Job
from cloud_bridge.store.people import find_person, list_people
from cloud_bridge.store.security_events import Kind
from cloud_bridge.store.units import Unit, unit_of_past_work, visible_unit
from cloud_bridge.support.advice import Advice, advise, compare
from cloud_bridge.support.evidence import Evidence
from cloud_bridge.web.connections import Reading, Writing
from cloud_bridge.web.errors import NotTheirs, Refused
from cloud_bridge.web.page import Field, Number, Once, OwnForm, PersonOf, UnitOf, only, page, to
from cloud_bridge.web.presentation import charts, network_words
from cloud_bridge.web.presentation.dashboard import troubles
from cloud_bridge.web.presentation.facts import latest_signal, networks, restarts, signal, silences, weak_time
from cloud_bridge.web.presentation.looking_back import evidence_of
from cloud_bridge.web.presentation.series import silent_by_hour
from cloud_bridge.web.presentation.view import charge_point
from cloud_bridge.web.security.access import StateDep
from cloud_bridge.web.security.log import note
from cloud_bridge.web.security.rates import REPORTS, use

EVIDENCE_MS = 14 * DAY_MS  # before a visit; two weeks hold two of each weekday
MAX_NAME = 100
MAX_WORDS = 500  # of the driver's, in a reason of up to MAX_REASON

router = APIRouter(include_in_schema=False)

Reason = Annotated[str, Form(min_length=1, max_length=MAX_REASON)]


@router.post("/charge-points/{unit_id}/jobs", dependencies=[OwnForm, only(Scope.SUPPORT)])
def raise_job(
    request: Request,
    app_state: StateDep,
    person: PersonOf,
    unit: UnitOf,
    connection: Writing,
    reason: Reason,
    once: Once,
    installer: Field = "",
) -> Response:
    """Raise the unit with its installer; or with the one chosen, where it has none yet."""
    now_ms = app_state.clock.now_ms()
    if jobs.installer_of(connection, unit.id) is None:
        if not installer:
            raise Refused("Choose an installer", "This charger has none yet. Nothing was raised.")
        assign(connection, unit.id, _installer(connection, installer), now_ms)
        note(request, Kind.INSTALLER_ASSIGNED, person, unit.id)
        app_state.live.access_changed()  # another may see it no more
    job_id = jobs.raise_job(connection, unit.id, reason, once, now_ms)
    return to(f"/jobs/{job_id}")


@router.get("/charge-points/{unit_id}/jobs", dependencies=[only(Scope.SUPPORT)])
def before_raising(
    request: Request, app_state: StateDep, connection: Reading, person: PersonOf, unit: UnitOf
) -> Response:
    """The evidence, and the button that sends it to the installer."""
    installer = jobs.installer_of(connection, unit.id)
    installers = [row["name"] for row in list_people(connection) if row["role"] == Role.INSTALLER]
    now_ms = app_state.clock.now_ms()
    evidence = _evidence(app_state, connection, person, unit.id, now_ms - EVIDENCE_MS, now_ms)
    content: dict[str, Any] = {"unit": unit, "installer": installer, "installers": installers}
    content |= _what_to_do(app_state, unit, evidence)
    content["reason"] = _reason(newest_words(connection, unit.id, unit.owner_id), content["advice"][0])
    return page(request, "installer/job_raise.html", person, **content, **_shown(unit, evidence))


@router.get("/jobs")
def overview(request: Request, connection: Reading, person: PersonOf) -> Response:
    _installer_or_support(person)
    return page(request, "installer/jobs.html", person, jobs=jobs.jobs_of(connection, person))


@router.get("/jobs/{job_id}")
def one(request: Request, app_state: StateDep, connection: Reading, person: PersonOf, job_id: Number) -> Response:
    """While it is open, with the present state of the charger. To an installer who does not see the charger any more, what
    they did and measured, without whose it is and why they were asked."""
    job = _job(connection, person, job_id)
    unit = visible_unit(connection, person, job.unit_id)
    sees_unit = unit is not None
    if unit is None and (unit := unit_of_past_work(connection, person, job.unit_id)) is None:
        raise NotTheirs("job")
    end_ms = job.closed_ms or app_state.clock.now_ms() if sees_unit else jobs.ended_ms(connection, job)
    until_ms = job.visited_ms or end_ms
    before = evidence_of(app_state, connection, unit, until_ms - EVIDENCE_MS, until_ms)
    after = None
    if job.visited_ms is not None:
        after = evidence_of(app_state, connection, unit, job.visited_ms, end_ms)
    content: dict[str, Any] = {"job": job, "unit": unit, "sees_unit": sees_unit}
    content |= _what_to_do(app_state, unit, before) if sees_unit else {"advice": (), "troubles": ()}
    if after is None:
        return page(request, "installer/job.html", person, change=None, **content, **_shown(unit, before))
    return page(
        request, "installer/job.html", person, change=compare(before, after), **content, **_shown(unit, before, after)
    )


@router.post("/jobs/{job_id}/visit", dependencies=[OwnForm])
def visit(app_state: StateDep, person: PersonOf, job_id: Number, connection: Writing) -> Response:
    jobs.visited(connection, _job(connection, person, job_id), app_state.clock.now_ms())
    return to(f"/jobs/{job_id}")


@router.post("/jobs/{job_id}/report", dependencies=[OwnForm])
def report(request: Request, person: PersonOf, job_id: Number, report: UploadFile, connection: Writing) -> Response:
    """What `python -m modem report` wrote on site. It is kept and shown as text, whatever it is called."""
    use(request, person, REPORTS, "Too many reports", "This one was not stored.")
    content = report.file.read(MAX_REPORT + 1)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise Refused(
            "That is not a report", "Upload the file that the signal report wrote. Nothing was stored."
        ) from None
    if not text.strip() or len(content) > MAX_REPORT or "\0" in text:
        raise Refused(
            "That is not a report", f"It is empty, or longer than {MAX_REPORT // 1000} kB. Nothing was stored."
        )
    jobs.attach_report(connection, _job(connection, person, job_id), shown_name(report.filename), text)
    return to(f"/jobs/{job_id}#report")


@router.post("/jobs/{job_id}/close", dependencies=[OwnForm])
def close(
    request: Request, app_state: StateDep, person: PersonOf, job_id: Number, outcome: Reason, connection: Writing
) -> Response:
    """The installer does not see the charger any more; what they did and measured stays on this page."""
    job = _job(connection, person, job_id)
    if jobs.close(connection, job, outcome, app_state.clock.now_ms()):
        note(request, Kind.INSTALLER_WITHDRAWN, person, f"{job.unit_id}, job closed")
        app_state.live.access_changed()
    return to(f"/jobs/{job_id}")


def _installer(connection: Connection, name: str) -> Person:
    try:
        return find_person(connection, name)
    except BridgeError:
        raise Refused("Choose an installer", "There is nobody of that name. Nothing was raised.") from None


def _what_to_do(app_state: AppState, unit: Unit, evidence: Evidence) -> dict[str, Any]:
    """Of both templates."""
    point = charge_point(app_state, unit)
    boots = None if point.duplicate is None else (point.duplicate.boot, point.duplicate.other_boot)
    return {"advice": advise(evidence, boots), "troubles": troubles(point, for_installer=True)}


def _reason(words: str | None, first: Advice) -> str:
    """What the form begins with: the driver's own words, cut where they are too long, and what to try first."""
    to_try = f"{first.title}: {first.why}"
    if words is None:
        return to_try
    return f"The driver writes: {shorten(words, MAX_WORDS, placeholder=' ...')}\n\n{to_try}"


def shown_name(name: str | None) -> str:
    """A file's name without its path and without what does not print; it never names a file of ours."""
    last = (name or "").replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in last if letter.isprintable())[:MAX_NAME].strip(". ") or "report"


def _installer_or_support(person: Person) -> None:
    if person.role is not Role.INSTALLER and not may(person, Scope.SUPPORT):
        raise NotTheirs("page")


def _job(connection: Connection, person: Person, job_id: int) -> Job:
    _installer_or_support(person)
    found = jobs.find_job(connection, person, job_id)
    if found is None:
        raise NotTheirs("job")
    return found


def _evidence(
    app_state: AppState, connection: Connection, person: Person, unit_id: str, from_ms: int, to_ms: int
) -> Evidence:
    unit = visible_unit(connection, person, unit_id)
    if unit is None:
        raise NotTheirs("charger")
    return evidence_of(app_state, connection, unit, from_ms, to_ms)


def _shown(unit: Unit, before: Evidence, after: Evidence | None = None) -> dict[str, Any]:
    """What the templates lay out."""
    times = [before] if after is None else [before, after]
    gaps = [gap for time in times for gap in time.gaps]
    return {
        "before": _facts(before),
        "after": after and _facts(after),
        "last_hour": _last_hour(times[-1]),
        "chart": charts.signal_chart(unit.time_zone, *times),
        "gaps": gaps,
        "by_hour": charts.hour_bars(silent_by_hour(gaps, unit.time_zone)),
        "moves": network_words.told(move for time in times for move in time.moves),
        "unreadable": sum(time.unreadable for time in times),
    }


def _facts(evidence: Evidence) -> list[tuple[str, str]]:
    return [
        ("Available", "not known" if evidence.availability is None else f"{evidence.availability:.1%}"),
        ("Silent", silences(evidence.gaps)),
        ("Signal", signal(evidence.signal)),
        ("Weak signal", weak_time(evidence.signal)),
        ("Networks", networks(evidence.signal)),
        ("Restarts", restarts(evidence)),
    ]


def _last_hour(evidence: Evidence) -> dict[str, str]:
    """Of the same facts, those that an hour tells, by name."""
    hour = evidence.last_hour
    return {
        "Silent": silences(evidence.silent_last_hour),
        "Signal": latest_signal(hour),
        "Weak signal": weak_time(hour),
        "Networks": networks(hour),
    }
