"""The personal data of an account: export and erasure."""

import json
import logging
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from cloud_bridge.app_state import AppState
from cloud_bridge.errors import StoreUnusable
from cloud_bridge.passwords import MAX_LENGTH
from cloud_bridge.store.access import Person
from cloud_bridge.store.personal import erase, export
from cloud_bridge.store.security_events import Kind
from cloud_bridge.vehicles.linking.consents import return_all
from cloud_bridge.web.connections import Reading
from cloud_bridge.web.errors import Refused
from cloud_bridge.web.page import OwnForm, PersonOf, page, to
from cloud_bridge.web.pages.everyone.login import knows_own
from cloud_bridge.web.security.access import SESSION_COOKIE, StateDep
from cloud_bridge.web.security.log import note
from cloud_bridge.web.security.rates import EXPORTS, use
from cloud_bridge.words import gettext as _

RETURN_WITHIN_S = 5.0  # longest time that an erasure waits for car makers

router = APIRouter(prefix="/account", include_in_schema=False)

_log = logging.getLogger(__name__)


@router.get("/data")
def own_data(request: Request, person: PersonOf) -> Response:
    return page(request, "everyone/account_data.html", person)


@router.post("/data/export", dependencies=[OwnForm])
def export_data(request: Request, connection: Reading, person: PersonOf) -> Response:
    use(request, person, EXPORTS, _("Too many copies"), _("You have the ones of before."))
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
    """Erase the account. The password is asked for again, because this cannot be undone. Car makers are told first that our
    access has ended.

    The turn to hash a password ends before car makers are called.
    """
    async with app_state.passwords.turn(is_known=True) as passwords:
        known = await run_in_threadpool(
            knows_own, request, app_state, passwords, person, password, "to erase the account"
        )
    if not known:
        meaning = _("That is not your password. Nothing was deleted.")
        raise Refused(_("Nothing was deleted"), meaning, field="password")
    untold = await return_all(app_state.accounts, person.id, RETURN_WITHIN_S)
    await run_in_threadpool(_erase, app_state, person)
    note(request, Kind.ERASED, person)
    response = page(request, "everyone/account_erased.html", None, untold=untold) if untold else to("/login")
    response.delete_cookie(SESSION_COOKIE)
    return response


def _erase(app_state: AppState, person: Person) -> None:
    with (
        app_state.database.writing() as connection
    ):  # a transaction of its own: none may be open while car makers are called
        gone = erase(connection, person)
    try:
        app_state.database.scrub(table for table, rows in gone.items() if rows)
    except StoreUnusable as error:  # the rows are deleted; the next scrub removes what the files still contain
        _log.error("%s", error)
