"""Which vehicles? What the driver's account with a car maker has, to be ticked, all at once."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from cloud_bridge.errors import BridgeError
from cloud_bridge.vehicles.choosing import NoSuchGrant, choices, choose
from cloud_bridge.vehicles.looking import look
from cloud_bridge.web.access import HouseOf
from cloud_bridge.web.page import NotTheirs, OwnForm, PersonOf, page, to
from cloud_bridge.web.problems import Refused

router = APIRouter(include_in_schema=False)


@router.get("/account/vehicles/choose/{grant_id}")
def offer(request: Request, house: HouseOf, person: PersonOf, grant_id: str) -> Response:
    try:
        cars = choices(house.accounts, person.id, grant_id)
    except NoSuchGrant:
        raise NotTheirs("account") from None
    except BridgeError as error:
        raise _not_listed() from error
    return page(request, "vehicle_choice.html", person, cars=cars)


@router.post("/account/vehicles/choose/{grant_id}", dependencies=[OwnForm])
def link(
    house: HouseOf, person: PersonOf, grant_id: str, car: Annotated[list[str] | None, Form(max_length=50)] = None
) -> Response:
    """A single one is looked at now, several by the watch within seconds."""
    try:
        linked = choose(house.accounts, person.id, grant_id, car or [])
    except NoSuchGrant:
        raise NotTheirs("account") from None
    except BridgeError as error:
        raise _not_listed() from error
    if len(linked) != 1:
        return to("/account/vehicles")
    look(house.accounts, linked[0])
    return to(f"/account/vehicles/{linked[0].id}?said=connected")


def _not_listed() -> Refused:
    return Refused(
        "The car maker does not list your vehicles",
        "Its service is down or busy, or our access has ended. Nothing was changed. Try again in a while.",
        502,
    )
