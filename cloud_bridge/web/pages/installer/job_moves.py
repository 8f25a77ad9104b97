"""Moves of a job: accept it, plan a visit, take a step on site, finish it, give it back, ask another installer, cancel it.

Every form contains the number of moves that its page has shown. If somebody else has moved the job since, nothing is changed.
The page is then shown again with the present state of the job, and with what was typed if the form is still offered.
"""

from datetime import date, time
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from cloud_bridge.app_state import AppState
from cloud_bridge.durations import DAY_MS, HOUR_MS
from cloud_bridge.store.access import Person
from cloud_bridge.store.job_moves import ENDS_SIGHT, JobChanged, MoveNotTheirs, move_job
from cloud_bridge.store.job_states import Move, NoSuchMove
from cloud_bridge.store.job_timeline import Window
from cloud_bridge.store.jobs import MAX_REASON
from cloud_bridge.store.security_events import Kind
from cloud_bridge.store.units import visible_unit
from cloud_bridge.time_zones import at_ms
from cloud_bridge.web.connections import Writing
from cloud_bridge.web.errors import NotTheirs, Refused
from cloud_bridge.web.form_errors import FORM
from cloud_bridge.web.page import Field, Number, OwnForm, PersonOf, to
from cloud_bridge.web.pages.installer.job_page import installer_called, job_at_hand
from cloud_bridge.web.presentation.job_signal import reading_of
from cloud_bridge.web.presentation.view import charge_point
from cloud_bridge.web.security.access import StateDep
from cloud_bridge.web.security.log import note
from cloud_bridge.web.security.rates import MOVES, use
from cloud_bridge.words import N_, formats
from cloud_bridge.words import gettext as _

LONGEST_VISIT_MS = 12 * HOUR_MS  # longest time window in which somebody has to be at home
FURTHEST_MS = 366 * DAY_MS
ENDED_BY = {Move.FINISH: "job closed", Move.CANCEL: "job cancelled", Move.GIVE_BACK: "job given back"}
CHANGED = (
    N_("This job has changed meanwhile"),
    N_(
        "Somebody else was faster, so nothing was changed by you. This page shows how it stands now: look, and try again."
    ),
    409,
    FORM,
)
NO_SUCH_MOVE = (
    N_("That is not possible now"),
    N_("Nothing was changed. This page shows how the job stands."),
    409,
    FORM,
)
NO_READING = (
    N_("There is no reading of the signal"),
    N_("Nothing was kept. Wait until the charger has sent its next message; or fit the boost without it, under More."),
    409,
    FORM,
)
NOT_TAKEN = (N_("That was not taken"), N_("Nothing was changed."))

router = APIRouter(include_in_schema=False, dependencies=[OwnForm])

Seen = Annotated[int, Form(alias="moves", ge=0, lt=2**63)]  # number of the job's moves that the page has shown
Words = Annotated[str, Form(max_length=MAX_REASON * 4)]  # a text that is too long for the store gets a specific message


@router.post("/jobs/{job_id}/accept")
def accept(
    request: Request, app_state: StateDep, person: PersonOf, job_id: Number, seen: Seen, connection: Writing
) -> Response:
    return _moved(request, app_state, connection, person, job_id, Move.ACCEPT, seen)


@router.post("/jobs/{job_id}/plan")
def plan(
    request: Request,
    app_state: StateDep,
    person: PersonOf,
    job_id: Number,
    seen: Seen,
    connection: Writing,
    day: Field = "",
    begins: Field = "",
    ends: Field = "",
) -> Response:
    """Plan a visit: a day and a time window, in local time at the site."""
    unit = visible_unit(connection, person, job_at_hand(connection, person, job_id).unit_id)
    if unit is None:
        raise NotTheirs("job")
    found = window_of_form(day, begins, ends, unit.time_zone, app_state.clock.now_ms())
    if isinstance(found, dict):
        raise Refused(*NOT_TAKEN, problems=found)
    return _moved(request, app_state, connection, person, job_id, Move.PLAN, seen, visit=found)


@router.post("/jobs/{job_id}/arrive")
def arrive(
    request: Request, app_state: StateDep, person: PersonOf, job_id: Number, seen: Seen, connection: Writing
) -> Response:
    return _moved(request, app_state, connection, person, job_id, Move.ARRIVE, seen)


@router.post("/jobs/{job_id}/measure")
def measure(
    request: Request, app_state: StateDep, person: PersonOf, job_id: Number, seen: Seen, connection: Writing
) -> Response:
    """Store the present reading as the one before the work."""
    unit = visible_unit(connection, person, job_at_hand(connection, person, job_id).unit_id)
    if unit is None:
        raise NotTheirs("job")
    reading = reading_of(charge_point(app_state, unit))
    if reading is None:
        raise Refused(*NO_READING)
    return _moved(request, app_state, connection, person, job_id, Move.MEASURE, seen, measured=reading)


@router.post("/jobs/{job_id}/fit")
def fit(
    request: Request, app_state: StateDep, person: PersonOf, job_id: Number, seen: Seen, connection: Writing
) -> Response:
    """Record that a boost was fitted. Readings from now on count as after the work."""
    return _moved(request, app_state, connection, person, job_id, Move.FIT, seen)


@router.post("/jobs/{job_id}/close")
def finish(
    request: Request,
    app_state: StateDep,
    person: PersonOf,
    job_id: Number,
    seen: Seen,
    connection: Writing,
    outcome: Words = "",
) -> Response:
    """Finish the job. The installer no longer sees the charge point, but this page keeps what they did and measured."""
    return _with_words(request, app_state, connection, person, job_id, Move.FINISH, seen, "outcome", outcome)


@router.post("/jobs/{job_id}/give-back")
def give_back(
    request: Request,
    app_state: StateDep,
    person: PersonOf,
    job_id: Number,
    seen: Seen,
    connection: Writing,
    why_back: Words = "",
) -> Response:
    """Give the job back to support. No installer has it then, and this one no longer sees the charge point."""
    return _with_words(request, app_state, connection, person, job_id, Move.GIVE_BACK, seen, "why_back", why_back)


@router.post("/jobs/{job_id}/cancel")
def cancel(
    request: Request,
    app_state: StateDep,
    person: PersonOf,
    job_id: Number,
    seen: Seen,
    connection: Writing,
    why_cancelled: Words = "",
) -> Response:
    return _with_words(
        request, app_state, connection, person, job_id, Move.CANCEL, seen, "why_cancelled", why_cancelled
    )


@router.post("/jobs/{job_id}/ask")
def ask(
    request: Request,
    app_state: StateDep,
    person: PersonOf,
    job_id: Number,
    seen: Seen,
    connection: Writing,
    installer: Field = "",
) -> Response:
    """Ask another installer, or the same one again. No other installer sees the charge point then."""
    chosen = installer_called(connection, installer)
    if chosen is None:
        raise Refused(*NOT_TAKEN, problems={"installer": _("Choose an installer of the list.")})
    return _moved(request, app_state, connection, person, job_id, Move.ASK, seen, installer=chosen)


def window_of_form(day: str, begins: str, ends: str, time_zone: str, now_ms: int) -> Window | dict[str, str]:
    """Return the visit, or for each wrong field what to change."""
    wrong = {}
    try:
        on = date.fromisoformat(day)
    except ValueError:
        on = None
    if on is None or not 2000 <= on.year < 3000:  # years that no clock of the service shows
        wrong["day"] = _("Choose the day of the visit.")
    times = {}
    for name, typed in (("begins", begins), ("ends", ends)):
        try:
            times[name] = time.fromisoformat(typed).replace(tzinfo=None)
        except ValueError:
            wrong[name] = _("Type a time, for example 09:00.")
    if wrong or on is None:
        return wrong
    from_ms, until_ms = (at_ms(on, times[name], time_zone) for name in ("begins", "ends"))
    if from_ms is None or until_ms is None:
        return {
            "begins" if from_ms is None else "ends": _("The clocks leave this time out on that day. Choose another.")
        }
    if until_ms <= from_ms:
        return {"ends": _("The visit must end after it begins.")}
    if until_ms - from_ms > LONGEST_VISIT_MS:
        return {"ends": _("A visit takes 12 hours at most.")}
    if until_ms <= now_ms:
        return {"day": _("This time is over. Choose one to come.")}
    if from_ms > now_ms + FURTHEST_MS:
        return {"day": _("Choose a day of the coming year.")}
    return Window(from_ms, until_ms)


def _with_words(
    request: Request,
    app_state: AppState,
    connection: Connection,
    person: Person,
    job_id: int,
    move: Move,
    seen: int,
    field: str,
    words: str,
) -> Response:
    """Make a move with a text. `field` is the text's name in the form."""
    words = words.strip()
    if not words or len(words) > MAX_REASON:
        raise Refused(
            *NOT_TAKEN, problems={field: _("Say it in 1 to {most} characters.").format(most=formats.count(MAX_REASON))}
        )
    return _moved(request, app_state, connection, person, job_id, move, seen, words=words)


def _moved(
    request: Request,
    app_state: AppState,
    connection: Connection,
    person: Person,
    job_id: int,
    move: Move,
    seen: int,
    **how: Any,
) -> Response:
    use(request, person, MOVES, _("Too many changes"), _("This one was not made."), FORM)
    job = job_at_hand(connection, person, job_id)
    try:
        is_new = move_job(connection, job, person, move, seen, app_state.clock.now_ms(), **how)
    except MoveNotTheirs:
        raise NotTheirs("job") from None
    except JobChanged:
        raise Refused(*CHANGED) from None
    except NoSuchMove:
        raise Refused(*NO_SUCH_MOVE) from None
    if is_new and move in ENDS_SIGHT:
        note(request, Kind.INSTALLER_WITHDRAWN, person, f"{job.unit_id}, {ENDED_BY[move]}")
    if is_new and move is Move.ASK:
        note(request, Kind.INSTALLER_ASSIGNED, person, job.unit_id)
    return to("/jobs" if move is Move.GIVE_BACK else f"/jobs/{job_id}")
