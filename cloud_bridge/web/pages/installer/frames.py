"""The last frames of a charger that speaks OCPP: for whoever looks for what is wrong with it."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud_bridge.clock import iso_utc
from cloud_bridge.store.ocpp_frames import FRAMES_KEPT, frames_of
from cloud_bridge.web.connections import Reading
from cloud_bridge.web.page import PersonOf, UnitOf, page

router = APIRouter(include_in_schema=False)


@router.get("/charge-points/{unit_id}/frames")
def overview(request: Request, connection: Reading, person: PersonOf, unit: UnitOf) -> Response:
    frames = frames_of(connection, unit.period)
    return page(request, "installer/frames.html", person, unit=unit, frames=frames, kept=FRAMES_KEPT, iso_utc=iso_utc)
