"""Access control: which units a person may see, and what each role may do. Rows are filtered by person only here.

A driver sees the units that they have claimed and those that their owners share with them (members.py). An installer
sees the units at which they have work, until it is done (claims.py). Support and operators see all. A scope is a
permission beyond viewing. An API token has scopes of its own, limited to those of its person's role.

Every query about units, or about anything that belongs to a unit, must have the condition from this module:

    select(events).where(visible(asker, events.c.unit_id))

For SQLAlchemy, building a statement and finding it in the cache of compiled statements takes three times as long as
executing it. So the queries of every page are built once for each role, with `anybody`.
"""

from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, bindparam, select, true

from cloud_bridge.store.tables import members, unit_installers, units
from cloud_bridge.words import N_


class Role(StrEnum):
    """The role of a person."""

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
    """A permission."""

    READ = "read"  # read data of visible units
    COMMAND = "command"  # send commands to visible units
    ALERTS = "alerts"  # manage one's own alerts
    SUPPORT = "support"  # answer drivers, raise jobs with installers
    OPERATE = "operate"  # the service itself: people, units, metrics
    REGISTER = "register"  # add newly made units, and nothing else: for a production station


SCOPES: dict[Role, frozenset[Scope]] = {
    Role.DRIVER: frozenset({Scope.READ, Scope.COMMAND, Scope.ALERTS}),
    Role.INSTALLER: frozenset({Scope.READ, Scope.ALERTS}),
    Role.SUPPORT: frozenset({Scope.READ, Scope.SUPPORT, Scope.ALERTS}),
    Role.OPERATOR: frozenset(Scope),
}

SEE_ALL = frozenset({Role.SUPPORT, Role.OPERATOR})


class Person(NamedTuple):
    """A person with a login."""

    id: int
    name: str
    role: Role
    language: str | None = None  # the chosen language; None for that of their browser, or English

    @property
    def scopes(self) -> frozenset[Scope]:
        return SCOPES[self.role]


class Token(NamedTuple):
    """An API token. It acts for the person to whom it belongs; a token without a person has the role of an operator."""

    id: int | None
    role: Role
    scopes: frozenset[Scope]


Asker = Person | Token


def anybody(role: Role) -> Person:
    """Return a placeholder person for a statement that is built once for a role. The id is the parameter `asker_id`."""
    asker_id: Any = bindparam("asker_id", type_=BigInteger)
    return Person(asker_id, "", role)


def token_for(person: Person | None, scopes: frozenset[Scope]) -> Token:
    """Return a token with the scopes that its person still has, whatever it had when it was created."""
    if person is None:
        return Token(None, Role.OPERATOR, scopes)
    return Token(person.id, person.role, scopes & person.scopes)


def may(asker: Asker, scope: Scope) -> bool:
    return scope in asker.scopes


def visible(asker: Asker, unit_id: ColumnElement[str] = units.c.id) -> ColumnElement[bool]:
    """Return the condition that the asker may see a row's unit. `unit_id` is the column with the id of the unit."""
    if asker.role in SEE_ALL:
        return true()
    if asker.role is Role.INSTALLER:
        at_work = (unit_installers.c.person_id == asker.id, unit_installers.c.until_ms.is_(None))
        return unit_id.in_(select(unit_installers.c.unit_id).where(*at_work))
    return at_home(asker, unit_id)


def at_home(asker: Asker, unit_id: ColumnElement[str] = units.c.id) -> ColumnElement[bool]:
    """Return the condition that the asker owns the row's unit, or that its owner shares it with them."""
    # One IN list, for which SQLite uses the index of `unit_id`. With two conditions joined by OR it would read every
    # unit.
    owned = select(units.c.id).where(units.c.owner_id == asker.id)
    return unit_id.in_(owned.union_all(select(members.c.unit_id).where(members.c.person_id == asker.id)))
