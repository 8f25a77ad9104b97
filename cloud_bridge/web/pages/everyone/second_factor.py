"""The account's second factor: set it up, switch it off, and create new recovery codes.

All of this needs the password again, and a code if there is a second factor, so that it is of no use to find an open browser.
"""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud_bridge.app_state import AppState
from cloud_bridge.errors import AlreadyThere
from cloud_bridge.passwords import Passwords
from cloud_bridge.store.access import Person
from cloud_bridge.store.people import NEEDS_SECOND_FACTOR
from cloud_bridge.store.second_factors import count_recovery_codes, remove_second_factor, second_factor_of
from cloud_bridge.store.security_events import Kind
from cloud_bridge.web.connections import Reading
from cloud_bridge.web.errors import Refused
from cloud_bridge.web.page import Field, OwnForm, PersonOf, page, to
from cloud_bridge.web.pages.everyone.login import knows_own
from cloud_bridge.web.pages.everyone.new_second_factor import add_checked, new_secret_form
from cloud_bridge.web.security.access import SESSION_COOKIE, PasswordsOf, StateDep
from cloud_bridge.web.security.log import note
from cloud_bridge.web.security.second_factor import CodeRefused, check_code
from cloud_bridge.words import gettext as _

HERE = "/account/second-factor"

router = APIRouter(prefix=HERE, include_in_schema=False)


@router.get("")
def overview(request: Request, app_state: StateDep, connection: Reading, person: PersonOf) -> Response:
    factor = second_factor_of(connection, person.id)
    left = count_recovery_codes(connection, person.id)
    new = new_secret_form(app_state, person, request.cookies.get(SESSION_COOKIE, "")) if factor is None else None
    content: dict[str, Any] = {
        "factor": factor,
        "left": left,
        "new": new,
        "is_needed": person.role in NEEDS_SECOND_FACTOR,
    }
    return page(request, "everyone/account_second_factor.html", person, **content)


@router.post("", dependencies=[OwnForm])
def set_up(
    request: Request,
    app_state: StateDep,
    passwords: PasswordsOf,
    person: PersonOf,
    new: Field,
    code: Field,
    password: Field,
) -> Response:
    must_know_password(request, app_state, passwords, person, password, "to set up a second factor")
    try:
        done = add_checked(request, app_state, person, request.cookies.get(SESSION_COOKIE, ""), new, code)
    except AlreadyThere:
        return to(HERE)
    if isinstance(done, CodeRefused):
        raise Refused(done.title, f"{done.meaning} {_('Nothing was changed.')}")
    return page(request, "everyone/recovery_codes.html", person, codes=done, next=HERE)


@router.post("/remove", dependencies=[OwnForm])
def remove(
    request: Request, app_state: StateDep, passwords: PasswordsOf, person: PersonOf, password: Field, code: Field
) -> Response:
    must_know_both(request, app_state, passwords, person, password, code, "to switch it off")
    with (
        app_state.database.writing() as connection
    ):  # a transaction of its own: the password was hashed in this request
        remove_second_factor(connection, person.id)
    note(request, Kind.SECOND_FACTOR_REMOVED, person)
    return to(HERE)


@router.post("/recovery-codes", dependencies=[OwnForm])
def renew(
    request: Request, app_state: StateDep, passwords: PasswordsOf, person: PersonOf, password: Field, code: Field
) -> Response:
    must_know_both(request, app_state, passwords, person, password, code, "for new recovery codes")
    codes = app_state.second_factors.renew_recovery_codes(person.id)
    note(request, Kind.RECOVERY_CODES_MADE, person)
    return page(request, "everyone/recovery_codes.html", person, codes=codes, next=HERE)


def must_know_both(
    request: Request, app_state: AppState, passwords: Passwords, person: Person, password: str, code: str, why: str
) -> None:
    """Check password and code. Raises Refused. A code is used up only after the right password."""
    must_know_password(request, app_state, passwords, person, password, why)
    if refused := check_code(request, app_state, person, code, why):
        meaning = f"{refused.title}. {refused.meaning}"
        raise Refused(_("Nothing was changed"), meaning, max(refused.status, 422), "code")


def must_know_password(
    request: Request, app_state: AppState, passwords: Passwords, person: Person, password: str, why: str
) -> None:
    if not knows_own(request, app_state, passwords, person, password, why):
        raise Refused(_("Nothing was changed"), _("That is not your password."), field="password")
