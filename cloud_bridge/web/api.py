"""The HTTP interface, for programs."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, HTTPException, Response

from cloud_bridge.store.units import visible_unit, visible_units
from cloud_bridge.web.access import ApiAsker, HouseOf
from cloud_bridge.web.view import as_json, charge_point

router = APIRouter()


@router.get("/healthz")
def health(house: HouseOf, response: Response) -> dict[str, Any]:
    """200 while messages are taken in and stored; 503 with the reason while they cannot be stored."""
    trouble = house.recorder.trouble
    if trouble is not None:
        response.status_code = 503
    return {
        "status": "ok" if trouble is None else "the database cannot be written",
        "trouble": trouble,
        "listening": house.counters.canaries > 0 and house.ledger.open_gap(house.clock.now_ms()) is None,
        "connections": house.broker.connections,
        "waiting_to_be_stored": house.recorder.waiting,
        "refused_by_store": house.recorder.refused,
        "counters": asdict(house.counters),
    }


@router.get("/api/charge-points")
def list_charge_points(house: HouseOf, asker: ApiAsker) -> list[dict[str, Any]]:
    """All charge points that the caller may see, by id."""
    with house.database.reading() as connection:
        units = visible_units(connection, asker)
    return [as_json(charge_point(house, unit)) for unit in units]


@router.get("/api/charge-points/{unit_id}")
def read_charge_point(unit_id: str, house: HouseOf, asker: ApiAsker) -> dict[str, Any]:
    """One charge point as it stands now."""
    with house.database.reading() as connection:
        unit = visible_unit(connection, asker, unit_id)
    if unit is None:
        raise HTTPException(404, "no such charge point")
    return as_json(charge_point(house, unit))
