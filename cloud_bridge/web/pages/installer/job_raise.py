"""The page on which support raises a charge point with its installer: evidence, advice, and the form."""

from textwrap import shorten
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from cloud_bridge.errors import UnreadableRow
from cloud_bridge.store import jobs
from cloud_bridge.store.access import Person, Scope
from cloud_bridge.store.claims import assign
from cloud_bridge.store.conversations import newest_words
from cloud_bridge.store.job_states import JobState
from cloud_bridge.store.jobs import MAX_REASON
from cloud_bridge.store.security_events import Kind
from cloud_bridge.support.advice import Advice
from cloud_bridge.web.connections import Reading, Writing
from cloud_bridge.web.errors import Refused
from cloud_bridge.web.page import Field, Once, OwnForm, PersonOf, UnitOf, only, page, to
from cloud_bridge.web.pages.installer.job_page import EVIDENCE_MS, installer_called, installers_known
from cloud_bridge.web.presentation.evidence_tables import evidence_tables, what_to_do
from cloud_bridge.web.presentation.looking_back import evidence_of
from cloud_bridge.web.security.access import StateDep
from cloud_bridge.web.security.log import note
from cloud_bridge.words import gettext as _

MAX_WORDS = 500  # characters of the driver's words in a reason, which may have MAX_REASON

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
    """Raise the unit with its installer, or with the one chosen in the form if it has none."""
    now_ms = app_state.clock.now_ms()
    if _installer_to_ask(connection, unit.id) is None:
        chosen = installer_called(connection, installer)
        if chosen is None:
            meaning = _("This charger has none, or there is none of that name. Nothing was raised.")
            raise Refused(_("Choose an installer"), meaning, field="installer")
        assign(connection, unit.id, chosen, now_ms)
        note(request, Kind.INSTALLER_ASSIGNED, person, unit.id)
    job_id = jobs.raise_job(connection, unit.id, reason, once, now_ms, person)
    return to(f"/jobs/{job_id}")


@router.get("/charge-points/{unit_id}/jobs", dependencies=[only(Scope.SUPPORT)])
def before_raising(
    request: Request, app_state: StateDep, connection: Reading, person: PersonOf, unit: UnitOf
) -> Response:
    """Show the evidence, and the form that sends it to the installer."""
    installer = _installer_to_ask(connection, unit.id)
    installers = installers_known(connection)
    now_ms = app_state.clock.now_ms()
    evidence = evidence_of(app_state, connection, unit, now_ms - EVIDENCE_MS, now_ms)
    content: dict[str, Any] = {"unit": unit, "installer": installer, "installers": installers}
    content |= what_to_do(app_state, unit, evidence)
    content["reason"] = _reason(newest_words(connection, unit.id, unit.owner_id), content["advice"][0])
    return page(request, "installer/job_raise.html", person, **content, **evidence_tables(unit, evidence))


def _installer_to_ask(connection: Connection, unit_id: str) -> Person | None:
    """Return the unit's installer. Return None if it has none, or if they have just given back its job."""
    try:
        job = jobs.open_job(connection, unit_id)
    except UnreadableRow:  # the page of the job reports that
        job = None
    if job is not None and job.state is JobState.GIVEN_BACK:
        return None
    return jobs.installer_of(connection, unit_id)


def _reason(words: str | None, first: Advice) -> str:
    """Return the suggested reason: the driver's own words, shortened if necessary, and the first advice."""
    to_try = f"{first.title}: {first.why}"
    if words is None:
        return to_try
    return _("The driver writes: {words}\n\n{to_try}").format(
        words=shorten(words, MAX_WORDS, placeholder=" ..."), to_try=to_try
    )
