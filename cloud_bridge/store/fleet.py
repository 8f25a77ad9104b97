"""The whole fleet, a page at a time. Every query walks an index from where the page before ended, and stops early."""

from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, Select, func, literal, select, tuple_

from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.store.access import Asker, visible
from cloud_bridge.store.duplicates import in_force
from cloud_bridge.store.readable import readable
from cloud_bridge.store.tables import contacts, duplicate_identities, heartbeats, units
from cloud_bridge.store.units import Unit, unit_columns, unit_for
from cloud_bridge.wire import MAX_COUNT

PAGE = 50  # rows


class Order(StrEnum):
    """By what the fleet is laid out."""

    SILENCE = "silence"  # not heard for longest first
    NETWORK = "network"  # and within each, not heard for longest first
    SITE = "site"  # by name, those without one by id
    NEVER = "never"  # only those that were never heard, by id
    DUPLICATE = "duplicate"  # only those whose identity a second charge point has too, by id


KEYS = {  # what tells a row from every other, in the order's own order; an index begins with it
    Order.SILENCE: (contacts.c.last_contact_ms, contacts.c.unit_id),
    Order.NETWORK: (contacts.c.operator, contacts.c.last_contact_ms, contacts.c.unit_id),
    Order.SITE: (units.c.name, units.c.id),
    Order.NEVER: (units.c.id,),
    Order.DUPLICATE: (units.c.id,),
}


class Page(NamedTuple):
    units: list[Unit]
    after: list[str]  # the keys of the last row, for `page_of` the next; empty on the last page


class SilentMinute(NamedTuple):
    """Units of one network whose last contacts lie within one minute, and that have been noticed silent."""

    operator: str  # PLMN digits; empty while unknown
    first_ms: int
    last_ms: int
    units: int


def page_of(
    connection: Connection,
    asker: Asker,
    order: Order,
    after: Sequence[str] = (),
    operator: str | None = None,
    search: str = "",
    now_ms: int = 0,
) -> Page:
    """The page after the row with these keys. `operator` keeps to one network, `search` to an id's beginning or a part
    of a name, Order.DUPLICATE to what is found at `now_ms`. Raises ValueError for keys that are none."""
    keys, columns = KEYS[order], unit_columns(asker)
    if order in (Order.SILENCE, Order.NETWORK):
        rows = contacts.join(units, units.c.id == contacts.c.unit_id)
    else:
        rows = units.outerjoin(contacts, contacts.c.unit_id == units.c.id)
    query = (
        select(*columns, *keys)
        .select_from(
            rows.outerjoin(heartbeats, heartbeats.c.unit_id == units.c.id).outerjoin(
                duplicate_identities, duplicate_identities.c.unit_id == units.c.id
            )
        )
        .where(visible(asker))
        .order_by(*keys)
        .limit(PAGE + 1)
    )
    if after:
        query = query.where(tuple_(*keys) > tuple_(*map(_bound, keys, _whole(after, len(keys)))))
    if order is Order.NEVER:
        query = query.where(units.c.first_contact_ms.is_(None))
    if order is Order.DUPLICATE:
        query = query.where(in_force(now_ms))
    if operator is not None:
        query = query.where(contacts.c.operator == operator)
    if search:
        found = units.c.id.startswith(search, autoescape=True) | units.c.name.contains(search, autoescape=True)
        query = query.where(found)
    found_rows = connection.execute(query).all()
    shown = found_rows[:PAGE]
    last = shown[-1][len(columns) :] if len(found_rows) > PAGE else ()
    return Page([unit_for(asker, row[: len(columns)]) for row in shown], [str(key) for key in last])


@cache
def _silent_by_minute() -> Select[Any]:
    return (
        select(
            contacts.c.operator,
            func.min(contacts.c.last_contact_ms),
            func.max(contacts.c.last_contact_ms),
            func.count(),
        )
        .where(contacts.c.silent_ms.is_not(None))
        .group_by(contacts.c.operator, contacts.c.last_contact_ms // MINUTE_MS)
        .order_by(contacts.c.operator, func.min(contacts.c.last_contact_ms))
    )


def silent_by_minute(connection: Connection) -> list[SilentMinute]:
    """All that are noticed silent, by network and minute of the last contact, oldest first within a network."""
    at_ms = contacts.c.last_contact_ms
    columns = (contacts.c.operator, at_ms, at_ms, contacts.c.messages)  # the last: a count
    return [SilentMinute(*row) for row in readable(columns, connection.execute(_silent_by_minute()))]


def _whole(after: Sequence[str], size: int) -> Sequence[str]:
    if len(after) != size:
        raise ValueError(f"{size} keys are needed")
    return after


def _bound(key: Any, value: str) -> Any:
    if not isinstance(key.type, BigInteger):
        return literal(value, key.type)
    number = int(value)
    if abs(number) > MAX_COUNT:
        raise ValueError("no column has a number as large as this")
    return literal(number, key.type)
