"""The driver's first page: the dashboard of the only charge point, a list of several, or the vehicles. Also the live
streams."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse
from sqlalchemy import Connection

from cloud_bridge.app_state import AppState
from cloud_bridge.authority_files import present_authority
from cloud_bridge.contact import Contact, Gap, outage_ms
from cloud_bridge.faults import KEEP_AWAY
from cloud_bridge.ocpp_settings import Answered, offline
from cloud_bridge.store import authorities, history
from cloud_bridge.store.access import Person, Role, Scope, may
from cloud_bridge.store.contact_details import installer_details
from cloud_bridge.store.conversations import Unread, unread_answers
from cloud_bridge.store.firmware import told_by
from cloud_bridge.store.jobs import Job
from cloud_bridge.store.members import is_shared
from cloud_bridge.store.northbound import Shown, shown_of
from cloud_bridge.store.ocpp_lines import NOTHING as NO_LINE
from cloud_bridge.store.ocpp_lines import Line, line_of
from cloud_bridge.store.ocpp_settings import settings_of
from cloud_bridge.store.ownership import contact_period, household_period
from cloud_bridge.store.page_versions import versions_of
from cloud_bridge.store.ready_plans import ShownPlan, plan_of
from cloud_bridge.store.roll_outs import UnitUpdate, update_of
from cloud_bridge.store.schedules import schedule_in_force
from cloud_bridge.store.sites import prices_of
from cloud_bridge.store.units import Protocol, Unit, visible_unit, visible_units
from cloud_bridge.troubles import Trouble, authority_ends
from cloud_bridge.vehicles import repository
from cloud_bridge.vehicles.repository import Vehicle
from cloud_bridge.web.page import PersonOf, UnitOf, page, render_html, to
from cloud_bridge.web.pages.driver.looks import Looks, Turn
from cloud_bridge.web.pages.driver.stream import MOST, Stored, changes, together
from cloud_bridge.web.pages.driver.vehicle_dashboard import without_charger
from cloud_bridge.web.pages.driver.vehicles import cards, cards_of
from cloud_bridge.web.presentation import northbound_words, ready_words, update_words
from cloud_bridge.web.presentation.dashboard import Around, Contacts, describe
from cloud_bridge.web.presentation.in_force import owner_to
from cloud_bridge.web.presentation.job_card import job_for_owner
from cloud_bridge.web.presentation.plan_bar import Bill
from cloud_bridge.web.presentation.session_now import session_now
from cloud_bridge.web.presentation.view import ChargePoint, charge_point, path_of
from cloud_bridge.web.security.access import SESSION_COOKIE, StateDep, person_in
from cloud_bridge.web.security.forms import form_token
from cloud_bridge.words import gettext as _
from cloud_bridge.words.language import choose_language

MOST_LISTED = 50  # with more charge points, the first page is the fleet
BACK_FOR_MS = 30 * 60 * 1000  # how long after a silence the page shows that the unit is back
STREAM_HEADERS = {"X-Accel-Buffering": "no"}  # otherwise nginx as a proxy would buffer the events

router = APIRouter(include_in_schema=False)


@router.get("/")
def home(request: Request, app_state: StateDep, person: PersonOf) -> Response:
    with app_state.database.reading() as connection:
        units = visible_units(connection, person, MOST_LISTED + 1)
    if len(units) > MOST_LISTED:
        return to("/fleet")
    if not units:
        return to("/jobs") if person.role is Role.INSTALLER else without_charger(request, app_state, person)
    if len(units) == 1:
        return _dashboard(request, app_state, person, units[0])
    boards = [describe(charge_point(app_state, unit)) for unit in units]
    return page(request, "driver/charge_points.html", person, boards=boards, vehicles=cards_of(app_state, person))


@router.get("/charge-points/{unit_id}")
def dashboard(request: Request, app_state: StateDep, person: PersonOf, unit: UnitOf) -> Response:
    return _dashboard(request, app_state, person, unit)


@router.get("/charge-points/{unit_id}/live")
def live(request: Request, app_state: StateDep, person: PersonOf, unit: UnitOf, seen: str = "") -> Response:
    """Stream the dashboard as server-sent events, whenever it changes. `seen` is the mark of what the page shows.

    For a single charge point: used by open pages of older versions, and by programs.
    """
    seen = request.headers.get("Last-Event-ID", seen)

    async def events() -> AsyncIterator[str]:
        with _looks(request).turn(person.id) as turn:
            async for one in _changes(request, app_state, person, unit, seen, turn):
                yield one

    return StreamingResponse(events(), media_type="text/event-stream", headers=STREAM_HEADERS)


@router.get("/live")
def live_of_all(
    request: Request,
    app_state: StateDep,
    person: PersonOf,
    of: Annotated[list[str], Query(min_length=1, max_length=MOST)],
) -> Response:
    """Stream all charge points that the open pages of a browser show. Each `of` is an id, a colon, and the mark."""
    seen = dict(one.partition(":")[::2] for one in of)
    with app_state.database.reading() as connection:
        units = {unit_id: visible_unit(connection, person, unit_id) for unit_id in seen}

    async def events() -> AsyncIterator[str]:
        with _looks(request).turn(person.id) as turn:
            streams = {
                f"{unit_id}:": _nothing()
                if unit is None
                else _changes(request, app_state, person, unit, seen[unit_id], turn, f"{unit_id}:")
                for unit_id, unit in units.items()
            }
            async for one in together(streams, turn):
                yield one

    return StreamingResponse(events(), media_type="text/event-stream", headers=STREAM_HEADERS)


async def _nothing() -> AsyncIterator[str]:
    """Yield no events: the stream of a charge point that the person may not see."""
    return
    yield


def _changes(
    request: Request, app_state: AppState, person: Person, unit: Unit, seen: str, turn: Turn, of: str = ""
) -> AsyncIterator[str]:
    viewer = request.cookies.get(SESSION_COOKIE, "")

    def read() -> Stored | None:
        now_ms = app_state.verified.now_ms()
        with app_state.database.reading() as connection:
            person = person_in(request, connection)
            now = None if person is None else visible_unit(connection, person, unit.id)
            if person is None or now is None:
                return None
            choose_language(person.language)
            versions = versions_of(connection, unit.id, viewer, now_ms)
            return Stored(now, _beside(connection, person, now, app_state.clock.now_ms()).mark, versions)

    def render(unit: Unit, point: ChargePoint) -> str:
        form = form_token(request.cookies.get(SESSION_COOKIE, ""))
        return render_html(request, "driver/board.html", form=form, **_content(app_state, person, unit, point))

    return changes(app_state, read, render, seen, turn, viewer, of)


def _looks(request: Request) -> Looks:
    looks: Looks = request.app.state.looks
    return looks


def _dashboard(request: Request, app_state: AppState, person: Person, unit: Unit) -> Response:
    content = _content(app_state, person, unit, charge_point(app_state, unit))
    return page(request, "driver/charge_point.html", person, **content)


def _content(app_state: AppState, person: Person, unit: Unit, point: ChargePoint) -> dict[str, Any]:
    """Return the content of board.html."""
    with app_state.database.reading() as connection:
        beside = _beside(connection, person, unit, point.now_ms)
        around = _around(app_state, connection, person, unit, point, beside)
        vehicles = cards(app_state, connection, person, beside.vehicles, unit.time_zone)
    return {"keep_away": _(KEEP_AWAY), "board": describe(point, around), "vehicles": vehicles}


class Beside(NamedTuple):
    """What the page shows besides the charge point, and that is only in the store."""

    vehicles: list[Vehicle]
    unread: Unread | None
    job: Job | None  # only for the unit's owner
    update: UnitUpdate | None  # of the firmware
    plan: ShownPlan | None  # for the next departure; only for drivers
    line: Line  # connection of an OCPP charger
    offline: Answered | None  # of an OCPP charger: whether it accepted the settings for charging without a connection
    northbound: Shown | None  # the back-end that the charge point is shown to

    @property
    def mark(self) -> str:
        unread = "" if self.unread is None else f".{self.unread.answers}.{self.unread.newest_ms}"
        job = "" if self.job is None else f".{self.job.id}.{self.job.moves}"
        refused, contested_ms = self.line.refused, self.line.contested_ms
        line = "" if refused is None and contested_ms is None else f".{refused and refused.at_ms}.{contested_ms}"
        line += f".{self.offline}" if self.offline else ""
        others = update_words.mark(self.update) + ready_words.mark(self.plan) + northbound_words.mark(self.northbound)
        return repository.mark(self.vehicles) + unread + job + line + others


def _beside(connection: Connection, person: Person, unit: Unit, now_ms: int) -> Beside:
    return Beside(
        repository.of_person(connection, person.id),
        None if may(person, Scope.SUPPORT) else unread_answers(connection, person),
        job_for_owner(connection, person, unit),
        update_of(connection, unit.id),
        plan_of(connection, unit.id, now_ms) if person.role is Role.DRIVER else None,
        line_of(connection, unit.id) if unit.protocol == Protocol.OCPP else NO_LINE,
        offline(settings_of(connection, unit.id)) if unit.protocol == Protocol.OCPP else None,
        shown_of(connection, unit.id),
    )


def _around(
    app_state: AppState, connection: Connection, person: Person, unit: Unit, point: ChargePoint, beside: Beside
) -> Around:
    needs_help = point.heartbeat.faults or point.verdict.contact is Contact.SILENT
    installer = installer_details(connection, unit.id) if needs_help else None
    bill = None if person.role is Role.INSTALLER else _bill(connection, unit)
    trusts_none = person.role is Role.DRIVER or unit.protocol == Protocol.OCPP
    return Around(
        _back(app_state, connection, unit, point),
        Contacts(installer, app_state.settings.maker, app_state.settings.help),
        beside.mark,
        beside.unread,
        beside.job,
        *told_by(connection, unit.id),
        authority=None if trusts_none else _authority(app_state, connection, unit, point.now_ms),
        session=session_now(connection, unit, point, bill),
        bill=bill,
        for_installer=person.role is not Role.DRIVER,
        may_command=Scope.COMMAND in person.scopes,
        owner=owner_to(person, is_shared(connection, unit.id)),
        update=beside.update,
        plan=beside.plan,
        line=beside.line,
        offline=beside.offline,
        northbound=beside.northbound,
    )


def _back(app_state: AppState, connection: Connection, unit: Unit, point: ChargePoint) -> Gap | None:
    """Return the silence that ended recently, or None."""
    if point.verdict.contact is not Contact.ONLINE:
        return None
    from_ms = max(point.now_ms - BACK_FOR_MS, unit.period.evidence_from_ms)
    ended = history.unit_gaps(connection, contact_period(unit.period), from_ms, point.now_ms, point.now_ms)
    if not ended:
        return None
    last, lasting = ended[-1], app_state.ledger.open_gaps(point.now_ms)
    ours = history.outages(connection, contact_period(unit.period), path_of(unit), *last, None, lasting)
    return last if last.to_ms - last.from_ms - outage_ms(ours, *last) > unit.silent_after_ms else None


def _bill(connection: Connection, unit: Unit) -> Bill:
    """Return the prices at the site, and the charging hours."""
    hours = schedule_in_force(connection, household_period(unit.period))
    return Bill(hours, *prices_of(connection, unit.id))


def _authority(app_state: AppState, connection: Connection, unit: Unit, now_ms: int) -> Trouble | None:
    """Return a warning if the certificate authority of the unit's connection expires soon."""
    present, wanted = present_authority(app_state.settings), authorities.ordered(connection)
    used = authorities.used_by(connection, unit.id, present.sha256 if present else None)
    if used is None:
        return None
    said = authorities.trusted_by(connection, unit.id)
    trusts_next = wanted is not None and wanted.sha256 != used.sha256 and wanted.sha256 in said
    return authority_ends(used.expires_ms, now_ms, trusts_next)
