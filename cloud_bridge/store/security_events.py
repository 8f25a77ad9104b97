"""Events that concern security: kept apart from everything else, and read by operators.

A row identifies a person only by number, and contains no name that was only typed, since that may have been a password.
So it can outlive an account, and still shows that the same person did several things.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from cloud_bridge.store.tables import people, security_events

PAGE = 100  # rows
ABOUT_MAX = 120  # characters


class Kind(StrEnum):
    """What happened."""

    LOGGED_IN = "logged_in"
    WRONG_PASSWORD = "wrong_password"
    TOO_MANY_PASSWORDS = "too_many_passwords"
    PASSWORD_RIGHT = "password_right"
    WRONG_CODE = "wrong_code"
    TOO_MANY_CODES = "too_many_codes"
    RECOVERY_CODE_USED = "recovery_code_used"
    SECOND_FACTOR_ADDED = "second_factor_added"
    SECOND_FACTOR_REMOVED = "second_factor_removed"
    SECOND_FACTOR_RESET = "second_factor_reset"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    WRONG_PASSKEY = "wrong_passkey"
    TOO_MANY_PASSKEYS = "too_many_passkeys"
    PASSKEY_RIGHT = "passkey_right"
    PASSKEY_COPIED = "passkey_copied"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    WRONG_TOKEN = "wrong_token"
    WRONG_CLAIM_CODE = "wrong_claim_code"
    WRONG_INSTALLER_CODE = "wrong_installer_code"
    UNIT_REFUSED = "unit_refused"
    WRONG_LINK = "wrong_link"
    INVITED = "invited"
    INVITATION_WITHDRAWN = "invitation_withdrawn"
    SIGNED_UP = "signed_up"
    PASSWORD_FORGOTTEN = "password_forgotten"
    PASSWORD_RESET = "password_reset"
    PERSON_ADDED = "person_added"
    PERSON_REMOVED = "person_removed"
    PASSWORD_CHANGED = "password_changed"
    EMAIL_CHANGED = "email_changed"
    ROLE_CHANGED = "role_changed"
    SESSIONS_ENDED = "sessions_ended"
    TOKEN_ADDED = "token_added"
    TOKEN_REMOVED = "token_removed"
    UNIT_ADDED = "unit_added"
    UNIT_SECRET = "unit_secret"
    UNIT_LABEL = "unit_label"
    UNIT_REVOKED = "unit_revoked"
    AUTHORITY_ORDERED = "authority_ordered"
    AUTHORITY_ALONE = "authority_alone"
    RELEASE_ADDED = "release_added"
    ROLL_OUT_STARTED = "roll_out_started"
    ROLL_OUT_STOPPED = "roll_out_stopped"
    CLAIMED = "claimed"
    RELEASED = "released"
    MEMBER_INVITED = "member_invited"
    MEMBER_JOINED = "member_joined"
    MEMBER_REMOVED = "member_removed"
    MEMBER_LEFT = "member_left"
    INSTALLER_ASSIGNED = "installer_assigned"
    INSTALLER_WITHDRAWN = "installer_withdrawn"
    NORTHBOUND = "northbound"
    NORTHBOUND_ENDED = "northbound_ended"
    COMMAND = "command"
    EXPORTED = "exported"
    ERASED = "erased"


class SecurityEvent(NamedTuple):
    """One event, or `times` equal ones within a minute. `address` is None for the command line; for an event that a
    charger reports, it is the charger's name."""

    at_ms: int
    kind: Kind
    address: str | None = None
    person_id: int | None = None
    about: str = ""  # the unit, the role, the number of the token; never a secret, never what a stranger typed
    times: int = 1


def add_security_events(connection: Connection, happened: Iterable[SecurityEvent]) -> None:
    """Store the events; `about` is cut to ABOUT_MAX characters."""
    rows = [one._asdict() | {"about": one.about[:ABOUT_MAX]} for one in happened]
    if rows:
        connection.execute(security_events.insert(), rows)


def newest_security_events(connection: Connection, kind: Kind | None = None, before: int | None = None) -> list[Any]:
    """PAGE rows before the number `before`, the newest first, each with the person's present name, if the account
    exists."""
    query = (
        select(security_events, people.c.name)
        .outerjoin(people, people.c.id == security_events.c.person_id)
        .order_by(security_events.c.id.desc())
        .limit(PAGE)
    )
    if kind is not None:
        query = query.where(security_events.c.kind == kind)
    if before is not None:
        query = query.where(security_events.c.id < before)
    return list(connection.execute(query))
