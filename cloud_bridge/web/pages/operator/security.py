"""The security log, for operators."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from cloud_bridge.store.access import Scope
from cloud_bridge.store.security_events import PAGE, Kind, newest_security_events
from cloud_bridge.web.connections import Reading
from cloud_bridge.web.page import PersonOf, only, page
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _

WORDS = {
    Kind.LOGGED_IN: N_("Logged in"),
    Kind.WRONG_PASSWORD: N_("Wrong name or password"),
    Kind.TOO_MANY_PASSWORDS: N_("Login refused after too many wrong passwords"),
    Kind.PASSWORD_RIGHT: N_("Password right, code asked for"),
    Kind.WRONG_CODE: N_("Wrong code of the second factor"),
    Kind.TOO_MANY_CODES: N_("Login refused after too many wrong codes"),
    Kind.RECOVERY_CODE_USED: N_("Recovery code used"),
    Kind.SECOND_FACTOR_ADDED: N_("Second factor set up"),
    Kind.SECOND_FACTOR_REMOVED: N_("Second factor switched off"),
    Kind.SECOND_FACTOR_RESET: N_("Second factor reset"),
    Kind.RECOVERY_CODES_MADE: N_("New recovery codes"),
    Kind.WRONG_PASSKEY: N_("Wrong passkey"),
    Kind.TOO_MANY_PASSKEYS: N_("Login refused after too many wrong passkeys"),
    Kind.PASSKEY_RIGHT: N_("Passkey right, second factor to be set up"),
    Kind.PASSKEY_COPIED: N_("Passkey refused: its counter went back, so a copy of it may exist"),
    Kind.PASSKEY_ADDED: N_("Passkey added"),
    Kind.PASSKEY_REMOVED: N_("Passkey removed"),
    Kind.WRONG_TOKEN: N_("Wrong API token"),
    Kind.WRONG_CLAIM_CODE: N_("Wrong claim code"),
    Kind.WRONG_INSTALLER_CODE: N_("Wrong installer code at a charger"),
    Kind.UNIT_REFUSED: N_("Charger refused at the broker"),
    Kind.WRONG_LINK: N_("Link of an e-mail or an invitation that is not valid"),
    Kind.INVITED: N_("Invitation made"),
    Kind.INVITATION_WITHDRAWN: N_("Invitation withdrawn"),
    Kind.SIGNED_UP: N_("Signed up"),
    Kind.PASSWORD_FORGOTTEN: N_("Letter for a forgotten password"),
    Kind.PASSWORD_RESET: N_("Password set by e-mail"),
    Kind.PERSON_ADDED: N_("Person added"),
    Kind.PERSON_REMOVED: N_("Person removed"),
    Kind.PASSWORD_CHANGED: N_("Password changed"),
    Kind.EMAIL_CHANGED: N_("E-mail address changed"),
    Kind.ROLE_CHANGED: N_("Role changed"),
    Kind.SESSIONS_ENDED: N_("Other browsers logged out"),
    Kind.TOKEN_ADDED: N_("API token added"),
    Kind.TOKEN_REMOVED: N_("API token removed"),
    Kind.UNIT_ADDED: N_("Charger added"),
    Kind.UNIT_SECRET: N_("Charger's secret changed"),
    Kind.UNIT_LABEL: N_("New claim code for a charger"),
    Kind.UNIT_REVOKED: N_("Charger revoked"),
    Kind.AUTHORITY_ORDERED: N_("Next certificate authority ordered"),
    Kind.AUTHORITY_ALONE: N_("Former certificate authority withdrawn"),
    Kind.RELEASE_ADDED: N_("Firmware release added"),
    Kind.ROLL_OUT_STARTED: N_("Roll-out of firmware started"),
    Kind.ROLL_OUT_STOPPED: N_("Roll-out of firmware stopped"),
    Kind.CLAIMED: N_("Charger claimed"),
    Kind.RELEASED: N_("Charger released"),
    Kind.MEMBER_INVITED: N_("Somebody invited to a charger"),
    Kind.MEMBER_JOINED: N_("Joined a charger"),
    Kind.MEMBER_REMOVED: N_("Somebody removed from a charger"),
    Kind.MEMBER_LEFT: N_("Left a charger"),
    Kind.INSTALLER_ASSIGNED: N_("Installer assigned"),
    Kind.INSTALLER_WITHDRAWN: N_("Installer withdrawn"),
    Kind.NORTHBOUND: N_("Charger shown to another service"),
    Kind.NORTHBOUND_ENDED: N_("Charger not shown to another service any more"),
    Kind.COMMAND: N_("Command sent"),
    Kind.EXPORTED: N_("Data exported"),
    Kind.ERASED: N_("Account erased"),
}

router = APIRouter(include_in_schema=False)


@router.get("/security", dependencies=[only(Scope.OPERATE)])
def security(
    request: Request,
    connection: Reading,
    person: PersonOf,
    kind: Kind | None = None,
    before: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
) -> Response:
    """Show the newest entries first, PAGE at a time."""
    rows = newest_security_events(connection, kind, before)
    older = {"before": rows[-1].id} | ({"kind": kind} if kind else {}) if len(rows) == PAGE else {}
    content: dict[str, Any] = {
        "events": [(row, _(WORDS[row.kind]) if row.kind in WORDS else row.kind, _who(row)) for row in rows],
        "kinds": {kind: _(said) for kind, said in WORDS.items()},
        "chosen": kind,
        "older": f"/security?{urlencode(older)}" if older else None,
    }
    return page(request, "operator/security.html", person, **content)


def _who(row: Any) -> str:
    """Return the person's present name, or their id if the account was deleted."""
    if row.person_id is None:
        return ""
    return row.name or _("person {number}").format(number=row.person_id)
