"""The driver's first page: the dashboard of the only charge point, or the list of all; and its live stream."""

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from cloud_bridge.house import House
from cloud_bridge.store.people import Person
from cloud_bridge.store.units import Unit, visible_unit, visible_units
from cloud_bridge.web.access import SESSION_COOKIE, HouseOf, person_of
from cloud_bridge.web.dashboard import Dashboard, describe
from cloud_bridge.web.forms import form_token
from cloud_bridge.web.page import PersonOf, UnitOf, page, templates
from cloud_bridge.web.stream import changes
from cloud_bridge.web.view import charge_point

STREAM_HEADERS = {"X-Accel-Buffering": "no"}  # nginx in front would hold the events back

router = APIRouter(include_in_schema=False)


@router.get("/")
def home(request: Request, house: HouseOf, person: PersonOf) -> Response:
    with house.database.reading() as connection:
        units = visible_units(connection, person)
    if len(units) == 1:
        return _dashboard(request, house, person, units[0])
    boards = [describe(charge_point(house, unit)) for unit in units]
    return page(request, "charge_points.html", person, boards=boards)


@router.get("/charge-points/{unit_id}")
def dashboard(request: Request, house: HouseOf, person: PersonOf, unit: UnitOf) -> Response:
    return _dashboard(request, house, person, unit)


@router.get("/charge-points/{unit_id}/live")
def live(request: Request, house: HouseOf, unit: UnitOf, seen: str = "") -> Response:
    """Server-sent events: the dashboard, whenever it has changed. `seen` is the mark of what the page shows."""

    def read() -> Unit | None:
        person = person_of(request)
        if person is None:
            return None
        with house.database.reading() as connection:
            return visible_unit(connection, person, unit.id)

    def render(board: Dashboard) -> str:
        form = form_token(request.cookies.get(SESSION_COOKIE, ""))
        return templates.get_template("board.html").render(board=board, form=form)

    stream = changes(house, read, render, request.headers.get("Last-Event-ID", seen))
    return StreamingResponse(stream, media_type="text/event-stream", headers=STREAM_HEADERS)


def _dashboard(request: Request, house: House, person: Person, unit: Unit) -> Response:
    return page(request, "charge_point.html", person, board=describe(charge_point(house, unit)))
