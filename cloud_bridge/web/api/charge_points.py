"""The HTTP interface to charge points and their current state."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Response

from cloud_bridge.store.firmware import NOTHING, told_by, told_by_each
from cloud_bridge.store.units import few_visible, visible_unit, visible_units
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

After = Annotated[
    str,
    Query(
        pattern="^[A-Za-z0-9_-]{0,36}$",
        description="Return charge points after this id: that of the last one already received.",
    ),
]


@router.get("/api/charge-points", response_model=list[ChargePointState], responses=ACCESS_PROBLEMS)
def list_charge_points(
    app_state: StateDep, connection: Reading, asker: ApiAsker, response: Response, after: After = ""
) -> list[dict[str, Any]]:
    """Return the charge points that the caller may see, ordered by id, at most 500. If there are more, the header `Link` has
    the address of the next page (RFC 8288, rel="next")."""
    units = visible_units(connection, asker, paging.PAGE + 1, after)
    told = told_by_each(connection, few_visible(asker, paging.PAGE, after))
    lead_on(response, "/api/charge-points", units[paging.PAGE - 1].id if len(units) > paging.PAGE else None)
    return [as_json(charge_point(app_state, unit), told.get(unit.id, NOTHING)) for unit in units[: paging.PAGE]]


@router.get("/api/charge-points/{unit_id}", response_model=ChargePointState, responses=PROBLEMS)
def read_charge_point(unit_id: str, app_state: StateDep, connection: Reading, asker: ApiAsker) -> dict[str, Any]:
    """Return the current state of one charge point."""
    unit = visible_unit(connection, asker, unit_id)
    if unit is None:
        raise HTTPException(404, "no such charge point")
    return as_json(charge_point(app_state, unit), told_by(connection, unit_id))
