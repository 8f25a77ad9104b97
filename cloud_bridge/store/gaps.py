"""Detect gaps between two contacts of a unit while its messages are stored.

The process that receives a unit's messages remembers its last contact, so nearly every message shows by itself that
there was no gap. If a message shows a gap, or is the unit's first in this process, that is only a claim, since another
process may have heard the unit in between. Then the last contacts are read from the store, in the same transaction and
with locked rows.

Processes may commit in another order than they received messages. If a message is older than the stored last contact,
the stored gap that contains it is removed or split at it. So the stored gaps are the same in the end, in whatever order
processes commit.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from cloud_bridge.contact import GAP_AFTER_MS, Gap
from cloud_bridge.store.inbound_message import InboundMessage
from cloud_bridge.store.row_order import in_parts, lock_in_order
from cloud_bridge.store.tables import contact_gaps, contacts
from cloud_bridge.store.upsert import insert_new

OVERTAKEN_AFTER_MS = 1000  # after this wait another process may have stored a later message


class Found(NamedTuple):
    """The result for a batch of messages, each list in their order."""

    gaps: list[tuple[str, Gap]]  # unit id, and a gap that ends with a message
    overtaken: list[tuple[str, int]]  # unit id, and a contact that is older than the stored last contact
    first: dict[str, int]  # the contact of a unit that may be its first ever
    paths: Mapping[str, int] = {}  # in a cluster: the path of each unit with a gap at its previous contact


def is_claim(message: InboundMessage) -> bool:
    """Return whether the message ends a gap or is the unit's first, as far as this process remembers."""
    return message.previous_ms is None or message.received_ms - message.previous_ms > GAP_AFTER_MS


def needs_question(messages: Iterable[InboundMessage], now_ms: int) -> bool:
    """Return whether the last contacts have to be read from the store before these messages are written, at
    `now_ms`."""
    return any(now_ms - one.received_ms > OVERTAKEN_AFTER_MS or is_claim(one) for one in messages)


def locked_last_contacts(connection: Connection, unit_ids: list[str], believable_ms: int) -> dict[str, int]:
    """Lock and return the last contacts of the units, which must be sorted. Units without contact, and last contacts
    later than `believable_ms`, are left out. No other process changes them until the transaction ends."""
    lock_in_order(connection, contacts.c.unit_id, unit_ids)
    known: dict[str, int] = {}
    for some in in_parts(unit_ids):
        query = select(contacts.c.unit_id, contacts.c.last_contact_ms).where(contacts.c.unit_id.in_(some))
        known.update((unit_id, at_ms) for unit_id, at_ms in connection.execute(query) if at_ms <= believable_ms)
    return known


def find_gaps(messages: Iterable[InboundMessage], stored_ms: Mapping[str, int]) -> Found:
    """Find the gaps. `messages` are in the order of arrival for each unit; `stored_ms` are the stored last contacts.
    Pure."""
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
    """Return the stored paths of the units with gaps. Call this before their contacts are written."""
    paths: dict[str, int] = {}
    for some in in_parts(sorted({unit_id for unit_id, _ in found.gaps})):
        query = select(contacts.c.unit_id, contacts.c.shard).where(contacts.c.unit_id.in_(some))
        paths.update((unit_id, path) for unit_id, path in connection.execute(query))
    return paths


def split(gap: Gap, heard_ms: Iterable[int]) -> list[Gap]:
    """Split a gap at contacts inside it. Return the parts that are still gaps. Pure."""
    inside = sorted(at_ms for at_ms in heard_ms if gap.from_ms < at_ms < gap.to_ms)
    ends = [gap.from_ms, *inside, gap.to_ms]
    return [Gap(*pair) for pair in zip(ends, ends[1:], strict=False) if pair[1] - pair[0] > GAP_AFTER_MS]


def record_gaps(connection: Connection, found: Found) -> None:
    """Store the gaps. The caller must have locked the contacts of these units. The path is known only for a gap that
    began with the stored contact, not for one that began with a later message."""
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
