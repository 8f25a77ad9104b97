"""Account > Vehicle Details: connect a car account, show its vehicle, restore lost access, disconnect.

"Continue" answers the form with a page of ours that leads on to the car maker. A redirect is not possible, because our
Content-Security-Policy forbids forms that lead to another site, and it also covers redirects after a form.
"""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from cloud_bridge.app_state import AppState
from cloud_bridge.distances import Distances
from cloud_bridge.errors import BridgeError
from cloud_bridge.store.access import Person
from cloud_bridge.store.people import distances_of
from cloud_bridge.store.units import visible_units
from cloud_bridge.vehicles import repository
from cloud_bridge.vehicles.linking.authorization_requests import begin
from cloud_bridge.vehicles.linking.link_errors import LinkRefused
from cloud_bridge.vehicles.linking.oauth_callback import Linked, finish
from cloud_bridge.vehicles.linking.unlink import unlink
from cloud_bridge.vehicles.maker_calls import MakerBusy, MakerSlow
from cloud_bridge.vehicles.polling.poll import poll
from cloud_bridge.vehicles.providers.provider import ProviderError
from cloud_bridge.vehicles.providers.provider_errors import AUTHORISE_AGAIN
from cloud_bridge.vehicles.repository import Vehicle
from cloud_bridge.web.errors import NotTheirs, Refused
from cloud_bridge.web.page import Field, Number, OwnForm, PersonOf, page, to
from cloud_bridge.web.presentation.vehicle_words import AT_ONCE, Card, card, refusal_words
from cloud_bridge.web.security.access import SESSION_COOKIE, StateDep
from cloud_bridge.words import gettext as _

# Pages do not wait longer than this; the call goes on. Waiting occupies no thread.
REFRESH_WITHIN_S = 3.0
UNLINK_WITHIN_S = 3.0
BACK_TO = {"dashboard": "/", "vehicles": "/vehicles"}  # where a form that is on several pages leads back to
LINK_WITHIN_S = 40.0  # two calls of calls.TOTAL_S: a driver who returns from the maker's page expects to wait

HOME_ZONE = "Europe/London"  # time zone of a driver without a charge point
MAX_UNITS = 20  # most units to choose from; an operator sees all units

router = APIRouter(include_in_schema=False)


def own_vehicle(vehicle_id: Number, app_state: StateDep, person: PersonOf) -> Vehicle:
    """Return the vehicle in the path. Raises NotTheirs."""
    with app_state.database.reading() as connection:
        vehicle = repository.find(connection, vehicle_id, person.id)
    if vehicle is None:
        raise NotTheirs("vehicle")
    return vehicle


VehicleOf = Annotated[Vehicle, Depends(own_vehicle)]


def cards_of(app_state: AppState, person: Person) -> list[Card]:
    """Return the person's vehicles in words."""
    with app_state.database.reading() as connection:
        return cards(app_state, connection, person, repository.of_person(connection, person.id))


def cards(
    app_state: AppState, connection: Connection, person: Person, found: list[Vehicle], time_zone: str = HOME_ZONE
) -> list[Card]:
    """Return the given vehicles of the person in words."""
    if not found:
        return []
    distances = distances_of(connection, person.id)
    return [_card(app_state, vehicle, distances, time_zone) for vehicle in found]


@router.get("/account/vehicles")
def overview(request: Request, app_state: StateDep, person: PersonOf, said: str = "") -> Response:
    content: dict[str, Any] = {"vehicles": cards_of(app_state, person), "makers": makers_of(app_state), "said": said}
    return page(request, "driver/vehicles.html", person, **content)


@router.get("/account/vehicles/connect")
def connect_new(request: Request, app_state: StateDep, person: PersonOf) -> Response:
    return page(request, "driver/vehicle_connect.html", person, vehicle=None, makers=makers_of(app_state))


@router.post("/account/vehicles/connect", dependencies=[OwnForm])
def leave_for_new(request: Request, app_state: StateDep, person: PersonOf, provider: Field) -> Response:
    return _leave(request, app_state, person, provider, None)


@router.get("/account/vehicles/{vehicle_id}")
def details(request: Request, app_state: StateDep, person: PersonOf, vehicle: VehicleOf, said: str = "") -> Response:
    with app_state.database.reading() as connection:
        units = visible_units(connection, person, MAX_UNITS)
        distances = distances_of(connection, person.id)
    shown = _card(app_state, vehicle, distances, *[unit.time_zone for unit in units[:1]])
    asking = app_state.accounts.calls.is_asking(vehicle.id)
    content: dict[str, Any] = {"vehicle": shown, "grant_id": vehicle.grant_id, "units": units, "said": said}
    return page(
        request,
        "driver/vehicle.html",
        person,
        at_once=None if said not in AT_ONCE else _(AT_ONCE[said]),
        asking=asking,
        **content,
    )


@router.get("/account/vehicles/{vehicle_id}/connect")
def connect_again(request: Request, app_state: StateDep, person: PersonOf, vehicle: VehicleOf) -> Response:
    with app_state.database.reading() as connection:
        shown = _card(app_state, vehicle, distances_of(connection, person.id))
    makers = (
        {vehicle.provider: shown.maker}
        if vehicle.provider in app_state.accounts.catalogue.providers
        else makers_of(app_state)
    )
    return page(request, "driver/vehicle_connect.html", person, vehicle=shown, makers=makers)


@router.post("/account/vehicles/{vehicle_id}/connect", dependencies=[OwnForm])
def leave_again(
    request: Request, app_state: StateDep, person: PersonOf, vehicle: VehicleOf, provider: Field
) -> Response:
    return _leave(request, app_state, person, provider, vehicle)


@router.get("/vehicles/return/{provider}")
async def come_back(request: Request, app_state: StateDep, person: PersonOf, provider: str) -> Response:
    """Handle the redirect back from the car maker. It redirects again, so that the maker's answer is not in the address of a
    page."""
    session, accounts = request.cookies.get(SESSION_COOKIE, ""), app_state.accounts

    def link() -> Linked:
        linked = finish(accounts, person.id, session, provider, request.query_params)
        if linked.choose_for is None:
            poll(accounts, linked.vehicles[0])
        return linked

    try:
        linked = await accounts.calls.for_driver(provider, link, LINK_WITHIN_S)
    except MakerSlow:
        return to("/account/vehicles?said=slow")
    except MakerBusy:
        raise busy() from None
    except LinkRefused as refused:
        title, meaning = refusal_words(refused)
        again = f"/account/vehicles/{refused.vehicle.id}" if refused.vehicle else "/account/vehicles"
        content = {"title": title, "meaning": meaning, "again": f"{again}/connect", "back": again}
        return page(request, "driver/vehicle_refused.html", person, 400, **content)
    except BridgeError as error:
        raise Refused(_("We cannot keep this connection safe"), str(error), 500) from error
    if linked.choose_for is not None:
        return to(f"/account/vehicles/choose/{linked.choose_for}")
    return to(f"/account/vehicles/{linked.vehicles[0].id}?said=connected")


@router.post("/account/vehicles/{vehicle_id}/refresh", dependencies=[OwnForm])
async def refresh(app_state: StateDep, vehicle: VehicleOf, back: Field = "") -> Response:
    """Refresh the tokens and read the vehicle once. Redirects to "Connect your Vehicle" if only the driver can restore the
    access.

    If it is pressed again while a call is in progress, it waits for the same answer.
    """
    accounts, here = app_state.accounts, f"/account/vehicles/{vehicle.id}"
    try:
        seen = await accounts.calls.for_driver(
            vehicle.provider, partial(poll, accounts, vehicle, eager=True), REFRESH_WITHIN_S, about=vehicle.id
        )
    except MakerSlow:
        return to(BACK_TO.get(back, here))  # that page shows that the call is in progress
    except MakerBusy:
        raise busy() from None
    if seen.link.reason in AUTHORISE_AGAIN:
        return to(f"{here}/connect")
    return to(BACK_TO.get(back, f"{here}?said=checked"))


@router.post("/account/vehicles/{vehicle_id}/disconnect", dependencies=[OwnForm])
async def disconnect(app_state: StateDep, vehicle: VehicleOf) -> Response:
    said = await _unlink(app_state, vehicle, erase=False)
    return to(f"/account/vehicles/{vehicle.id}?said={said}")


@router.post("/account/vehicles/{vehicle_id}/remove", dependencies=[OwnForm])
async def remove(app_state: StateDep, vehicle: VehicleOf) -> Response:
    await _unlink(app_state, vehicle, erase=True)
    return to("/account/vehicles")


async def _unlink(app_state: AppState, vehicle: Vehicle, erase: bool) -> str:
    """Disconnect the vehicle, and return what to report to the driver. It is disconnected here before the maker is told, which
    may take long."""
    work = partial(unlink, app_state.accounts, vehicle, erase=erase)
    try:
        told = await app_state.accounts.calls.for_driver(vehicle.provider, work, UNLINK_WITHIN_S)
    except MakerSlow:
        return "not-told"
    except MakerBusy:
        raise busy() from None
    return "disconnected" if told else "not-told"


def busy() -> Refused:
    """Return the error for a request that found too many others waiting for the car maker."""
    return Refused(
        _("The car maker is slow"),
        _("Many drivers are waiting for it at this moment. Nothing was changed. Try again in a minute."),
        503,
    )


def _leave(request: Request, app_state: AppState, person: Person, provider: str, vehicle: Vehicle | None) -> Response:
    session = request.cookies.get(SESSION_COOKIE, "")
    try:
        url = begin(app_state.accounts, person.id, session, provider, vehicle)
    except ProviderError as error:
        raise Refused(
            _("That car maker is not available"), _("Nothing was changed. Please tell our support."), 404
        ) from error
    maker = app_state.accounts.provider(provider).title
    return page(request, "driver/vehicle_leaving.html", person, url=url, maker=maker)


def _card(app_state: AppState, vehicle: Vehicle, distances: Distances, time_zone: str = HOME_ZONE) -> Card:
    provider = app_state.accounts.catalogue.providers.get(vehicle.provider)
    maker = provider.title if provider else vehicle.provider
    return card(vehicle, maker, app_state.clock.now_ms(), time_zone, distances)


def makers_of(app_state: AppState) -> dict[str, str]:
    return {provider.name: provider.title for provider in app_state.accounts.catalogue.providers.values()}
