"""Assignment of units to people: a driver claims a unit with the code on its label, an installer is assigned to it for
work.

An installer sees a unit from the time when it is assigned to them or a job is raised with them (jobs.py). This ends
when the job is closed or given back (job_moves.py), another installer is assigned, the unit changes hands, or the
operator withdraws them. The next job at the unit goes to the installer who was there last, and gives them access again.
What they did and measured in a closed job stays readable to them.
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
    """No unit has the code, or the unit has another owner. The text is for the person who typed the code."""


def as_printed(typed: str) -> str:
    """Return a typed code as it is printed on the label. Spaces, dashes and case do not matter."""
    plain = unicodedata.normalize("NFKC", typed).upper()
    symbols = "".join(symbol for symbol in plain if symbol.isalnum())[: CLAIM_LENGTH + 1]
    return "-".join(symbols[at : at + GROUP] for at in range(0, len(symbols), GROUP))


def claim_hash_of(code: str) -> str:
    """Return the hash of a code, however it was typed."""
    return hash_of(as_printed(code))


def claim(connection: Connection, person: Person, code: str, now_ms: int) -> str:
    """Claim the unit with this code for a person, and return its id. Claiming it again changes nothing. Raises
    ClaimRefused."""
    return claim_by_hash(connection, person, claim_hash_of(code), now_ms)


def claim_by_hash(connection: Connection, person: Person, claim_hash: str, now_ms: int) -> str:
    """Claim a unit like `claim`, by the hash of a code that was given earlier."""
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
    """Return the id of the unit with this code if it has no owner, or None."""
    query = select(units.c.id).where(units.c.claim_hash == claim_hash, units.c.owner_id.is_(None))
    return connection.execute(query).scalar()


def was_owned(connection: Connection, claim_hash: str) -> bool:
    """Return whether the unit with this code has no owner now but had one before, whose settings it may still have."""
    query = select(units.c.id).where(
        units.c.claim_hash == claim_hash, units.c.owner_id.is_(None), units.c.owned_from_ms > 0
    )
    return connection.execute(query).scalar() is not None


def new_code(connection: Connection, unit_id: str) -> str:
    """Replace the code of a unit, and return the new one. The code on its label is not valid any more. Raises
    BridgeError if there is no such unit."""
    code = new_claim_code()
    changed = connection.execute(update(units).where(units.c.id == unit_id).values(claim_hash=hash_of(code)))
    if changed.rowcount == 0:
        raise BridgeError(f"there is no unit {unit_id}")
    return code


def is_code_of(connection: Connection, unit_id: str, code: str) -> bool:
    """Return whether this is the unit's present code."""
    kept_hash = connection.execute(select(units.c.claim_hash).where(units.c.id == unit_id)).scalar()
    return matches(as_printed(code), kept_hash)


def release(connection: Connection, unit_id: str, owner_id: int | None = None, *, now_ms: int) -> bool:
    """Remove the owner of a unit; with `owner_id` only if it is that person. Return False if nothing was changed.

    Its name, time zone and tariff are deleted. The rows until now stay the former owner's (ownership.py)."""
    statement = update(units).where(units.c.id == unit_id, units.c.owner_id.is_not(None))
    if owner_id is not None:
        statement = statement.where(units.c.owner_id == owner_id)
    if connection.execute(statement.values(owner_id=None)).rowcount == 0:
        return False
    end_ownership(connection, unit_id, now_ms)
    return True


def assign(connection: Connection, unit_id: str, installer: Person, now_ms: int) -> None:
    """Give an installer access to a unit, instead of any other installer, and assign an open job there to them.
    Assigning twice changes nothing. Raises BridgeError if the person is not an installer."""
    if installer.role is not Role.INSTALLER:
        raise BridgeError(f"{installer.name} is not an installer but a {installer.role}")
    give_sight(connection, unit_id, installer.id, now_ms)
    reassign_open(connection, unit_id, installer.id, now_ms)


def withdraw(connection: Connection, unit_id: str, person_id: int, now_ms: int) -> bool:
    """Remove an installer's access to a unit, and take an open job there from them. Return False if they had no
    access."""
    give_back_open(connection, unit_id, person_id, now_ms)
    statement = delete(unit_installers).filter_by(unit_id=unit_id, person_id=person_id)
    return connection.execute(statement).rowcount == 1
