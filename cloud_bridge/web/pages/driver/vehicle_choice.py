"""The page on which a driver chooses which of the vehicles in their car account to connect."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, TypeVar

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from cloud_bridge.app_state import AppState
from cloud_bridge.errors import BridgeError
from cloud_bridge.vehicles.linking.vehicle_selection import NoSuchGrant, choices, choose
from cloud_bridge.vehicles.maker_calls import MakerBusy
from cloud_bridge.vehicles.polling.poll import poll
from cloud_bridge.vehicles.repository import Vehicle
from cloud_bridge.web.errors import NotTheirs, Refused
from cloud_bridge.web.page import OwnForm, PersonOf, page, to
from cloud_bridge.web.pages.driver.vehicles import LINK_WITHIN_S, busy
from cloud_bridge.web.security.access import StateDep
from cloud_bridge.words import gettext as _

router = APIRouter(include_in_schema=False)

Result = TypeVar("Result")


@router.get("/account/vehicles/choose/{grant_id}")
async def offer(request: Request, app_state: StateDep, person: PersonOf, grant_id: str) -> Response:
    cars = await _asked(app_state, grant_id, partial(choices, app_state.accounts, person.id, grant_id))
    return page(request, "driver/vehicle_choice.html", person, cars=cars)


@router.post("/account/vehicles/choose/{grant_id}", dependencies=[OwnForm])
async def link(
    app_state: StateDep, person: PersonOf, grant_id: str, car: Annotated[list[str] | None, Form(max_length=50)] = None
) -> Response:
    """Connect the chosen vehicles. A single one is polled at once; several are polled by the poller within seconds."""

    def choose_and_look() -> list[Vehicle]:
        linked = choose(app_state.accounts, person.id, grant_id, car or [])
        if len(linked) == 1:
            poll(app_state.accounts, linked[0])
        return linked

    linked = await _asked(app_state, grant_id, choose_and_look)
    return to(f"/account/vehicles/{linked[0].id}?said=connected" if len(linked) == 1 else "/account/vehicles")


async def _asked(app_state: AppState, grant_id: str, work: Callable[[], Result]) -> Result:
    """Call the grant's car maker. Raises NotTheirs and Refused."""
    maker = await run_in_threadpool(_maker_of, app_state, grant_id)
    try:
        return await app_state.accounts.calls.for_driver(maker, work, LINK_WITHIN_S)
    except NoSuchGrant:
        raise NotTheirs("account") from None
    except MakerBusy:
        raise busy() from None
    except BridgeError as error:
        raise _not_listed() from error


def _maker_of(app_state: AppState, grant_id: str) -> str:
    with app_state.database.reading() as connection:
        maker = app_state.accounts.grants.vault.provider_of(connection, grant_id)
    if maker is None:
        raise NotTheirs("account")
    return maker


def _not_listed() -> Refused:
    return Refused(
        _("The car maker does not list your vehicles"),
        _("Its service is down or busy, or our access has ended. Nothing was changed. Try again in a while."),
        502,
    )
