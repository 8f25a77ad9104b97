"""The last OCPP frames of a charger, and its settings, for diagnosis."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud_bridge.clock import iso_utc
from cloud_bridge.ocpp_settings import Answered
from cloud_bridge.store.ocpp_frames import FRAMES_KEPT, frames_of
from cloud_bridge.store.ocpp_settings import settings_of
from cloud_bridge.web.connections import Reading
from cloud_bridge.web.page import PersonOf, UnitOf, page
from cloud_bridge.words import N_

ANSWERS = {
    Answered.ACCEPTED: N_("accepted"),
    Answered.REBOOT: N_("accepted, holds after a restart"),
    Answered.REJECTED: N_("not accepted"),
    Answered.UNKNOWN: N_("unknown to it"),
}

router = APIRouter(include_in_schema=False)


@router.get("/charge-points/{unit_id}/frames")
def overview(request: Request, connection: Reading, person: PersonOf, unit: UnitOf) -> Response:
    return page(
        request,
        "installer/frames.html",
        person,
        unit=unit,
        frames=frames_of(connection, unit.period),
        kept=FRAMES_KEPT,
        settings=settings_of(connection, unit.id),
        answers=ANSWERS,
        iso_utc=iso_utc,
    )
