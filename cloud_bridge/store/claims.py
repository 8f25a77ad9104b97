"""A unit becomes a driver's with the code on its label, and an installer's as work. Both can be undone.

An installer sees a unit from the day it is assigned to them, or a job is raised with them (jobs.py), until the job is closed
or given back (job_moves.py), another installer is assigned, the unit changes hands, or the operator withdraws them. The next
job at the unit goes to the installer who was there last, and gives them the sight back. What they did and measured in a job
that was closed stays readable to them.
"""

import unicodedata

from sqlalchemy import Connection, delete, select, update

from cloud_bridge.errors import BridgeError
from cloud_bridge.store.access import Person, Role
from cloud_bridge.store.job_moves import give_back_open, reassign_open
from cloud_bridge.store.ownership import begin_ownership, end_ownership
from cloud_bridge.store.secrets import CLAIM_LENGTH, hash_of, matches, new_claim_code
from cloud_bridge.store.sights import give_sight
from cloud_bridge.store.tables import unit_installers, units
from cloud_bridge.words import gettext as _

GROUP = 4  # symbols between the dashes on the label


class ClaimRefused(BridgeError):
    """The code is no unit's, or the unit has an owner; the text is for the person who typed it."""


def as_printed(typed: str) -> str:
    """The code as it stands on the label, whatever spaces, dashes and small letters it was typed with."""
    plain = unicodedata.normalize("NFKC", typed).upper()
    symbols = "".join(symbol for symbol in plain if symbol.isalnum())[: CLAIM_LENGTH + 1]
    return "-".join(symbols[at : at + GROUP] for at in range(0, len(symbols), GROUP))


def claim_hash_of(code: str) -> str:
    """Of a code, however it is typed."""
    return hash_of(as_printed(code))


def claim(connection: Connection, person: Person, code: str, now_ms: int) -> str:
    """The id of the unit that is now the person's. Claiming one's own again changes nothing. Raises ClaimRefused."""
    return claim_by_hash(connection, person, claim_hash_of(code), now_ms)


def claim_by_hash(connection: Connection, person: Person, claim_hash: str, now_ms: int) -> str:
    """As `claim`, with a code that was shown to us before."""
    unit = connection.execute(
        select(units.c.id, units.c.owner_id).where(units.c.claim_hash == claim_hash)
    ).one_or_none()
    if unit is None:
        raise ClaimRefused(_("no charger has this code: check it against the label"))
    taken = connection.execute(
        update(units)
        .where(units.c.id == unit.id, units.c.owner_id.is_(None))
        .values(owner_id=person.id, claimed_ms=now_ms)
    )
    if taken.rowcount == 1:
        begin_ownership(connection, unit.id, person.id, now_ms)
    elif unit.owner_id != person.id:
        raise ClaimRefused(
            _("this charger belongs to another account: ask its owner to release it, or ask us for help")
        )
    unit_id: str = unit.id
    return unit_id


def unclaimed_unit(connection: Connection, claim_hash: str) -> str | None:
    """The id of the unit with this code, if it is nobody's now."""
    query = select(units.c.id).where(units.c.claim_hash == claim_hash, units.c.owner_id.is_(None))
    return connection.execute(query).scalar()


def was_owned(connection: Connection, claim_hash: str) -> bool:
    """Whether the unit of this code is nobody's now and has been somebody's: it may still have their settings."""
    query = select(units.c.id).where(
        units.c.claim_hash == claim_hash, units.c.owner_id.is_(None), units.c.owned_from_ms > 0
    )
    return connection.execute(query).scalar() is not None


def new_code(connection: Connection, unit_id: str) -> str:
    """In place of the one on the label, which is of no use from now on. Raises BridgeError when there is no such unit."""
    code = new_claim_code()
    changed = connection.execute(update(units).where(units.c.id == unit_id).values(claim_hash=hash_of(code)))
    if changed.rowcount == 0:
        raise BridgeError(f"there is no unit {unit_id}")
    return code


def is_code_of(connection: Connection, unit_id: str, code: str) -> bool:
    """Whether it is the code on the unit's label."""
    kept_hash = connection.execute(select(units.c.claim_hash).where(units.c.id == unit_id)).scalar()
    return matches(as_printed(code), kept_hash)


def release(connection: Connection, unit_id: str, owner_id: int | None = None, *, now_ms: int) -> bool:
    """The unit is nobody's again. With `owner_id` only if it is that person's; False when nothing was released.

    Its name, time zone and tariff go. The rows of the time until now stay the former owner's (ownership.py)."""
    statement = update(units).where(units.c.id == unit_id, units.c.owner_id.is_not(None))
    if owner_id is not None:
        statement = statement.where(units.c.owner_id == owner_id)
    if connection.execute(statement.values(owner_id=None)).rowcount == 0:
        return False
    end_ownership(connection, unit_id, now_ms)
    return True


def assign(connection: Connection, unit_id: str, installer: Person, now_ms: int) -> None:
    """The installer may look at the unit from now on, and no other; an open job there is theirs. Assigning twice changes
    nothing. Raises BridgeError."""
    if installer.role is not Role.INSTALLER:
        raise BridgeError(f"{installer.name} is no installer but a {installer.role}")
    give_sight(connection, unit_id, installer.id, now_ms)
    reassign_open(connection, unit_id, installer.id, now_ms)


def withdraw(connection: Connection, unit_id: str, person_id: int, now_ms: int) -> bool:
    """The installer has no more to do with the unit, and an open job there is nobody's. False: they had nothing to do with
    it before."""
    give_back_open(connection, unit_id, person_id, now_ms)
    statement = delete(unit_installers).filter_by(unit_id=unit_id, person_id=person_id)
    return connection.execute(statement).rowcount == 1
