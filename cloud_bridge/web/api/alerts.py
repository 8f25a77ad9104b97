"""The HTTP interface to subscriptions to alerts, and to unknown client ids."""

from typing import Any

from fastapi import APIRouter, HTTPException
from sqlalchemy import Connection

from cloud_bridge.alerts.services import Via, check_target, shown, target_of
from cloud_bridge.clock import iso_utc
from cloud_bridge.errors import BridgeError
from cloud_bridge.store.access import Asker, Person, Scope
from cloud_bridge.store.people import person_by_id
from cloud_bridge.store.subscriptions import add_subscription, remove_subscription, subscriptions_of
from cloud_bridge.store.unknown_clients import read_unknown_clients
from cloud_bridge.web.api.schema import ACCESS_PROBLEMS, NOT_FOUND, Alert, AlertKey, NewAlert, Problem, UnknownClient
from cloud_bridge.web.connections import Reading, Writing
from cloud_bridge.web.security.access import ApiAsker, require

router = APIRouter(prefix="/api", responses=ACCESS_PROBLEMS)


@router.get("/alerts", response_model=list[Alert])
def list_wishes(connection: Reading, asker: ApiAsker) -> list[dict[str, Any]]:
    """Return the caller's subscriptions to alerts. The signing key of a webhook is returned only when it is created."""
    subscriptions = subscriptions_of(connection, asker)
    return [
        {
            "number": subscription.id,
            "about": subscription.about,
            "via": subscription.via,
            "target": shown(subscription.via, subscription.target),
        }
        for subscription in subscriptions
    ]


@router.post(
    "/alerts",
    status_code=201,
    response_model=AlertKey,
    responses={
        400: {"model": Problem, "description": "The body is not UTF-8."},
        409: {"model": Problem, "description": "Refused; `detail` says why."},
    },
)
def make_wish(asker: ApiAsker, subscription: NewAlert, connection: Writing) -> dict[str, Any]:
    """Subscribe to alerts. Returns the key that a webhook's deliveries are signed with."""
    require(asker, Scope.ALERTS)
    person = _person(connection, asker)
    via, typed = subscription.via, subscription.fields | {"target": subscription.target}
    try:
        if via is Via.EMAIL:
            check_target(via, subscription.target)
        return {"key": add_subscription(connection, person, subscription.about, via, target_of(via, typed)) or None}
    except BridgeError as error:
        raise HTTPException(409, str(error)) from error


@router.delete(
    "/alerts/{number}",
    status_code=204,
    responses=NOT_FOUND | {409: {"model": Problem, "description": "The token belongs to no person."}},
)
def drop_wish(asker: ApiAsker, number: int, connection: Writing) -> None:
    """Remove a subscription to alerts."""
    if not 0 < number < 2**63:
        raise HTTPException(404, "no such subscription")
    require(asker, Scope.ALERTS)
    person = _person(connection, asker)
    if not remove_subscription(connection, person, number):
        raise HTTPException(404, "no such subscription")


@router.get("/strangers", response_model=list[UnknownClient])
def strangers(asker: ApiAsker, connection: Reading) -> list[dict[str, Any]]:
    """Return the client ids that tried to connect or to publish and belong to no registered charge point, the newest last.
    Needs the scope `operate`."""
    require(asker, Scope.OPERATE)
    return [
        {"id": one.id, "first": iso_utc(one.first_ms), "last": iso_utc(one.last_ms), "messages": one.messages}
        for one in read_unknown_clients(connection)
    ]


def _person(connection: Connection, asker: Asker) -> Person:
    """Return the person whose subscriptions these are. Raises 409 for a token that belongs to no person."""
    if asker.id is None:
        raise HTTPException(409, "this token belongs to no person: create one with --user")
    if isinstance(asker, Person):
        return asker
    return person_by_id(connection, asker.id)
