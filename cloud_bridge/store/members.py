"""Members of a household: people with whom the owner shares a unit, by invitation.

A member sees the unit from the time when they joined (ownership.py) and may command it. Only the owner may change name,
time zone and tariff, release the unit, and invite or remove members. A membership ends when the owner removes the
member, when the member leaves, and with the ownership. It is then deleted; only the security log has a record of it.

An invitation has a code that can be used once. Like sessions it expires by verified time (verified_time.py).
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
    """No more people can be invited, or the invitation is not valid. The text is for the person who asked."""


class Member(NamedTuple):
    person_id: int
    name: str
    from_ms: int


class Invitation(NamedTuple):
    """An open invitation."""

    id: int
    made_ms: int
    expires_ms: int


class Invited(NamedTuple):
    """The unit of an invitation."""

    unit_id: str
    name: str  # given by its owner; may be ""


def invite(connection: Connection, unit_id: str, verified_ms: int) -> str:
    """Create an invitation and return its code. Raises InvitationRefused."""
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
    """Withdraw an invitation. Return False if there was none with this id."""
    of_unit = (member_invitations.c.unit_id == unit_id, member_invitations.c.id == invitation_id)
    return connection.execute(delete(member_invitations).where(*of_unit)).rowcount == 1


def invited_to(connection: Connection, code: str, verified_ms: int) -> Invited | None:
    """Return the unit of an invitation, or None if the code is unknown, used, withdrawn or expired."""
    query = (
        select(units.c.id, units.c.name)
        .join(member_invitations, member_invitations.c.unit_id == units.c.id)
        .where(member_invitations.c.code_hash == hash_of(code), member_invitations.c.expires_ms > verified_ms)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else Invited(*row)


def join(connection: Connection, person: Person, code: str, now_ms: int, verified_ms: int) -> str:
    """Make the person a member, and return the id of the unit. The code is used up only if this succeeds. Raises
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
    """Return the members in the order in which they joined."""
    query = (
        select(members.c.person_id, people.c.name, members.c.from_ms)
        .join(people, people.c.id == members.c.person_id)
        .where(members.c.unit_id == unit_id)
    )
    return [Member(*row) for row in connection.execute(query.order_by(members.c.from_ms, members.c.person_id))]


def is_shared(connection: Connection, unit_id: str) -> bool:
    """Return whether the unit has members."""
    return connection.execute(_MEMBERS_COUNT, {"unit": unit_id}).scalar_one() > 0


_MEMBERS_COUNT = select(func.count()).select_from(members).where(members.c.unit_id == bindparam("unit"))


def end_membership(connection: Connection, unit_id: str, person_id: int) -> bool:
    """End a membership. Return False if the person was not a member."""
    theirs = (members.c.unit_id == unit_id, members.c.person_id == person_id)
    remove_plan(connection, unit_id, person_id)
    return connection.execute(delete(members).where(*theirs)).rowcount == 1


def _lock(connection: Connection, unit_id: str) -> int | None:
    """Lock the unit's row, so that no other transaction can invite to it, join it or release it. Return the id of its
    owner, or None."""
    return connection.execute(select(units.c.owner_id).where(units.c.id == unit_id).with_for_update()).scalar()
