"""What a person is told of without asking, and what is kept of them: to choose, to take away, to erase."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from cloud_bridge.alerts.about import About
from cloud_bridge.alerts.wishes import Via, add_wish, remove_wish, wishes_of
from cloud_bridge.errors import BridgeError
from cloud_bridge.passwords import MAX_LENGTH
from cloud_bridge.store.access import Role
from cloud_bridge.store.email import email_of
from cloud_bridge.store.personal import erase, export
from cloud_bridge.web.access import SESSION_COOKIE, HouseOf, PasswordsOf
from cloud_bridge.web.login import who_knows
from cloud_bridge.web.page import NotTheirs, Number, OwnForm, PersonOf, page, to
from cloud_bridge.web.problems import Refused
from cloud_bridge.web.rates import EXPORTS, use

router = APIRouter(prefix="/account", include_in_schema=False)

ABOUT = {
    About.SILENT: "It has fallen silent",
    About.BACK: "It is back",
    About.FAULT: "A red light",
    About.WEAK_SIGNAL: "A weak signal for a day",
    About.BROWN_OUT: "Its supply dips",
    About.INCIDENT: "Many chargers fell silent at once",
}
VIA = {Via.EMAIL: "E-mail", Via.WEBHOOK: "Webhook", Via.PUSH: "Push service"}


@router.get("/notifications")
def notifications(request: Request, house: HouseOf, person: PersonOf) -> Response:
    with house.database.reading() as connection:
        wishes = wishes_of(connection, person)
        email = email_of(connection, person.id)
    offered = {
        about: said for about, said in ABOUT.items() if about is not About.INCIDENT or person.role is Role.OPERATOR
    }
    sends_mail = house.settings.mail is not None
    ways = {via: said for via, said in VIA.items() if via is not Via.EMAIL or (sends_mail and email)}
    shown = [(wish.id, ABOUT[wish.about], VIA[wish.via], wish.target, wish.secret) for wish in wishes]
    content: dict[str, Any] = {"wishes": shown, "about": offered, "via": ways, "email": email, "sends_mail": sends_mail}
    return page(request, "account_notifications.html", person, **content)


@router.post("/notifications", dependencies=[OwnForm])
def add_notification(
    house: HouseOf,
    person: PersonOf,
    about: Annotated[About, Form()],
    via: Annotated[Via, Form()],
    target: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    try:
        with house.database.writing() as connection:
            add_wish(connection, person, about, via, "" if via is Via.EMAIL else target.strip())
    except BridgeError as error:
        raise Refused("That does not work", f"{str(error).capitalize()}. Nothing was changed.") from None
    return to("/account/notifications")


@router.post("/notifications/{wish_id}/remove", dependencies=[OwnForm])
def remove_notification(house: HouseOf, person: PersonOf, wish_id: Number) -> Response:
    with house.database.writing() as connection:
        if not remove_wish(connection, person, wish_id):
            raise NotTheirs("notification")
    return to("/account/notifications")


@router.get("/data")
def own_data(request: Request, person: PersonOf) -> Response:
    return page(request, "account_data.html", person)


@router.post("/data/export", dependencies=[OwnForm])
def export_data(request: Request, house: HouseOf, person: PersonOf) -> Response:
    use(request, person, EXPORTS, "Too many copies", "You have the ones of before.")
    with house.database.reading() as connection:
        text = json.dumps(export(connection, person), indent=1, ensure_ascii=False)
    headers = {"Content-Disposition": 'attachment; filename="chargekeeper-my-data.json"'}
    return Response(text, media_type="application/json", headers=headers)


@router.post("/data/erase", dependencies=[OwnForm])
def erase_data(
    house: HouseOf, passwords: PasswordsOf, person: PersonOf, password: Annotated[str, Form(max_length=MAX_LENGTH)]
) -> Response:
    """The password is asked for again: this cannot be undone."""
    if who_knows(house, passwords, person.name, password) is None:
        raise Refused("That is not your password", "Nothing was deleted.")
    with house.database.writing() as connection:
        erase(connection, person)
    house.live.access_changed()
    response = to("/login")
    response.delete_cookie(SESSION_COOKIE)
    return response
