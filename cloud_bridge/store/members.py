"""Members of a household: who uses a unit beside its owner, by the owner's invitation.

A member sees the unit from the moment they joined (ownership.py) and may command it. Name, time zone, tariff and the unit
itself stay the owner's to change and to give up, and so does who else is let in. A membership ends when the owner removes
them, when they leave, and with the ownership. Nothing of an ended one is kept: the security log has that it was.

An invitation is a code that counts once. It expires by the time that has verifiably passed (verified_time.py), as sessions do.
"""

from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from cloud_bridge.durations import DAY_MS
from cloud_bridge.errors import BridgeError
from cloud_bridge.store.access import ROLE_NAMES, Person, Role
from cloud_bridge.store.ownership import begin_membership
from cloud_bridge.store.ready_plans import remove_plan
from cloud_bridge.store.secrets import hash_of, new_secret
from cloud_bridge.store.tables import member_invitations, members, people, units
from cloud_bridge.words import gettext as _

INVITATION_MS = 7 * DAY_MS
MOST_MEMBERS = 5  # of one unit
MOST_INVITATIONS = 5  # open ones of one unit


class InvitationRefused(BridgeError):
    """Nobody more can be invited, or this invitation does not count; the text is for the person who asked."""


class Member(NamedTuple):
    person_id: int
    name: str
    from_ms: int


class Invitation(NamedTuple):
    """One that is open."""

    id: int
    made_ms: int
    expires_ms: int


class Invited(NamedTuple):
    """The unit that an invitation is to."""

    unit_id: str
    name: str  # given by its owner; may be empty


def invite(connection: Connection, unit_id: str, verified_ms: int) -> str:
    """The code of a new invitation. Raises InvitationRefused."""
    _lock(connection, unit_id)
    if len(members_of(connection, unit_id)) >= MOST_MEMBERS:
        raise InvitationRefused(
            _("{most} people are the most that can share a charger: remove one first").format(most=MOST_MEMBERS)
        )
    if len(open_invitations(connection, unit_id, verified_ms)) >= MOST_INVITATIONS:
        raise InvitationRefused(_("{most} invitations are open: withdraw one first").format(most=MOST_INVITATIONS))
    code = new_secret()
    row = {"unit_id": unit_id, "code_hash": hash_of(code), "expires_ms": verified_ms + INVITATION_MS}
    connection.execute(insert(member_invitations), row)
    return code


def open_invitations(connection: Connection, unit_id: str, verified_ms: int) -> list[Invitation]:
    query = select(member_invitations.c.id, member_invitations.c.expires_ms).where(
        member_invitations.c.unit_id == unit_id, member_invitations.c.expires_ms > verified_ms
    )
    rows = connection.execute(query.order_by(member_invitations.c.id))
    return [Invitation(row.id, row.expires_ms - INVITATION_MS, row.expires_ms) for row in rows]


def withdraw_invitation(connection: Connection, unit_id: str, invitation_id: int) -> bool:
    """False: there was none of that number."""
    of_unit = (member_invitations.c.unit_id == unit_id, member_invitations.c.id == invitation_id)
    return connection.execute(delete(member_invitations).where(*of_unit)).rowcount == 1


def invited_to(connection: Connection, code: str, verified_ms: int) -> Invited | None:
    """None for a code that is unknown, used, withdrawn or over."""
    query = (
        select(units.c.id, units.c.name)
        .join(member_invitations, member_invitations.c.unit_id == units.c.id)
        .where(member_invitations.c.code_hash == hash_of(code), member_invitations.c.expires_ms > verified_ms)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else Invited(*row)


def join(connection: Connection, person: Person, code: str, now_ms: int, verified_ms: int) -> str:
    """The id of the unit that the person is a member of from now on. The code is used up then, and only then. Raises
    InvitationRefused."""
    invited = invited_to(connection, code, verified_ms)
    if invited is None:
        raise InvitationRefused(_("this invitation was used or withdrawn, or is older than a week: ask for a new one"))
    unit_id = invited.unit_id
    owner_id = _lock(connection, unit_id)
    known = {member.person_id for member in members_of(connection, unit_id)}
    if person.role is not Role.DRIVER:
        raise InvitationRefused(
            _("a charger is shared with drivers, and this account is of the role {role}").format(
                role=_(ROLE_NAMES[person.role])
            )
        )
    if person.id == owner_id or person.id in known:
        raise InvitationRefused(_("this charger is on your pages already"))
    if len(known) >= MOST_MEMBERS:
        raise InvitationRefused(
            _("{most} people share this charger already: ask its owner to remove one").format(most=MOST_MEMBERS)
        )
    used = delete(member_invitations).where(member_invitations.c.code_hash == hash_of(code))
    if connection.execute(used).rowcount != 1:
        raise InvitationRefused(_("this invitation was used a moment ago: ask for a new one"))
    begin_membership(connection, unit_id, person.id, now_ms)
    return unit_id


def members_of(connection: Connection, unit_id: str) -> list[Member]:
    """In the order in which they joined."""
    query = (
        select(members.c.person_id, people.c.name, members.c.from_ms)
        .join(people, people.c.id == members.c.person_id)
        .where(members.c.unit_id == unit_id)
    )
    return [Member(*row) for row in connection.execute(query.order_by(members.c.from_ms, members.c.person_id))]


def is_shared(connection: Connection, unit_id: str) -> bool:
    """Whether anybody uses the unit beside its owner."""
    return connection.execute(_MEMBERS_COUNT, {"unit": unit_id}).scalar_one() > 0


_MEMBERS_COUNT = select(func.count()).select_from(members).where(members.c.unit_id == bindparam("unit"))


def end_membership(connection: Connection, unit_id: str, person_id: int) -> bool:
    """The person sees the unit no more. False: they were no member."""
    theirs = (members.c.unit_id == unit_id, members.c.person_id == person_id)
    remove_plan(connection, unit_id, person_id)
    return connection.execute(delete(members).where(*theirs)).rowcount == 1


def _lock(connection: Connection, unit_id: str) -> int | None:
    """The owner's id. Until the transaction ends nobody else invites to the unit, joins it, or gives it up."""
    return connection.execute(select(units.c.owner_id).where(units.c.id == unit_id).with_for_update()).scalar()
