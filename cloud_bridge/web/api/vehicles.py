"""The HTTP interface to somebody's own vehicles, as they are told of them on the dashboard. No VIN, and nothing of the account
at the car maker."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from cloud_bridge.app_state import AppState
from cloud_bridge.clock import iso_utc
from cloud_bridge.distances import Distances
from cloud_bridge.vehicles.linking.link import State
from cloud_bridge.vehicles.repository import Vehicle, of_person
from cloud_bridge.web.api.schema import ACCESS_PROBLEMS, Schema, Time
from cloud_bridge.web.connections import Reading
from cloud_bridge.web.presentation.vehicle_words import card
from cloud_bridge.web.security.access import ApiAsker, StateDep

router = APIRouter(prefix="/api/vehicles", responses=ACCESS_PROBLEMS)


class VehicleProblem(Schema):
    """What the driver has to do something about."""

    title: str
    meaning: str
    remedy: str
    since: Time
    connect_again: Annotated[bool, Field(description="the remedy is to connect the vehicle again")]


class VehicleState(Schema):
    """A vehicle as its account told of it last. What it has not told is null."""

    number: int
    name: str
    maker: str
    access: Annotated[State, Field(description="degraded: retried by itself; access_lost: see `problem`")]
    problem: VehicleProblem | None
    last_heard: Annotated[Time | None, Field(description="the age of the following values; null: never")]
    battery_percent: Annotated[float | None, Field(description="state of charge")]
    plugged_in: bool | None
    charging: bool | None
    range_km: float | None


@router.get("", response_model=list[VehicleState])
def list_vehicles(app_state: StateDep, connection: Reading, asker: ApiAsker) -> list[dict[str, Any]]:
    """All of the caller's own, whatever their role; nothing for a token that is nobody's."""
    return [] if asker.id is None else [_state(app_state, one) for one in of_person(connection, asker.id)]


def _state(app_state: AppState, vehicle: Vehicle) -> dict[str, Any]:
    provider = app_state.accounts.catalogue.providers.get(vehicle.provider)
    maker, now_ms = provider.title if provider else vehicle.provider, app_state.clock.now_ms()
    shown = card(vehicle, maker, now_ms, "UTC", Distances.KILOMETRES)
    reading, problem = vehicle.reading, shown.problem
    return {
        "number": vehicle.id,
        "name": vehicle.name,
        "maker": shown.maker,
        "access": vehicle.link.state,
        "problem": problem
        and {
            "title": problem.title,
            "meaning": problem.meaning,
            "remedy": problem.remedy,
            "since": iso_utc(vehicle.link.since_ms),
            "connect_again": problem.reconnect,
        },
        "last_heard": shown.seen_iso,
        "battery_percent": reading and reading.battery_percent,
        "plugged_in": reading and reading.plugged_in,
        "charging": reading and reading.charging,
        "range_km": reading and reading.range_km,
    }
