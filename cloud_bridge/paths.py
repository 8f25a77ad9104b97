"""The paths into a NATS cluster, and the listening time of each. Pure: every time is passed in.

A path is the whole way of a message: a node's listener, the stream, a worker and the database. Each node has its own
canary, so each path has its own listening time (contact.UptimeLedger explains why contact states go by it). Any worker
may receive any canary, so the listening times are kept in the store; `heard` computes what a canary changes there.

The OCPP doors together are one path (`heard_at_doors`). A proxy in front chooses a door for each charger, and another
one when the charger reconnects, so an outage of any door may be the reason why a charger is not heard.

The path of a unit is that of the node to which it is connected. A unit whose node is not known is on the path EVERY.
The listening time of EVERY grows only while all nodes are listening, so a unit is never called silent because of an
outage.
"""

import zlib
from collections.abc import Collection, Mapping
from typing import NamedTuple

from cloud_bridge.contact import ALL as ALL
from cloud_bridge.contact import OUTAGE_AFTER_MS, Gap, Listened, gap_between, is_believable

EVERY = 1000  # the number of a unit's path while its node is not known; above those of ingest/shard.py
_MAX_NUMBER = 2**31 - 1  # the largest value of the column


def path_number(node: str) -> int:
    """Return the path number of a node. It depends on the node's name alone, so it stays the same when nodes are added,
    moved or removed."""
    return EVERY + 1 + zlib.crc32(node.encode()) % (_MAX_NUMBER - EVERY)


OCPP = path_number("doors for OCPP")  # no node has a name with spaces
OCPP_NAME = "OCPP"  # the name that is shown


class Heard(NamedTuple):
    """The changes that a canary makes to the store."""

    rows: dict[int, Listened]  # changed rows, by path
    gap: Gap | None  # the outage of its path that it ends, if any


def heard(
    known: Mapping[int, Listened], path: int, at_ms: int, latest_ms: int, paths: Collection[int], now_ms: int
) -> Heard:
    """Compute the changes for a canary of `path`, one of `paths`, that came through at `at_ms`. `known` are the stored
    rows.

    If it came in time, the time since the previous canary is added to the path's listening time. EVERY follows the path
    that is furthest behind, and does not count outages of any path.
    """
    before = known.get(path)
    if before is not None and before.until_ms >= at_ms and is_believable(before.until_ms, now_ms):
        return Heard({}, None)
    is_possible = before is not None and is_believable(before.until_ms, now_ms)
    gap = gap_between(before.until_ms, at_ms) if before is not None and is_possible else None
    row = _until(before, at_ms, latest_ms)
    rows = {path: row}
    every = known.get(EVERY)
    present = {**known, path: row}
    if every is not None and (before is None or gap is not None) and at_ms > every.until_ms:
        rows[EVERY] = every._replace(until_ms=at_ms)  # the outage is not counted
    elif all(number in present for number in paths):
        untils_ms = [present[number].until_ms for number in paths]
        common_ms = max(untils_ms) if every is None else min(untils_ms)
        if every is None or common_ms > every.until_ms or not is_believable(every.until_ms, now_ms):
            rows[EVERY] = _until(every, common_ms, latest_ms)
    return Heard(rows, gap)


def heard_at_doors(known: Listened | None, marks_ms: Collection[int], latest_ms: int, now_ms: int) -> Heard:
    """Compute the changes for a canary of an OCPP door. `marks_ms` are the newest canaries of all doors, and `known` is
    the stored row of their path. The path follows the door that is furthest behind."""
    common_ms = min(marks_ms)
    is_possible = known is not None and is_believable(known.until_ms, now_ms)
    if known is not None and is_possible and common_ms <= known.until_ms:
        return Heard({}, None)
    gap = gap_between(known.until_ms, common_ms) if known is not None and is_possible else None
    return Heard({OCPP: _until(known, common_ms, latest_ms)}, gap)


def _until(before: Listened | None, at_ms: int, latest_ms: int) -> Listened:
    if before is None:
        return Listened(at_ms, 0, latest_ms)
    passed_ms = at_ms - before.until_ms
    return Listened(at_ms, before.total_ms + (passed_ms if 0 <= passed_ms <= OUTAGE_AFTER_MS else 0), latest_ms)


def deaf(known: Mapping[int, Listened], paths: Mapping[int, str], now_ms: int) -> list[str]:
    """Return the names, sorted, of the nodes whose canary has been missing for more than OUTAGE_AFTER_MS or never
    came."""
    return sorted(
        node
        for number, node in paths.items()
        if number not in known or now_ms - known[number].until_ms > OUTAGE_AFTER_MS
    )
