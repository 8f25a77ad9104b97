"""The ways into a NATS cluster, and for how long we have listened on each of them. Pure: every time is handed in.

A path is the whole way of a message: a node's door, the stream, a worker and the database. Each node has a canary of its
own, so each path has its own count of the time in which we listened (contact.UptimeLedger argues why verdicts go by it).
Any worker may be handed any canary, so the count is the store's and no process's: `heard` says what one changes there.

The doors for OCPP are one path together (`heard_at_doors`): a proxy in front chooses one for each charger, and another when
the charger comes again, so any of them that is deaf may be the one that does not hear it.

The path of a unit is that of the node it is connected to. One whose node is not known is on EVERY path at once: that count
grows only while all nodes are heard, so a unit that may be behind a deaf one is never called silent.
"""

import zlib
from collections.abc import Collection, Mapping
from typing import NamedTuple

from cloud_bridge.contact import ALL as ALL
from cloud_bridge.contact import OUTAGE_AFTER_MS, Gap, Listened, gap_between, is_believable

EVERY = 1000  # the number of a unit's path while its node is not known; above those of ingest/shard.py
_MAX_NUMBER = 2**31 - 1  # of the column


def path_number(node: str) -> int:
    """Of the node's name alone, so that it stays when nodes are added, moved or taken away."""
    return EVERY + 1 + zlib.crc32(node.encode()) % (_MAX_NUMBER - EVERY)


OCPP = path_number("doors for OCPP")  # no node has a name with spaces
OCPP_NAME = "OCPP"  # for people


class Heard(NamedTuple):
    """What a canary changes."""

    rows: dict[int, Listened]  # by path: those that are other ones now
    gap: Gap | None  # in which its path was deaf, and which it ends


def heard(
    known: Mapping[int, Listened], path: int, at_ms: int, latest_ms: int, paths: Collection[int], now_ms: int
) -> Heard:
    """A canary of one of `paths` came through at `at_ms`; `known` is what the store has of them.

    What lies between two canaries in time is added to the path's count. EVERY follows the path that is furthest behind,
    and leaves out what was a gap of any.
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
        rows[EVERY] = every._replace(until_ms=at_ms)  # nothing of it is counted
    elif all(number in present for number in paths):
        untils_ms = [present[number].until_ms for number in paths]
        common_ms = max(untils_ms) if every is None else min(untils_ms)
        if every is None or common_ms > every.until_ms or not is_believable(every.until_ms, now_ms):
            rows[EVERY] = _until(every, common_ms, latest_ms)
    return Heard(rows, gap)


def heard_at_doors(known: Listened | None, marks_ms: Collection[int], latest_ms: int, now_ms: int) -> Heard:
    """A canary has come through one of the doors for OCPP; `marks_ms` are the newest of each, and `known` is what the store
    has of their path. It follows the door that is furthest behind."""
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
    """The nodes whose canary has not come through for longer than it may take, by name."""
    return sorted(
        node
        for number, node in paths.items()
        if number not in known or now_ms - known[number].until_ms > OUTAGE_AFTER_MS
    )
