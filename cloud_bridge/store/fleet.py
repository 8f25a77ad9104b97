"""The whole fleet in pages. Every query continues in an index where the previous page ended (keyset pagination)."""

from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Connection, FromClause, Select, String, func, literal, select, tuple_

from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.store.access import Asker, visible
from cloud_bridge.store.duplicates import in_force
from cloud_bridge.store.readable import readable
from cloud_bridge.store.tables import contacts, duplicate_identities, heartbeats, units
from cloud_bridge.store.units import Unit, unit_columns, unit_for
from cloud_bridge.wire import MAX_COUNT

PAGE = 50  # rows
LAST = "\U0010ffff"  # sorts after every stored character
MOST_SILENT = 1000  # silent units that are examined for what they have in common
MOST_SITES = 6  # that are returned


class Order(StrEnum):
    """The order of the fleet."""

    SILENCE = "silence"  # by last contact, oldest first
    NETWORK = "network"  # by network, and within each by last contact, oldest first
    SITE = "site"  # by name, then id
    NEVER = "never"  # only units without contact, by id
    FIRMWARE = "firmware"  # by version; units without a reported version are left out
    DUPLICATE = "duplicate"  # only units whose identity a second charge point uses, by id


KEYS = {  # the unique sort key of each order; an index begins with it
    Order.SILENCE: (contacts.c.last_contact_ms, contacts.c.unit_id),
    Order.NETWORK: (contacts.c.operator, contacts.c.last_contact_ms, contacts.c.unit_id),
    Order.SITE: (units.c.name, units.c.id),
    Order.FIRMWARE: (units.c.firmware, units.c.id),
    Order.NEVER: (units.c.id,),
    Order.DUPLICATE: (duplicate_identities.c.unit_id,),
}


class Page(NamedTuple):
    units: list[Unit]
    after: list[str]  # the keys of the last row, to get the next page; [] on the last page


class SilentSite(NamedTuple):
    """The silent units of one owner, or one silent unit without an owner."""

    names: list[str]  # of the units; the id for a unit without a name
    unit_id: str  # of the first unit


class SilentMinute(NamedTuple):
    """Silent units of one network whose last contacts were within one minute."""

    operator: str  # PLMN digits; "" if not known
    first_ms: int
    last_ms: int
    units: int


def page_of(
    connection: Connection,
    asker: Asker,
    order: Order,
    after: Sequence[str] = (),
    operator: str | None = None,
    now_ms: int = 0,
    firmware: str | None = None,
    backwards: bool = False,
) -> Page:
    """Return the page after the row with the keys `after`. `operator` and `firmware` are filters, Order.DUPLICATE uses
    findings in force at `now_ms`, and `backwards` reverses the order. Raises ValueError if the keys are not valid."""
    keys = KEYS[order]
    query = _query(asker, _rows(order), keys, [key.desc() for key in keys] if backwards else ())
    if after:
        query = query.where(_behind(keys, after, backwards))
    if order is Order.NEVER:
        query = query.where(units.c.first_contact_ms.is_(None))
    if order is Order.DUPLICATE:
        query = query.where(in_force(now_ms))
    if operator is not None:
        query = query.where(contacts.c.operator == operator)
    if order is Order.FIRMWARE:
        query = query.where(units.c.firmware.is_not(None))
    if firmware is not None:
        query = query.where(units.c.firmware == firmware)
    return _page(asker, connection.execute(query.limit(PAGE + 1)).all(), keys)


SEARCHED = {  # the keys that a search uses, one after the other
    "id": (units.c.id_lower, units.c.id),
    "name": (units.c.name_lower, units.c.id),
}


def found_page(connection: Connection, asker: Asker, text: str, after: Sequence[str] = ()) -> Page:
    """Return a page of the units whose id begins with the text, followed by those whose name does; case is ignored.
    Each is a range of an index. Text further inside a name is not found: that would need a scan of all names, or an
    index of words larger than the fleet. Raises ValueError if the keys are not valid."""
    searched, keys_after = list(SEARCHED), after[1:]
    if after:
        searched = searched[searched.index(_whole(after, 3)[0]) :]
    first = func.lower(literal(text, String))

    def begins(column: ColumnElement[str]) -> ColumnElement[bool]:
        return (column >= first) & (column < first.concat(LAST))

    found: list[Any] = []
    for by in searched:
        keys = SEARCHED[by]
        query = _query(asker, _rows(Order.SITE), (literal(by, String), *keys), keys).where(begins(keys[0]))
        if by != "id":
            query = query.where(~begins(units.c.id_lower))
        if keys_after and by == after[0]:
            query = query.where(_behind(keys, keys_after))
        found += connection.execute(query.limit(PAGE + 1 - len(found)))
        if len(found) > PAGE:
            break
    return _page(asker, found, (literal(""), *SEARCHED["id"]))


def _rows(order: Order) -> FromClause:
    """Return the tables of `unit_columns`, joined from the one with the index of the order."""
    if order in (Order.SILENCE, Order.NETWORK):
        rows = contacts.join(units, units.c.id == contacts.c.unit_id)
    elif order is Order.DUPLICATE:
        found = duplicate_identities.join(units, units.c.id == duplicate_identities.c.unit_id)
        rows = found.outerjoin(contacts, contacts.c.unit_id == units.c.id)
    else:
        rows = units.outerjoin(contacts, contacts.c.unit_id == units.c.id)
    rows = rows.outerjoin(heartbeats, heartbeats.c.unit_id == units.c.id)
    if order is Order.DUPLICATE:
        return rows
    return rows.outerjoin(duplicate_identities, duplicate_identities.c.unit_id == units.c.id)


def _query(
    asker: Asker, rows: FromClause, keys: Sequence[ColumnElement[Any]], order: Sequence[ColumnElement[Any]] = ()
) -> Select[Any]:
    """Return a query for the columns of `unit_for`, followed by the keys."""
    query = select(*unit_columns(asker), *keys).select_from(rows).where(visible(asker))
    return query.order_by(*(order or keys))


def _page(asker: Asker, found: Sequence[Any], keys: Sequence[Any]) -> Page:
    shown, size = found[:PAGE], len(keys)
    last = shown[-1][-size:] if len(found) > PAGE else ()
    return Page([unit_for(asker, row[:-size]) for row in shown], [str(key) for key in last])


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
    """Return all silent units by network and minute of the last contact, oldest first within a network."""
    at_ms = contacts.c.last_contact_ms
    columns = (contacts.c.operator, at_ms, at_ms, contacts.c.messages)  # `messages` stands for the count
    return [SilentMinute(*row) for row in readable(columns, connection.execute(_silent_by_minute()))]


def silent_by_site(connection: Connection, asker: Asker) -> list[SilentSite]:
    """Return the sites with silent units, those with most first. At most MOST_SILENT units are read."""
    query = (
        select(units.c.owner_id, units.c.name, units.c.id)
        .select_from(contacts.join(units, units.c.id == contacts.c.unit_id))
        .where(contacts.c.silent_ms.is_not(None), visible(asker))
        .limit(MOST_SILENT)
    )
    found: dict[int | str, SilentSite] = {}
    for owner_id, name, unit_id in connection.execute(query):
        site = found.setdefault(unit_id if owner_id is None else owner_id, SilentSite([], unit_id))
        site.names.append(name or unit_id)
    return sorted(found.values(), key=lambda site: (-len(site.names), site.names[0]))[:MOST_SITES]


def _behind(keys: Sequence[ColumnElement[Any]], after: Sequence[str], backwards: bool = False) -> ColumnElement[bool]:
    last = tuple_(*map(_bound, keys, _whole(after, len(keys))))
    return tuple_(*keys) < last if backwards else tuple_(*keys) > last


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
