"""What a person is told of without asking, and what is kept of them: to choose, to take away, to erase."""

import json
import logging
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from cloud_bridge.alerts.kinds import AlertKind
from cloud_bridge.alerts.services import SERVICES, Via, shown, target_of
from cloud_bridge.app_state import AppState
from cloud_bridge.errors import BridgeError, StoreUnusable
from cloud_bridge.passwords import MAX_LENGTH
from cloud_bridge.store.access import Person, Role
from cloud_bridge.store.alerts import Outcome, newest_outcomes
from cloud_bridge.store.email import email_of
from cloud_bridge.store.personal import erase, export
from cloud_bridge.store.security_events import Kind
from cloud_bridge.store.subscriptions import (
    Subscription,
    add_subscription,
    refusal,
    remove_subscription,
    subscriptions_of,
)
from cloud_bridge.vehicles.linking.consents import return_all
from cloud_bridge.web.connections import Reading, Writing
from cloud_bridge.web.errors import NotTheirs, Refused
from cloud_bridge.web.page import Number, OwnForm, PersonOf, page, to
from cloud_bridge.web.pages.everyone.login import knows_own
from cloud_bridge.web.security.access import SESSION_COOKIE, StateDep
from cloud_bridge.web.security.log import note
from cloud_bridge.web.security.rates import EXPORTS, use

RETURN_WITHIN_S = 5.0  # that an erasure waits for car makers

router = APIRouter(prefix="/account", include_in_schema=False)

_log = logging.getLogger(__name__)

ABOUT = {
    AlertKind.SILENT: "It has fallen silent",
    AlertKind.BACK: "It is back",
    AlertKind.FAULT: "A red light",
    AlertKind.WEAK_SIGNAL: "A weak signal for a day",
    AlertKind.BROWN_OUT: "Its supply dips",
    AlertKind.TROUBLE: "It charges, but needs attention",
    AlertKind.DUPLICATE_IDENTITY: "A second charger uses its identity",
    AlertKind.INCIDENT: "Many chargers fell silent at once",
}
OLDER = "Address of an older version"


@router.get("/notifications")
def notifications(request: Request, app_state: StateDep, connection: Reading, person: PersonOf) -> Response:
    subscriptions = subscriptions_of(connection, person)
    outcomes = newest_outcomes(connection, person.id)
    email = email_of(connection, person.id)
    offered = {
        about: said for about, said in ABOUT.items() if about is not AlertKind.INCIDENT or person.role is Role.OPERATOR
    }
    sends_mail = app_state.settings.mail is not None
    services = [(via, one) for via, one in SERVICES.items() if via is not Via.EMAIL or (sends_mail and email)]
    content: dict[str, Any] = {
        "subscriptions": [_shown(subscription, outcomes.get(subscription.id)) for subscription in subscriptions],
        "about": offered,
        "services": services,
        "email": email,
        "sends_mail": sends_mail,
    }
    return page(request, "everyone/account_notifications.html", person, **content)


def _shown(subscription: Subscription, outcome: Outcome | None) -> dict[str, Any]:
    via = subscription.via
    return {
        "id": subscription.id,
        "about": ABOUT[subscription.about],
        "via": SERVICES[via].title if via in SERVICES else OLDER,
        "target": shown(via, subscription.target),
        "secret": subscription.secret,
        "refused": refusal(subscription),
        "failed": outcome if outcome is not None and outcome.trouble else None,
    }


async def typed(request: Request) -> dict[str, str]:
    """The fields of the form, whichever service it is of."""
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


@router.post("/notifications", dependencies=[OwnForm])
def add_notification(
    person: PersonOf,
    about: Annotated[AlertKind, Form()],
    via: Annotated[Via, Form()],
    fields: Annotated[dict[str, str], Depends(typed)],
    connection: Writing,
) -> Response:
    try:
        add_subscription(connection, person, about, via, target_of(via, fields))
    except BridgeError as error:
        raise Refused("That does not work", f"{str(error)[:1].upper()}{str(error)[1:]}. Nothing was changed.") from None
    return to("/account/notifications")


@router.post("/notifications/{wish_id}/remove", dependencies=[OwnForm])
def remove_notification(person: PersonOf, wish_id: Number, connection: Writing) -> Response:
    if not remove_subscription(connection, person, wish_id):
        raise NotTheirs("notification")
    return to("/account/notifications")


@router.get("/data")
def own_data(request: Request, person: PersonOf) -> Response:
    return page(request, "everyone/account_data.html", person)


@router.post("/data/export", dependencies=[OwnForm])
def export_data(request: Request, connection: Reading, person: PersonOf) -> Response:
    use(request, person, EXPORTS, "Too many copies", "You have the ones of before.")
    note(request, Kind.EXPORTED, person)
    text = json.dumps(export(connection, person), indent=1, ensure_ascii=False)
    headers = {"Content-Disposition": 'attachment; filename="chargekeeper-my-data.json"'}
    return Response(text, media_type="application/json", headers=headers)


@router.post("/data/erase", dependencies=[OwnForm])
async def erase_data(
    request: Request,
    app_state: StateDep,
    person: PersonOf,
    password: Annotated[str, Form(max_length=MAX_LENGTH)],
) -> Response:
    """The password is asked for again: this cannot be undone. Car makers are told first that our access is over.

    The turn to hash a password is not held while car makers are waited for.
    """
    async with app_state.passwords.turn(is_known=True) as passwords:
        known = await run_in_threadpool(
            knows_own, request, app_state, passwords, person, password, "to erase the account"
        )
    if not known:
        meaning = "That is not your password. Nothing was deleted."
        raise Refused("Nothing was deleted", meaning, field="password")
    untold = await return_all(app_state.accounts, person.id, RETURN_WITHIN_S)
    await run_in_threadpool(_erase, app_state, person)
    note(request, Kind.ERASED, person)
    app_state.live.access_changed()
    response = page(request, "everyone/account_erased.html", None, untold=untold) if untold else to("/login")
    response.delete_cookie(SESSION_COOKIE)
    return response


def _erase(app_state: AppState, person: Person) -> None:
    with app_state.database.writing() as connection:  # of its own: none was held while car makers were asked
        gone = erase(connection, person)
    try:
        app_state.database.scrub(table for table, rows in gone.items() if rows)
    except StoreUnusable as error:  # they are erased; the next scrub takes what the files still have
        _log.error("%s", error)
