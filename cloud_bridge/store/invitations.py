"""Invitations to sign up. Each has a code that can be used once and is stored as a hash.

Operators invite to any role, support invites drivers, and an owner invites the people who are to share their charger. A
stranger who asks for an account is also sent an invitation, so that signing up with it proves that they receive mail at
the address. The caller sends it (alerts/letters.py).
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
ANSWER_MS = DAY_MS  # validity of an invitation to a stranger who asked
OPEN_MAX = 100  # open invitations by one person
ANSWERS_MAX = 5000  # open invitations to strangers
MAY_INVITE: dict[Role, frozenset[Role]] = {
    Role.OPERATOR: frozenset(Role),
    Role.SUPPORT: frozenset({Role.DRIVER}),
}


class Invitation(NamedTuple):
    """An invitation, and what a person who signs up with it gets."""

    role: Role
    email: str | None  # the address to which the code was sent, which is thereby confirmed
    asked: bool  # a stranger has asked for it
    claim_hash: str | None  # of the label that the stranger has entered


def may_invite(person: Person, role: Role) -> bool:
    return role in MAY_INVITE.get(person.role, frozenset())


def link_of(public_address: str, code: str) -> str:
    """Return the URL for signing up with a code."""
    return f"{public_address}/sign-up/begin?code={code}"


def invite(connection: Connection, role: Role, now_ms: int, email: str | None = None, by: Person | None = None) -> str:
    """Create an invitation and return its code. `email` is the address to which it will be sent; `by` is None at the
    command line. Raises BridgeError."""
    if by is not None:
        open_now = select(func.count()).select_from(invitations).where(invitations.c.made_by == by.id)
        if connection.execute(open_now).scalar_one() >= OPEN_MAX:
            raise BridgeError(_("{most} invitations are open: withdraw some of them").format(most=OPEN_MAX))
    if email is not None and person_with_email(connection, email) is not None:
        raise AlreadyThere(_("somebody with this e-mail address has an account"))
    return _add(connection, Invitation(role, email, False, None), now_ms + INVITATION_MS, by)


def answer_stranger(connection: Connection, email: str, claim_hash: str | None, now_ms: int) -> str | None:
    """Create an invitation for a stranger who asked. Return its code, or None if there are too many."""
    asked = select(func.count()).select_from(invitations).where(invitations.c.asked)
    if connection.execute(asked).scalar_one() >= ANSWERS_MAX:
        return None
    return _add(connection, Invitation(Role.DRIVER, email, True, claim_hash), now_ms + ANSWER_MS, None)


def answer_household(connection: Connection, now_ms: int) -> str:
    """Create an invitation for a person without an account whom an owner has invited to a charger (members.py). Return
    its code."""
    return _add(connection, Invitation(Role.DRIVER, None, False, None), now_ms + ANSWER_MS, None)


def _add(connection: Connection, invitation: Invitation, expires_ms: int, by: Person | None) -> str:
    code = new_secret()
    values = {"code_hash": hash_of(code), "expires_ms": expires_ms, "made_by": None if by is None else by.id}
    connection.execute(invitations.insert(), invitation._asdict() | values)
    return code


def find_invitation(connection: Connection, code: str, now_ms: int) -> Invitation | None:
    """Return the invitation with this code. Return None if the code is unknown, used or expired, or if the person who
    created it may not invite to this role any more."""
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
    """Use up an invitation, and delete others to the same address. Return None like `find_invitation`, and if another
    request has used it at the same moment."""
    invitation = find_invitation(connection, code, now_ms)
    if invitation is None or not _remove(connection, invitations.c.code_hash == hash_of(code)):
        return None
    if invitation.email is not None:
        _remove(connection, func.lower(invitations.c.email) == invitation.email.lower())
    return invitation


def open_invitations(connection: Connection, person: Person, now_ms: int) -> list[Any]:
    """Return the open invitations that the person created, or all for an operator, with the name of the person who
    created each. Invitations to strangers who asked are not included."""
    columns = (invitations.c.id, invitations.c.role, invitations.c.email, invitations.c.expires_ms, people.c.name)
    query = select(*columns).outerjoin(people, people.c.id == invitations.c.made_by)
    query = query.where(_managed_by(person), invitations.c.expires_ms > now_ms)
    return list(connection.execute(query.order_by(invitations.c.id.desc())))


def withdraw_invitation(connection: Connection, person: Person, invitation_id: int) -> bool:
    """Withdraw an invitation. Return False if there is none with this id that the person may withdraw."""
    return _remove(connection, and_(invitations.c.id == invitation_id, _managed_by(person)))


def forget_invitation(connection: Connection, code: str) -> None:
    """Delete an invitation whose letter could not be sent."""
    _remove(connection, invitations.c.code_hash == hash_of(code))


def _managed_by(person: Person) -> ColumnElement[bool]:
    own = true() if person.role is Role.OPERATOR else invitations.c.made_by == person.id
    return and_(own, invitations.c.asked.is_(False))


def _remove(connection: Connection, which: ColumnElement[bool]) -> bool:
    return connection.execute(delete(invitations).where(which)).rowcount > 0
