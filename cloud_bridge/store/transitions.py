"""The changes to silent and back, as noticed: the only part of "online or silent" that is stored, because alerts follow
it.

Every step is a compare-and-set on the last contact on which the decision was based, so that a contact in the same
millisecond takes precedence, and two processes notice a change only once. A contact that another transaction is
changing is left for the next look: the unit is being heard, or its process has halted in the middle, and the silences
of other units do not wait for that.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, bindparam, case, func, select, tuple_, update

from cloud_bridge.contact import Contact, StoredContact
from cloud_bridge.store.ownership import Period, within
from cloud_bridge.store.tables import contacts, transitions, units

SOONEST_MS = 5 * 60 * 1000  # no unit is silent earlier; a unit heard within this time need not be checked


class Overdue(NamedTuple):
    """A unit that may be silent; the caller decides whether it is."""

    unit_id: str
    silent_after_ms: int
    contact: StoredContact


@cache
def _overdue(shards: int) -> Select[Any]:
    """The query for this number of shards. It reads the whole table, 100,000 rows in 20 ms: an index on `listened_ms`
    would cost more, since every message changes that column."""
    by_shard: list[tuple[ColumnElement[int], ColumnElement[int]]] = [
        (bindparam(f"shard_{at}"), bindparam(f"listened_{at}", type_=BigInteger)) for at in range(shards)
    ]
    listened_ms: ColumnElement[int] = case(*((contacts.c.shard == shard, ms) for shard, ms in by_shard))
    return (
        select(
            contacts.c.unit_id,
            units.c.silent_after_ms,
            contacts.c.last_contact_ms,
            contacts.c.listened_ms,
            contacts.c.latest_ms,
            contacts.c.shard,
        )
        .join(units, units.c.id == contacts.c.unit_id)
        .where(
            contacts.c.silent_ms.is_(None),
            contacts.c.listened_ms < listened_ms - SOONEST_MS,
            contacts.c.listened_ms < listened_ms - units.c.silent_after_ms,
        )
    )


@cache
def _back() -> Select[Any]:
    return select(contacts.c.unit_id).where(
        contacts.c.silent_ms.is_not(None), contacts.c.last_contact_ms != contacts.c.silent_ms
    )


def overdue(connection: Connection, listened_ms: Mapping[int, int]) -> list[Overdue]:
    """The units that are not known to be silent, but according to the store have not been heard for longer than they
    may be silent, counting only the time their shard has listened. `listened_ms` is how long each shard has listened in
    total."""
    times: dict[str, int] = {}
    for at, (shard, ms) in enumerate(listened_ms.items()):
        times |= {f"shard_{at}": shard, f"listened_{at}": ms}
    return [
        Overdue(unit_id, silent_after_ms, StoredContact(*contact))
        for unit_id, silent_after_ms, *contact in connection.execute(_overdue(len(listened_ms)), times)
    ]


def back(connection: Connection) -> list[str]:
    """The units that were noticed silent and have been heard since. Their last contact then differs; it is earlier if
    the silence was noticed by a clock that was ahead."""
    return list(connection.execute(_back()).scalars())


def mark_silent(connection: Connection, seen: Sequence[tuple[str, int]], now_ms: int) -> list[str]:
    """Mark units as silent, each given with the last contact on which that is based. Returns those marked now; the
    others have been heard since, or another process was first."""
    free = _locked(connection, [unit_id for unit_id, _ in seen])
    seen = [one for one in seen if one[0] in free]
    judged = tuple_(contacts.c.unit_id, contacts.c.last_contact_ms).in_(seen)
    statement = update(contacts).where(judged, contacts.c.silent_ms.is_(None))
    return _noted(connection, statement.values(silent_ms=contacts.c.last_contact_ms), Contact.SILENT, now_ms)


def mark_back(connection: Connection, unit_ids: Sequence[str], now_ms: int) -> list[str]:
    """Mark units as back. Returns those marked now; for the others another process was first."""
    heard = contacts.c.last_contact_ms != contacts.c.silent_ms
    statement = update(contacts).where(contacts.c.unit_id.in_(_locked(connection, unit_ids)), heard)
    return _noted(connection, statement.values(silent_ms=None), Contact.ONLINE, now_ms)


def _locked(connection: Connection, unit_ids: Sequence[str]) -> set[str]:
    """The units whose contacts this transaction could lock without waiting."""
    query = select(contacts.c.unit_id).where(contacts.c.unit_id.in_(unit_ids)).order_by(contacts.c.unit_id)
    return set(connection.execute(query.with_for_update(skip_locked=True)).scalars())


def _noted(connection: Connection, statement: Any, contact: Contact, now_ms: int) -> list[str]:
    changed = connection.execute(statement.returning(contacts.c.unit_id, contacts.c.last_contact_ms)).all()
    rows = [
        {"unit_id": row.unit_id, "at_ms": now_ms, "contact": contact.value, "last_contact_ms": row.last_contact_ms}
        for row in changed
    ]
    if rows:
        connection.execute(transitions.insert(), rows)
    return [row.unit_id for row in changed]


def flaps(connection: Connection, period: Period, since_ms: int) -> int:
    """How often the unit has fallen silent since `since_ms`."""
    query = select(func.count()).where(
        within(transitions, period),
        transitions.c.at_ms >= since_ms,
        transitions.c.contact == Contact.SILENT.value,
    )
    return connection.execute(query).scalar_one()
