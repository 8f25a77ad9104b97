"""Ready by: a time and a charge that the driver wants become one claim for the charge point."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from cloud_bridge.store.access import Scope
from cloud_bridge.store.units import visible_unit
from cloud_bridge.vehicles.plan import ChargeTarget, plan
from cloud_bridge.web.errors import NotTheirs
from cloud_bridge.web.page import Field, OwnForm, PersonOf, only, to
from cloud_bridge.web.pages.driver.charging import send_command
from cloud_bridge.web.pages.driver.vehicles import VehicleOf
from cloud_bridge.web.security.access import StateDep

router = APIRouter(include_in_schema=False, dependencies=[only(Scope.COMMAND)])

TimeOfDay = Annotated[str, Form(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


@router.post("/account/vehicles/{vehicle_id}/ready-by", dependencies=[OwnForm])
def ready_by(
    request: Request,
    app_state: StateDep,
    person: PersonOf,
    vehicle: VehicleOf,
    unit_id: Field,
    time: TimeOfDay,
    target: Annotated[float, Form(ge=20, le=100)],
    capacity_kwh: Annotated[float, Form(ge=5, le=250)],
    power_kw: Annotated[float, Form(ge=1, le=22)],
) -> Response:
    """Leads to the charge point's own page, where its answer is shown; to the car's where there is nothing to wait for."""
    with app_state.database.reading() as connection:  # of its own: the order below waits for a broker
        unit = visible_unit(connection, person, unit_id)
    if unit is None:
        raise NotTheirs("charger")
    wanted = ChargeTarget(int(time[:2]), int(time[3:]), target, capacity_kwh, power_kw)
    found = plan(wanted, vehicle.reading, app_state.clock.now_ms(), unit.time_zone)
    if not found.pause_ms:
        send_command(request, app_state, person, unit, "resume", {})
        return to(f"/account/vehicles/{vehicle.id}?said={found.because}")
    return send_command(request, app_state, person, unit, "pause", {}, found.pause_ms)
