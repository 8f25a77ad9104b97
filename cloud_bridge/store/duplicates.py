"""Units whose identity a second charge point uses too, as detected by duplicate_identity.py.

A finding is in force until there was no return for CLEAR_AFTER_MS, or until the unit gets a new secret or is revoked.
After that at most one of the two can log in, and earlier evidence proves nothing.
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
    last_ms: int  # the newest return
    boot: int  # the boot count of the charge point that was heard last
    other_boot: int  # that of the other; it may be equal


def record_duplicates(connection: Connection, found: Mapping[str, Evidence], believable_ms: int) -> None:
    """Store findings by unit id. Returns from before the unit got its present secret do not count, unless the secret
    has a timestamp after `believable_ms`, from a clock that was ahead."""
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
    for row in rows:  # replace a finding that has ended, so that the new one has a new id: alerts go by id
        has_ended = or_(old.last_ms < row["last_ms"] - CLEAR_AFTER_MS, old.last_ms > believable_ms)
        connection.execute(delete(duplicate_identities).where(old.unit_id == row["unit_id"], has_ended))
    statement = insert_into(connection.dialect.name, duplicate_identities)
    values = {name: statement.excluded[name] for name in ("last_ms", "boot", "other_boot")}
    connection.execute(statement.on_conflict_do_update(index_elements=["unit_id"], set_=values), rows)


def forget_duplicate(connection: Connection, unit_id: str) -> None:
    """Delete the unit's finding, because its secret was changed or revoked."""
    connection.execute(delete(duplicate_identities).where(duplicate_identities.c.unit_id == unit_id))


def count_duplicates(connection: Connection, now_ms: int) -> int:
    """Return the number of units with a finding in force."""
    return connection.execute(select(func.count()).where(in_force(now_ms))).scalar_one()


def in_force(now_ms: int) -> ColumnElement[bool]:
    """Return the condition that a finding is in force. Findings with a time in the future, from a wrong clock, are
    not."""
    return duplicate_identities.c.last_ms.between(now_ms - CLEAR_AFTER_MS, now_ms + FUTURE_MS)


def duplicate_of(row: Sequence[int | None]) -> Duplicate | None:
    """Return the finding in the columns DUPLICATE_COLUMNS, or None if there is none or it is not valid."""
    if row[0] is None:
        return None
    found = readable(DUPLICATE_COLUMNS, [row])
    return Duplicate(*found[0]) if found else None


DUPLICATE_COLUMNS = tuple(duplicate_identities.c[name] for name in Duplicate._fields)
