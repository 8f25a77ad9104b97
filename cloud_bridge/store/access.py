"""Who may see and do what. The one place where rows are filtered by who asks.

A driver sees the units they have claimed and those whose owner has let them in (members.py), an installer those at which they
have work, until it is done (claims.py); support and operators see all. What a role may do beside looking is a scope; an API
token has scopes of its own and never more than the role behind it.

Every query about units, or about anything that belongs to one, carries the condition made here:

    select(events).where(visible(asker, events.c.unit_id))

SQLAlchemy takes three times as long to build a statement and to find it among those it has compiled as to carry it out. What
every page asks is therefore built once, for `anybody` of a role.
"""

from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, bindparam, select, true

from cloud_bridge.store.tables import members, unit_installers, units
from cloud_bridge.words import N_


class Role(StrEnum):
    """What a person is to us."""

    DRIVER = "driver"
    INSTALLER = "installer"
    SUPPORT = "support"
    OPERATOR = "operator"


ROLE_NAMES = {
    Role.DRIVER: N_("driver"),
    Role.INSTALLER: N_("installer"),
    Role.SUPPORT: N_("support"),
    Role.OPERATOR: N_("operator"),
}


class Scope(StrEnum):
    """What can be done beyond being logged in."""

    READ = "read"  # look at the units that are visible; changes nothing
    COMMAND = "command"  # send them commands
    ALERTS = "alerts"  # choose what one is alerted to
    SUPPORT = "support"  # answer drivers, raise jobs with installers
    OPERATE = "operate"  # the service itself: people, units, metrics
    REGISTER = "register"  # add units that were made, and nothing else: for a station that makes them


SCOPES: dict[Role, frozenset[Scope]] = {
    Role.DRIVER: frozenset({Scope.READ, Scope.COMMAND, Scope.ALERTS}),
    Role.INSTALLER: frozenset({Scope.READ, Scope.ALERTS}),
    Role.SUPPORT: frozenset({Scope.READ, Scope.SUPPORT, Scope.ALERTS}),
    Role.OPERATOR: frozenset(Scope),
}

SEE_ALL = frozenset({Role.SUPPORT, Role.OPERATOR})


class Person(NamedTuple):
    """Somebody with a login."""

    id: int
    name: str
    role: Role
    language: str | None = None  # chosen; None: as their browser asks for, or English

    @property
    def scopes(self) -> frozenset[Scope]:
        return SCOPES[self.role]


class Token(NamedTuple):
    """An API token. It asks for the person it belongs to; without one it is the operator's own."""

    id: int | None
    role: Role
    scopes: frozenset[Scope]


Asker = Person | Token


def anybody(role: Role) -> Person:
    """Who asks, in a statement that is built once for all of a role: the id is its parameter `asker_id`."""
    asker_id: Any = bindparam("asker_id", type_=BigInteger)
    return Person(asker_id, "", role)


def token_for(person: Person | None, scopes: frozenset[Scope]) -> Token:
    """A token's scopes are cut down to what its person may do now, whatever it was given when it was made."""
    if person is None:
        return Token(None, Role.OPERATOR, scopes)
    return Token(person.id, person.role, scopes & person.scopes)


def may(asker: Asker, scope: Scope) -> bool:
    return scope in asker.scopes


def visible(asker: Asker, unit_id: ColumnElement[str] = units.c.id) -> ColumnElement[bool]:
    """The condition that a row's unit is one the asker may see; `unit_id` is the row's column that names it."""
    if asker.role in SEE_ALL:
        return true()
    if asker.role is Role.INSTALLER:
        at_work = (unit_installers.c.person_id == asker.id, unit_installers.c.until_ms.is_(None))
        return unit_id.in_(select(unit_installers.c.unit_id).where(*at_work))
    return at_home(asker, unit_id)


def at_home(asker: Asker, unit_id: ColumnElement[str] = units.c.id) -> ColumnElement[bool]:
    """The condition that the asker owns the row's unit, or that its owner has let them in."""
    # One list: SQLite takes the index of `unit_id` for it, and reads every unit where two conditions are joined by OR.
    owned = select(units.c.id).where(units.c.owner_id == asker.id)
    return unit_id.in_(owned.union_all(select(members.c.unit_id).where(members.c.person_id == asker.id)))
