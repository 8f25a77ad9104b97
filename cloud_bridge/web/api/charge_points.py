"""The HTTP interface, for programs."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Response

from cloud_bridge.store.firmware import contactor_closings, firmware_versions, modem_models
from cloud_bridge.store.units import visible_unit, visible_units
from cloud_bridge.web.api import paging
from cloud_bridge.web.api.paging import lead_on
from cloud_bridge.web.api.schema import (
    ACCESS_PROBLEMS,
    PROBLEMS,
    ChargePointState,
)
from cloud_bridge.web.connections import Reading
from cloud_bridge.web.presentation.view import as_json, charge_point
from cloud_bridge.web.security.access import ApiAsker, StateDep

router = APIRouter()

After = Annotated[str, Query(pattern="^[A-Za-z0-9_-]{0,36}$", description="the id of the last one already known")]


@router.get("/api/charge-points", response_model=list[ChargePointState], responses=ACCESS_PROBLEMS)
def list_charge_points(
    app_state: StateDep, connection: Reading, asker: ApiAsker, response: Response, after: After = ""
) -> list[dict[str, Any]]:
    """The charge points that the caller may see, by id, 500 at a time. While there are more, the header `Link` has the
    address of the next ones (RFC 8288, rel="next")."""
    units = visible_units(connection, asker, paging.PAGE + 1, after)
    unit_ids = [unit.id for unit in units[: paging.PAGE]]
    firmware, modems = firmware_versions(connection, unit_ids), modem_models(connection, unit_ids)
    closings = contactor_closings(connection, unit_ids)
    lead_on(response, "/api/charge-points", units[paging.PAGE - 1].id if len(units) > paging.PAGE else None)
    return [
        as_json(charge_point(app_state, unit), firmware.get(unit.id), modems.get(unit.id), closings.get(unit.id))
        for unit in units[: paging.PAGE]
    ]


@router.get("/api/charge-points/{unit_id}", response_model=ChargePointState, responses=PROBLEMS)
def read_charge_point(unit_id: str, app_state: StateDep, connection: Reading, asker: ApiAsker) -> dict[str, Any]:
    """One charge point as it stands now."""
    unit = visible_unit(connection, asker, unit_id)
    if unit is None:
        raise HTTPException(404, "no such charge point")
    firmware, modems = firmware_versions(connection, [unit_id]), modem_models(connection, [unit_id])
    closings = contactor_closings(connection, [unit_id])
    return as_json(charge_point(app_state, unit), firmware.get(unit_id), modems.get(unit_id), closings.get(unit_id))
