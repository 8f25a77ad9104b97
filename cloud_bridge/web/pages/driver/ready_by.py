"""Ready by: the driver's time and target charge become a command to the charge point, and a plan that is monitored."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from cloud_bridge.charging_hours import ALL_WEEK, stored
from cloud_bridge.readiness.facts import ReadyPlan
from cloud_bridge.readiness.hours_ahead import avoided
from cloud_bridge.store.access import Scope
from cloud_bridge.store.ownership import household_period
from cloud_bridge.store.ready_plans import remove_plan, set_plan
from cloud_bridge.store.schedules import schedule_in_force
from cloud_bridge.store.units import Unit, visible_unit
from cloud_bridge.vehicles.plan import ChargeTarget, Plan, next_time, plan
from cloud_bridge.vehicles.repository import Vehicle
from cloud_bridge.web.errors import NotTheirs
from cloud_bridge.web.page import Field, OwnForm, PersonOf, UnitOf, only, to
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
    capacity_kwh: Annotated[float, Form(ge=1, le=250)],
    power_kw: Annotated[float, Form(ge=1, le=22)],
) -> Response:
    """Set a plan. Redirects to the page of the charge point, which shows its answer, or to the vehicle's page if charging
    starts at once."""
    wanted = ChargeTarget(int(time[:2]), int(time[3:]), target, capacity_kwh, power_kw)
    with app_state.database.writing() as connection:  # a transaction of its own: the command below waits for a broker
        unit = visible_unit(connection, person, unit_id)
        if unit is None:
            raise NotTheirs("charger")
        found = _begin_watch(connection, unit, vehicle, wanted, app_state.clock.now_ms())
    if not found.pause_ms:
        send_command(request, app_state, person, unit, "resume", {})
        return to(f"/account/vehicles/{vehicle.id}?said={found.because}")
    return send_command(request, app_state, person, unit, "pause", {}, found.pause_ms)


@router.post("/charge-points/{unit_id}/ready-by/end", dependencies=[OwnForm])
def end(app_state: StateDep, person: PersonOf, unit: UnitOf) -> Response:
    """Remove the plan, so that no alert is sent for this departure. A pause that was set for it stays in force."""
    with app_state.database.writing() as connection:
        remove_plan(connection, unit.id)
    return to(f"/charge-points/{unit.id}")


def _begin_watch(connection: Connection, unit: Unit, vehicle: Vehicle, wanted: ChargeTarget, now_ms: int) -> Plan:
    """Calculate when to charge, and store the plan, which is monitored from now on."""
    hours = schedule_in_force(connection, household_period(unit.period))
    allowed = stored(hours)
    ready_ms = next_time(wanted.hour, wanted.minute, now_ms, unit.time_zone)
    ahead = avoided(ALL_WEEK if allowed is None else allowed, now_ms, ready_ms)
    found = plan(wanted, vehicle.reading, now_ms, unit.time_zone, ahead)
    watched = ReadyPlan(
        found.ready_ms, found.begin_ms, wanted.target_percent, wanted.capacity_kwh, wanted.power_kw * 1000
    )
    set_plan(connection, unit.id, vehicle.person_id, vehicle.id, watched, hours, now_ms)
    return found
