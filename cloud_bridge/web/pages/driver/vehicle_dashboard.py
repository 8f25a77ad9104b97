"""The vehicles' dashboard: the first page of a driver without a charge point, and a separate tab for the others.

An account is polled every ten or thirty minutes, so the page has no stream: it reloads its content each minute (vehicles.js),
and ages are updated in the browser.
"""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud_bridge.app_state import AppState
from cloud_bridge.clock import iso_utc
from cloud_bridge.store.access import Person
from cloud_bridge.web.page import PersonOf, page, to
from cloud_bridge.web.pages.driver.vehicles import HOME_ZONE, cards_of, makers_of
from cloud_bridge.web.presentation.vehicle_words import Card
from cloud_bridge.web.presentation.words import time_of_day
from cloud_bridge.web.security.access import StateDep

router = APIRouter(include_in_schema=False)


@router.get("/vehicles")
def vehicles_dashboard(request: Request, app_state: StateDep, person: PersonOf) -> Response:
    vehicles = cards_of(app_state, person)
    return _dashboard(request, app_state, person, vehicles) if vehicles else to("/")


def without_charger(request: Request, app_state: AppState, person: Person) -> Response:
    """Show the first page of a person who sees no charge point: their vehicles, or the two ways to begin."""
    vehicles = cards_of(app_state, person)
    if vehicles:
        return _dashboard(request, app_state, person, vehicles)
    return page(request, "driver/begin.html", person, makers=makers_of(app_state))


def _dashboard(request: Request, app_state: AppState, person: Person, vehicles: list[Card]) -> Response:
    calls, now_ms = app_state.accounts.calls, app_state.clock.now_ms()
    content: dict[str, Any] = {
        "vehicles": vehicles,
        "asking": {vehicle.id for vehicle in vehicles if calls.is_asking(vehicle.id)},
        "makers": makers_of(app_state),
        "checked_at": time_of_day(now_ms, HOME_ZONE),
        "checked_at_iso": iso_utc(now_ms),
    }
    return page(request, "driver/vehicle_dashboard.html", person, **content)
