"""Invitations to sign up: each is a code that counts once and is stored as a hash.

Operators invite to any role, support invites drivers, and an owner whoever is to share their charger. A stranger who asks for
an account is answered with an invitation too, sent to their address: so whoever signs up with one has proved that they read
the mail of its address. Sending it is the caller's business (alerts/letters.py).
"""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, delete, func, select, true

from cloud_bridge.durations import DAY_MS
from cloud_bridge.errors import AlreadyThere, BridgeError
from cloud_bridge.store.access import Person, Role
from cloud_bridge.store.email import person_with_email
from cloud_bridge.store.secrets import hash_of, new_secret
from cloud_bridge.store.tables import invitations, people
from cloud_bridge.words import gettext as _

INVITATION_MS = 7 * DAY_MS
ANSWER_MS = DAY_MS  # of the letter to a stranger who asked
OPEN_MAX = 100  # of one person who invites
ANSWERS_MAX = 5000  # to strangers
MAY_INVITE: dict[Role, frozenset[Role]] = {
    Role.OPERATOR: frozenset(Role),
    Role.SUPPORT: frozenset({Role.DRIVER}),
}


class Invitation(NamedTuple):
    """What whoever signs up with it gets."""

    role: Role
    email: str | None  # to which the code was sent, so it is confirmed
    asked: bool  # by the stranger, of us
    claim_hash: str | None  # of the label that the stranger has


def may_invite(person: Person, role: Role) -> bool:
    return role in MAY_INVITE.get(person.role, frozenset())


def link_of(public_address: str, code: str) -> str:
    """Where whoever has the code signs up."""
    return f"{public_address}/sign-up/begin?code={code}"


def invite(connection: Connection, role: Role, now_ms: int, email: str | None = None, by: Person | None = None) -> str:
    """The code. `email` is where it will be sent; `by` is None at the command line. Raises BridgeError."""
    if by is not None:
        open_now = select(func.count()).select_from(invitations).where(invitations.c.made_by == by.id)
        if connection.execute(open_now).scalar_one() >= OPEN_MAX:
            raise BridgeError(_("{most} invitations are open: withdraw some of them").format(most=OPEN_MAX))
    if email is not None and person_with_email(connection, email) is not None:
        raise AlreadyThere(_("somebody with this e-mail address has an account"))
    return _add(connection, Invitation(role, email, False, None), now_ms + INVITATION_MS, by)


def answer_stranger(connection: Connection, email: str, claim_hash: str | None, now_ms: int) -> str | None:
    """The code for somebody who wants to sign up; None: too many others have asked."""
    asked = select(func.count()).select_from(invitations).where(invitations.c.asked)
    if connection.execute(asked).scalar_one() >= ANSWERS_MAX:
        return None
    return _add(connection, Invitation(Role.DRIVER, email, True, claim_hash), now_ms + ANSWER_MS, None)


def answer_household(connection: Connection, now_ms: int) -> str:
    """The code for somebody who has no account yet and was invited to a charger by its owner (members.py)."""
    return _add(connection, Invitation(Role.DRIVER, None, False, None), now_ms + ANSWER_MS, None)


def _add(connection: Connection, invitation: Invitation, expires_ms: int, by: Person | None) -> str:
    code = new_secret()
    values = {"code_hash": hash_of(code), "expires_ms": expires_ms, "made_by": None if by is None else by.id}
    connection.execute(invitations.insert(), invitation._asdict() | values)
    return code


def find_invitation(connection: Connection, code: str, now_ms: int) -> Invitation | None:
    """None: the code is unknown, used or over, or whoever made it may not invite to this role any more."""
    is_it = invitations.c.code_hash == hash_of(code), invitations.c.expires_ms > now_ms
    columns = (invitations.c[name] for name in Invitation._fields)
    maker = people.c.role.label("maker"), invitations.c.made_by
    query = select(*columns, *maker).outerjoin(people, people.c.id == invitations.c.made_by).where(*is_it)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    invitation = Invitation(Role(row.role), row.email, row.asked, row.claim_hash)
    may = row.made_by is None or invitation.role in MAY_INVITE.get(Role(row.maker), frozenset())
    return invitation if may else None


def use_invitation(connection: Connection, code: str, now_ms: int) -> Invitation | None:
    """It counts no more, and no other one that was sent to the same address. None as in `find_invitation`, and if somebody
    else has used it at the same moment."""
    invitation = find_invitation(connection, code, now_ms)
    if invitation is None or not _remove(connection, invitations.c.code_hash == hash_of(code)):
        return None
    if invitation.email is not None:
        _remove(connection, func.lower(invitations.c.email) == invitation.email.lower())
    return invitation


def open_invitations(connection: Connection, person: Person, now_ms: int) -> list[Any]:
    """Those that the person made, and to an operator all; with the name of who made each. No answers to strangers."""
    columns = (invitations.c.id, invitations.c.role, invitations.c.email, invitations.c.expires_ms, people.c.name)
    query = select(*columns).outerjoin(people, people.c.id == invitations.c.made_by)
    query = query.where(_managed_by(person), invitations.c.expires_ms > now_ms)
    return list(connection.execute(query.order_by(invitations.c.id.desc())))


def withdraw_invitation(connection: Connection, person: Person, invitation_id: int) -> bool:
    """False: there is none of that number that they may withdraw."""
    return _remove(connection, and_(invitations.c.id == invitation_id, _managed_by(person)))


def forget_invitation(connection: Connection, code: str) -> None:
    """Its letter could not be sent."""
    _remove(connection, invitations.c.code_hash == hash_of(code))


def _managed_by(person: Person) -> ColumnElement[bool]:
    own = true() if person.role is Role.OPERATOR else invitations.c.made_by == person.id
    return and_(own, invitations.c.asked.is_(False))


def _remove(connection: Connection, which: ColumnElement[bool]) -> bool:
    return connection.execute(delete(invitations).where(which)).rowcount > 0
