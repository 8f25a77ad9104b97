"""Gaps between two contacts of a unit, found while its messages are stored.

The process that hears a unit remembers its last contact, so nearly every message shows by itself that there was no gap. One
that shows a gap, or the first message that this process hears of the unit, is a claim: another process may have heard the
unit since. Then the store is asked for the last contacts, in the same transaction and with their rows locked.

Processes may commit in another order than they have heard. A message that is older than the last contact in the store is
looked for among the gaps that are stored: one that it lies in is no gap, or ends with it and begins with it anew. So the gaps
are the same in the end, whoever commits first.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from cloud_bridge.contact import GAP_AFTER_MS, Gap
from cloud_bridge.store.inbound_message import InboundMessage
from cloud_bridge.store.row_order import in_parts, lock_in_order
from cloud_bridge.store.tables import contact_gaps, contacts
from cloud_bridge.store.upsert import insert_new

OVERTAKEN_AFTER_MS = 1000  # a message that waited for longer to be stored may be older than another process's


class Found(NamedTuple):
    """What the messages of a batch show, each list in the order of the messages."""

    gaps: list[tuple[str, Gap]]  # of a unit, that end with a message
    overtaken: list[tuple[str, int]]  # a unit, and when it was heard; the store has a later contact of it already
    first: dict[str, int]  # when a unit was heard that the store may not have known to be heard before
    paths: Mapping[str, int] = {}  # in a cluster: that each unit with a gap was on when it was heard last


def is_claim(message: InboundMessage) -> bool:
    """Whether, as far as the process remembers, the message ends a gap or is the unit's first."""
    return message.previous_ms is None or message.received_ms - message.previous_ms > GAP_AFTER_MS


def needs_question(messages: Iterable[InboundMessage], now_ms: int) -> bool:
    """Whether the store has to be asked for the last contacts before these messages are written, at `now_ms`."""
    return any(now_ms - one.received_ms > OVERTAKEN_AFTER_MS or is_claim(one) for one in messages)


def locked_last_contacts(connection: Connection, unit_ids: list[str], believable_ms: int) -> dict[str, int]:
    """Of those of the units, in order, that were heard and whose last contact is not later than `believable_ms`. Nobody
    else changes them until the transaction ends."""
    lock_in_order(connection, contacts.c.unit_id, unit_ids)
    known: dict[str, int] = {}
    for some in in_parts(unit_ids):
        query = select(contacts.c.unit_id, contacts.c.last_contact_ms).where(contacts.c.unit_id.in_(some))
        known.update((unit_id, at_ms) for unit_id, at_ms in connection.execute(query) if at_ms <= believable_ms)
    return known


def find_gaps(messages: Iterable[InboundMessage], stored_ms: Mapping[str, int]) -> Found:
    """`messages` in the order of arrival of each unit; `stored_ms` are the last contacts in the store. Pure."""
    found = Found([], [], {})
    last_ms = dict(stored_ms)
    for one in messages:
        before_ms = last_ms.get(one.unit_id)
        is_overtaken = before_ms is not None and one.received_ms < before_ms
        if is_overtaken:
            found.overtaken.append((one.unit_id, one.received_ms))
        elif before_ms is not None and is_claim(one):
            gap = Gap(max(before_ms, one.previous_ms or 0), one.received_ms)
            if gap.to_ms - gap.from_ms > GAP_AFTER_MS:
                found.gaps.append((one.unit_id, gap))
        if one.previous_ms is None and (before_ms is None or is_overtaken):
            found.first[one.unit_id] = min(one.received_ms, found.first.get(one.unit_id, one.received_ms))
        last_ms[one.unit_id] = max(one.received_ms, before_ms or 0)
    return found


def paths_before(connection: Connection, found: Found) -> dict[str, int]:
    """Of the units with gaps; to be asked before their contacts are written."""
    paths: dict[str, int] = {}
    for some in in_parts(sorted({unit_id for unit_id, _ in found.gaps})):
        query = select(contacts.c.unit_id, contacts.c.shard).where(contacts.c.unit_id.in_(some))
        paths.update((unit_id, path) for unit_id, path in connection.execute(query))
    return paths


def split(gap: Gap, heard_ms: Iterable[int]) -> list[Gap]:
    """What is left of a gap in which the unit was heard after all. Pure."""
    inside = sorted(at_ms for at_ms in heard_ms if gap.from_ms < at_ms < gap.to_ms)
    ends = [gap.from_ms, *inside, gap.to_ms]
    return [Gap(*pair) for pair in zip(ends, ends[1:], strict=False) if pair[1] - pair[0] > GAP_AFTER_MS]


def record_gaps(connection: Connection, found: Found) -> None:
    """The caller holds the contacts of these units. The path is known of the gap that began with the stored contact, and of
    none that began with a later message."""
    paths = dict(found.paths)
    rows = [{"unit_id": unit_id, **gap._asdict(), "path": paths.pop(unit_id, None)} for unit_id, gap in found.gaps]
    heard_ms: dict[str, list[int]] = {}
    for unit_id, at_ms in found.overtaken:
        heard_ms.setdefault(unit_id, []).append(at_ms)
    for some in in_parts(sorted(heard_ms)):
        earliest_ms = min(min(heard_ms[unit_id]) for unit_id in some)
        query = select(contact_gaps).where(contact_gaps.c.unit_id.in_(some), contact_gaps.c.to_ms > earliest_ms)
        for unit_id, from_ms, to_ms, path in connection.execute(query).all():
            gap = Gap(from_ms, to_ms)
            left = split(gap, heard_ms[unit_id])
            if left != [gap]:
                is_it = (contact_gaps.c.unit_id == unit_id, contact_gaps.c.from_ms == gap.from_ms)
                connection.execute(delete(contact_gaps).where(*is_it))
                rows += [
                    {"unit_id": unit_id, **one._asdict(), "path": path if one.from_ms == from_ms else None}
                    for one in left
                ]
    insert_new(connection, contact_gaps, sorted(rows, key=lambda row: str(row["unit_id"])))
