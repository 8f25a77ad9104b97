"""The notifications of a person: which kinds, by e-mail and on their devices in one form, and by other services below it.

Everything works without JavaScript except allowing notifications, for which browsers need a script (static/push.js).
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import JSONResponse, Response

from cloud_bridge.alerts.kinds import AlertKind
from cloud_bridge.alerts.push_key import KeyUnusable
from cloud_bridge.alerts.services import SERVICES, FieldRefused, Via, shown, target_of
from cloud_bridge.alerts.web_push import MAX_ENDPOINT, checked_target
from cloud_bridge.errors import BridgeError
from cloud_bridge.store.access import Person, Role
from cloud_bridge.store.alerts import Outcome, newest_outcomes
from cloud_bridge.store.email import email_of
from cloud_bridge.store.push_browsers import add_browser, browsers_of, remove_browser
from cloud_bridge.store.subscriptions import (
    TOLD,
    Subscription,
    add_subscription,
    refusal,
    remove_subscription,
    subscriptions_of,
)
from cloud_bridge.store.usual_alerts import USUAL_WAYS, choose, chosen_of
from cloud_bridge.web.connections import Reading, Writing
from cloud_bridge.web.errors import NotTheirs, Refused
from cloud_bridge.web.form_errors import FORM
from cloud_bridge.web.page import Number, OwnForm, PersonOf, page, to
from cloud_bridge.web.presentation.alert_words import undelivered
from cloud_bridge.web.presentation.words import sentence
from cloud_bridge.web.public_address import address_of
from cloud_bridge.web.security.access import SESSION_COOKIE, StateDep
from cloud_bridge.web.security.forms import form_token
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _

router = APIRouter(prefix="/account/notifications", include_in_schema=False)

ABOUT = {
    AlertKind.SILENT: N_("It has fallen silent"),
    AlertKind.BACK: N_("It is back"),
    AlertKind.FAULT: N_("It shows a red light"),
    AlertKind.DONE: N_("Charging is done"),
    AlertKind.NOT_READY: N_("Your vehicle will not be ready by the time you set"),
    AlertKind.VEHICLE_LOST: N_("The access to your car is lost"),
    AlertKind.TROUBLE: N_("It charges, but needs attention"),
    AlertKind.WEAK_SIGNAL: N_("A weak signal for a day"),
    AlertKind.BROWN_OUT: N_("Its supply dips"),
    AlertKind.DUPLICATE_IDENTITY: N_("A second charger uses its identity"),
    AlertKind.ANSWER: N_("Support has answered"),
    AlertKind.VISIT: N_("Your installer's visit is planned, or planned anew"),
    AlertKind.NEW_JOB: N_("There is a new job for you"),
    AlertKind.MONTHLY_REPORT: N_("A month is over: the charging report, by e-mail with PDF and CSV"),
    AlertKind.UPDATE: N_("Its firmware is updated"),
    AlertKind.INCIDENT: N_("Many chargers fell silent at once"),
    AlertKind.ROLL_OUT_STOPPED: N_("A roll-out of firmware has stopped by itself"),
}
OLDER = N_("Address of an older version")
SAFE_HOSTS = ("localhost", "127.0.0.1", "::1")  # browsers trust these without TLS (W3C, Secure Contexts)
SAVED = "saved"
MAX_KEY = 100  # characters of a key of the browser

Kinds = Annotated[list[AlertKind], Form(max_length=len(AlertKind))]


@router.get("")
def overview(request: Request, app_state: StateDep, connection: Reading, person: PersonOf, said: str = "") -> Response:
    subscriptions = subscriptions_of(connection, person)
    outcomes = newest_outcomes(connection, person.id)
    email = email_of(connection, person.id)
    sends_mail = app_state.settings.mail is not None
    browsers = browsers_of(connection, person, request.cookies.get(SESSION_COOKIE, ""))
    ways = [Via.EMAIL] * bool(sends_mail and email) + [Via.BROWSER] * bool(browsers)
    mine = [one for one in subscriptions if one.via not in USUAL_WAYS]
    usual = [one for one in subscriptions if one.via in USUAL_WAYS]
    content: dict[str, Any] = {
        "about": _offered(person),
        "names": {via: _(SERVICES[via].title) for via in ways},
        "ways": {via: chosen_of(connection, person, via) for via in ways},
        "troubles": [
            (_(SERVICES[one.via].title), failed) for one in usual if (failed := _failed(outcomes.get(one.id)))
        ],
        "browsers": browsers,
        "is_safe": _is_safe(request),
        "subscriptions": [_shown(one, outcomes.get(one.id)) for one in mine],
        "services": [(via, one.said()) for via, one in SERVICES.items() if one.fields],
        "email": email,
        "sends_mail": sends_mail,
        "is_saved": said == SAVED,
    }
    return page(request, "everyone/account_notifications.html", person, **content)


@router.post("/choice", dependencies=[OwnForm])
def change_choice(
    person: PersonOf,
    connection: Writing,
    way: Annotated[list[Via], Form(max_length=len(USUAL_WAYS))] = [],  # noqa: B006  # FastAPI copies it
    email: Kinds = [],  # noqa: B006
    browser: Kinds = [],  # noqa: B006
) -> Response:
    """Store the choice. `way` lists the ways that the page has shown; the others remain as they are."""
    offered = _offered(person)
    for via, kinds in ((Via.EMAIL, email), (Via.BROWSER, browser)):
        if via in way:
            choose(connection, person, via, [kind for kind in kinds if kind in offered])
    return to(f"/account/notifications?said={SAVED}")


async def typed(request: Request) -> dict[str, str]:
    """Return the fields of the form of any service."""
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


@router.post("", dependencies=[OwnForm])
def add(
    person: PersonOf,
    about: Annotated[AlertKind, Form()],
    via: Annotated[Via, Form()],
    fields: Annotated[dict[str, str], Depends(typed)],
    connection: Writing,
) -> Response:
    title = _("That does not work")
    try:
        add_subscription(connection, person, about, via, target_of(via, fields))
    except BridgeError as error:
        field = error.field if isinstance(error, FieldRefused) else FORM
        raise Refused(title, f"{sentence(error)} {_('Nothing was changed.')}", field=field) from None
    return to("/account/notifications")


@router.post("/{wish_id}/remove", dependencies=[OwnForm])
def remove(person: PersonOf, wish_id: Number, connection: Writing) -> Response:
    if not remove_subscription(connection, person, wish_id):
        raise NotTheirs("notification")
    return to("/account/notifications")


@router.get("/push-key")
def push_key(request: Request, app_state: StateDep, person: PersonOf) -> Response:
    """Return what the script needs to subscribe: our public key, and the token of the form that it sends."""
    try:
        key = app_state.push_key.public()
    except KeyUnusable as error:
        raise Refused(
            _("Notifications cannot be sent"), _("It is our fault, not yours: {error}.").format(error=error), 503
        ) from None
    return JSONResponse({"key": key, "form": form_token(request.cookies.get(SESSION_COOKIE, ""))})


@router.post("/browsers", dependencies=[OwnForm])
def allow(
    request: Request,
    app_state: StateDep,
    person: PersonOf,
    endpoint: Annotated[str, Form(max_length=MAX_ENDPOINT)],
    p256dh: Annotated[str, Form(max_length=MAX_KEY)],
    auth: Annotated[str, Form(max_length=MAX_KEY)],
    connection: Writing,
) -> Response:
    """Allow notifications in this browser. Sent by script."""
    try:
        target = checked_target(endpoint, p256dh, auth)
    except BridgeError as error:
        raise Refused(_("This browser cannot be notified"), sentence(error)) from None
    session = request.cookies.get(SESSION_COOKIE, "")
    if not add_browser(connection, person, session, target, app_state.clock.now_ms()):
        raise Refused(_("This browser cannot be notified"), _("Log out and in again, then try again."))
    return Response(status_code=204)


@router.post("/browsers/{browser_id}/remove", dependencies=[OwnForm])
def forget(person: PersonOf, browser_id: Number, connection: Writing) -> Response:
    if not remove_browser(connection, person, browser_id):
        raise NotTheirs("browser")
    return to("/account/notifications")


def _offered(person: Person) -> dict[AlertKind, str]:
    return {about: _(said) for about, said in ABOUT.items() if person.role in TOLD.get(about, Role)}


def _is_safe(request: Request) -> bool:
    """Return True if browsers allow pages at this address to send notifications."""
    address = address_of(request)
    return address.scheme == "https" or address.host in SAFE_HOSTS


def _shown(subscription: Subscription, outcome: Outcome | None) -> dict[str, Any]:
    via = subscription.via
    return {
        "id": subscription.id,
        "about": _(ABOUT[subscription.about]),
        "via": _(SERVICES[via].title if via in SERVICES else OLDER),
        "target": shown(via, subscription.target),
        "secret": subscription.secret,
        "refused": refusal(subscription),
        "failed": _failed(outcome),
    }


def _failed(outcome: Outcome | None) -> Outcome | None:
    """Return the outcome with its trouble in words, or None if the delivery did not fail."""
    if outcome is None or not outcome.trouble:
        return None
    return outcome._replace(trouble=undelivered(outcome.trouble))
