"""Certificate authorities: those that units trust, the one that all are ordered to trust next, and the progress of each
unit.

A unit reports the authorities that it trusts in an event `authority` after each change. The first is the one that
verified its last connection. A unit that has never reported any trusts the one from its console.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from cloud_bridge.store.tables import authorities, contacts, results, units
from cloud_bridge.store.upsert import replace
from cloud_bridge.wire import Event, Message

EVENT = "authority"
TRUSTS = re.compile(r"[0-9a-f]{64}(?: [0-9a-f]{64})?")
ORDER_PREFIX = 16  # characters of the SHA-256 in the id of the command, after `a-`


class Authority(NamedTuple):
    """One authority's certificate."""

    sha256: str  # hexadecimal
    der: str  # base64
    expires_ms: int
    ordered_ms: int | None  # when the units were ordered to trust it; None if they were not
    alone: bool  # units are to drop all others


_OURS = units.c.protocol == "mqtt"  # only units of our own have such a certificate (Protocol of store/units.py)


class Progress(NamedTuple):
    """A unit's progress with an order."""

    unit_id: str
    trusts: str | None  # as reported; None if it has reported none
    refused: str | None  # the reason in its last answer, if that was a refusal


def trusts(message: Message | None) -> str | None:
    """Return the authorities that an event reports, or None if it reports none."""
    if not isinstance(message, Event) or message.kind != EVENT or not message.details:
        return None
    found = message.details.get("trusts")
    return found if isinstance(found, str) and TRUSTS.fullmatch(found) else None


def know(connection: Connection, authority: Authority) -> None:
    """Store the authority that units got on their consoles. A stored one is not changed."""
    if find(connection, authority.sha256) is None:
        replace(connection, authorities, [authority._asdict()])


def order(connection: Connection, authority: Authority) -> None:
    """Order all units to trust this authority. It replaces an earlier order."""
    replace(connection, authorities, [authority._asdict()])


def find(connection: Connection, sha256: str) -> Authority | None:
    row = connection.execute(select(authorities).where(authorities.c.sha256 == sha256)).first()
    return None if row is None else Authority(*row)


def ordered(connection: Connection) -> Authority | None:
    """Return the authority of the newest order, or None."""
    query = select(authorities).where(authorities.c.ordered_ms.is_not(None))
    row = connection.execute(query.order_by(authorities.c.ordered_ms.desc(), authorities.c.sha256)).first()
    return None if row is None else Authority(*row)


def lacking(connection: Connection, wanted: Authority, heard_since_ms: int, after: str, limit: int) -> list[Progress]:
    """Return units that have not carried out the order and were heard since then, sorted by id, after `after`."""
    query = (
        select(units.c.id, units.c.authorities)
        .join(contacts, contacts.c.unit_id == units.c.id)
        .where(_is_lacking(wanted), contacts.c.last_contact_ms >= heard_since_ms, units.c.id > after)
        .where(_OURS)
    )
    return [Progress(*row, None) for row in connection.execute(query.order_by(units.c.id).limit(limit))]


def unconfirmed(connection: Connection, wanted: Authority, limit: int) -> list[Progress]:
    """Return units that have had no connection verified by the ordered authority yet, or still trust another that they
    are to drop, with the reason of a refusal."""
    is_other = or_(units.c.authorities.is_(None), ~units.c.authorities.startswith(wanted.sha256))
    query = select(units.c.id, units.c.authorities).where(_OURS, or_(is_other, _is_lacking(wanted)))
    rows = connection.execute(query.order_by(units.c.id).limit(limit)).all()
    return [Progress(unit_id, said, _refusal(connection, unit_id, wanted)) for unit_id, said in rows]


def in_use(connection: Connection, present: str | None, until_ms: int) -> list[tuple[Authority, int]]:
    """Return the known authorities that expire before `until_ms` and verified the last connection of any unit, with the
    number of these units, earliest expiry first. A unit without a report counts for `present`. If any authority
    expires, this reads all units."""
    ends = select(authorities).where(authorities.c.expires_ms < until_ms)
    ending = sorted((Authority(*row) for row in connection.execute(ends)), key=lambda one: one.expires_ms)
    if not ending:
        return []
    used = case((units.c.authorities.is_(None), present or ""), else_=func.substr(units.c.authorities, 1, 64))
    counts = {
        sha256: count for sha256, count in connection.execute(select(used, func.count()).where(_OURS).group_by(used))
    }
    return [(one, counts[one.sha256]) for one in ending if one.sha256 in counts]


def trusted_by(connection: Connection, unit_id: str) -> str:
    """Return the authorities that the unit has reported, or "" if it has reported none."""
    return connection.execute(select(units.c.authorities).where(units.c.id == unit_id)).scalar_one_or_none() or ""


def used_by(connection: Connection, unit_id: str, present: str | None) -> Authority | None:
    """Return the authority that verified the unit's last connection, or None if we do not have its certificate."""
    sha256 = trusted_by(connection, unit_id)[:64] or present
    return None if sha256 is None else find(connection, sha256)


def _is_lacking(wanted: Authority) -> ColumnElement[bool]:
    said = units.c.authorities
    lacks = or_(said.is_(None), ~said.contains(wanted.sha256))
    if not wanted.alone:
        return lacks
    return or_(lacks, and_(said.startswith(wanted.sha256), said != wanted.sha256))


def _refusal(connection: Connection, unit_id: str, wanted: Authority) -> str | None:
    prefix = f"a-{wanted.sha256[:ORDER_PREFIX]}"
    query = select(results.c.ok, results.c.reason).where(
        results.c.unit_id == unit_id, results.c.command.startswith(prefix)
    )
    row = connection.execute(query.order_by(results.c.id.desc())).first()
    return None if row is None or row.ok else row.reason


def said_by(messages: Sequence[tuple[str, Message | None]]) -> dict[str, str]:
    """Return the last report of authorities of each unit in these messages, by unit id."""
    found: dict[str, Any] = {unit_id: trusts(message) for unit_id, message in messages if trusts(message)}
    return found
