"""The HTTP interface to the caller's own vehicles, with what the dashboard shows. It returns neither the VIN nor anything of
the account at the car maker."""

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
    """A problem that the driver has to solve."""

    title: str
    meaning: str
    remedy: str
    since: Time
    connect_again: Annotated[bool, Field(description="True if the remedy is to connect the vehicle again.")]


class VehicleState(Schema):
    """The last state of a vehicle that its car account returned. Values that it did not return are null."""

    number: int
    name: str
    maker: str
    access: Annotated[State, Field(description="degraded: the service retries by itself. access_lost: see `problem`.")]
    problem: VehicleProblem | None
    last_heard: Annotated[Time | None, Field(description="Time of the values below; null if there are none yet.")]
    battery_percent: Annotated[float | None, Field(description="State of charge in percent.")]
    plugged_in: bool | None
    charging: bool | None
    range_km: float | None


@router.get("", response_model=list[VehicleState])
def list_vehicles(app_state: StateDep, connection: Reading, asker: ApiAsker) -> list[dict[str, Any]]:
    """Return the caller's own vehicles, whatever their role. The list is empty for a token that belongs to no person."""
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
