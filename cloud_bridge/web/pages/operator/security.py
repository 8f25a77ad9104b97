"""The security log, for operators."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from cloud_bridge.store.access import Scope
from cloud_bridge.store.security_events import PAGE, Kind, newest_security_events
from cloud_bridge.web.connections import Reading
from cloud_bridge.web.page import PersonOf, only, page

WORDS = {
    Kind.LOGGED_IN: "Logged in",
    Kind.WRONG_PASSWORD: "Wrong name or password",
    Kind.TOO_MANY_PASSWORDS: "Login refused after too many wrong passwords",
    Kind.PASSWORD_RIGHT: "Password right, code asked for",
    Kind.WRONG_CODE: "Wrong code of the second factor",
    Kind.TOO_MANY_CODES: "Login refused after too many wrong codes",
    Kind.RECOVERY_CODE_USED: "Recovery code used",
    Kind.SECOND_FACTOR_ADDED: "Second factor set up",
    Kind.SECOND_FACTOR_REMOVED: "Second factor switched off",
    Kind.SECOND_FACTOR_RESET: "Second factor reset",
    Kind.RECOVERY_CODES_MADE: "New recovery codes",
    Kind.WRONG_PASSKEY: "Wrong passkey",
    Kind.TOO_MANY_PASSKEYS: "Login refused after too many wrong passkeys",
    Kind.PASSKEY_RIGHT: "Passkey right, second factor to be set up",
    Kind.PASSKEY_COPIED: "Passkey refused: its counter went back, so a copy of it may exist",
    Kind.PASSKEY_ADDED: "Passkey added",
    Kind.PASSKEY_REMOVED: "Passkey removed",
    Kind.WRONG_TOKEN: "Wrong API token",
    Kind.WRONG_CLAIM_CODE: "Wrong claim code",
    Kind.WRONG_INSTALLER_CODE: "Wrong installer code at a charger",
    Kind.UNIT_REFUSED: "Charger refused at the broker",
    Kind.WRONG_LINK: "Link of a letter or an invitation that is not valid",
    Kind.INVITED: "Invitation made",
    Kind.INVITATION_WITHDRAWN: "Invitation withdrawn",
    Kind.SIGNED_UP: "Signed up",
    Kind.PASSWORD_FORGOTTEN: "Letter for a forgotten password",
    Kind.PASSWORD_RESET: "Password set with a letter",
    Kind.PERSON_ADDED: "Person added",
    Kind.PERSON_REMOVED: "Person removed",
    Kind.PASSWORD_CHANGED: "Password changed",
    Kind.EMAIL_CHANGED: "E-mail address changed",
    Kind.ROLE_CHANGED: "Role changed",
    Kind.SESSIONS_ENDED: "Other browsers logged out",
    Kind.TOKEN_ADDED: "API token added",
    Kind.TOKEN_REMOVED: "API token removed",
    Kind.UNIT_ADDED: "Charger added",
    Kind.UNIT_SECRET: "Charger's secret changed",
    Kind.UNIT_LABEL: "New claim code for a charger",
    Kind.UNIT_REVOKED: "Charger revoked",
    Kind.AUTHORITY_ORDERED: "Next certificate authority ordered",
    Kind.AUTHORITY_ALONE: "Former certificate authority withdrawn",
    Kind.RELEASE_ADDED: "Firmware release added",
    Kind.ROLL_OUT_STARTED: "Roll-out of firmware started",
    Kind.ROLL_OUT_STOPPED: "Roll-out of firmware stopped",
    Kind.CLAIMED: "Charger claimed",
    Kind.RELEASED: "Charger released",
    Kind.MEMBER_INVITED: "Somebody invited to a charger",
    Kind.MEMBER_JOINED: "Joined a charger",
    Kind.MEMBER_REMOVED: "Somebody removed from a charger",
    Kind.MEMBER_LEFT: "Left a charger",
    Kind.INSTALLER_ASSIGNED: "Installer assigned",
    Kind.INSTALLER_WITHDRAWN: "Installer withdrawn",
    Kind.COMMAND: "Command sent",
    Kind.EXPORTED: "Data exported",
    Kind.ERASED: "Account erased",
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
    """The newest first, PAGE at a time."""
    rows = newest_security_events(connection, kind, before)
    older = {"before": rows[-1].id} | ({"kind": kind} if kind else {}) if len(rows) == PAGE else {}
    content: dict[str, Any] = {
        "events": [(row, WORDS.get(row.kind, row.kind), _who(row)) for row in rows],
        "kinds": WORDS,
        "chosen": kind,
        "older": f"/security?{urlencode(older)}" if older else None,
    }
    return page(request, "operator/security.html", person, **content)


def _who(row: Any) -> str:
    """The person's name of today, or their number: the account is gone."""
    if row.person_id is None:
        return ""
    return row.name or f"person {row.person_id}"
