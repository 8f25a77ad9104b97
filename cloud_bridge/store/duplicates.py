"""Units whose identity a second charge point has too, as found by duplicate_identity.py.

A finding is in force until CLEAR_AFTER_MS have passed without a return, or until the unit gets a new secret or is
revoked: then one of the two at most can log in, and what was noticed before proves nothing.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select

from cloud_bridge.contact import FUTURE_MS
from cloud_bridge.duplicate_identity import CLEAR_AFTER_MS, Evidence, is_conclusive
from cloud_bridge.store.readable import readable
from cloud_bridge.store.tables import duplicate_identities, units
from cloud_bridge.store.upsert import insert_into


class Duplicate(NamedTuple):
    """A finding."""

    since_ms: int  # the first return
    last_ms: int  # the newest one
    boot: int  # boot counts of the two, the one that was heard last first; they may be equal
    other_boot: int


def record_duplicates(connection: Connection, found: Mapping[str, Evidence], believable_ms: int) -> None:
    """Store what was found of units, by id. Returns from before the unit got its present secret do not count, unless a
    clock that was ahead has stamped the secret later than `believable_ms`."""
    rows = []
    changed = select(units.c.id, units.c.credentials_ms).where(units.c.id.in_(found))
    for unit_id, credentials_ms in sorted(connection.execute(changed).all()):
        one = found[unit_id]
        is_wrong = credentials_ms > believable_ms
        returns = [back for back in one.returns if is_wrong or back.at_ms > credentials_ms]
        if is_conclusive(returns):
            times = {"since_ms": returns[0].at_ms, "last_ms": returns[-1].at_ms}
            rows.append({"unit_id": unit_id, **times, "boot": one.boot, "other_boot": one.other_boot})
    if not rows:
        return
    old = duplicate_identities.c
    for row in rows:  # one that has ended gives way to a new one, and so to a new id: alerts follow ids
        has_ended = or_(old.last_ms < row["last_ms"] - CLEAR_AFTER_MS, old.last_ms > believable_ms)
        connection.execute(delete(duplicate_identities).where(old.unit_id == row["unit_id"], has_ended))
    statement = insert_into(connection.dialect.name, duplicate_identities)
    values = {name: statement.excluded[name] for name in ("last_ms", "boot", "other_boot")}
    connection.execute(statement.on_conflict_do_update(index_elements=["unit_id"], set_=values), rows)


def forget_duplicate(connection: Connection, unit_id: str) -> None:
    """The unit's secret was changed or taken away."""
    connection.execute(delete(duplicate_identities).where(duplicate_identities.c.unit_id == unit_id))


def count_duplicates(connection: Connection, now_ms: int) -> int:
    """Units with a finding that is in force."""
    return connection.execute(select(func.count()).where(in_force(now_ms))).scalar_one()


def in_force(now_ms: int) -> ColumnElement[bool]:
    """The condition that a finding still holds. One of the future was stamped by a clock that was wrong."""
    return duplicate_identities.c.last_ms.between(now_ms - CLEAR_AFTER_MS, now_ms + FUTURE_MS)


def duplicate_of(row: Sequence[int | None]) -> Duplicate | None:
    """Of the columns DUPLICATE_COLUMNS; None where the unit has no finding, and for one that is not valid."""
    if row[0] is None:
        return None
    found = readable(DUPLICATE_COLUMNS, [row])
    return Duplicate(*found[0]) if found else None


DUPLICATE_COLUMNS = tuple(duplicate_identities.c[name] for name in Duplicate._fields)
