"""Select the outages of ours that excuse a unit: those of its own path (paths.py). Pure.

The store keeps, with each gap of a unit, the path that the unit was on before the gap. So the unit's path is known for
all times: until the end of a gap it is the path of that gap, and after the last gap it is the present one. If the path
is not known, the unit may have been connected to any node, and every outage excuses it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cloud_bridge.contact import Gap, merged
from cloud_bridge.paths import ALL, EVERY


class PathGap(NamedTuple):
    """A gap with its path. For an outage of ours: the path that did not listen. For a gap of a unit: its path
    before."""

    from_ms: int
    to_ms: int
    path: int


def excuses(deaf: int, path: int) -> bool:
    """Return whether an outage of the path `deaf` can explain a gap of a unit on `path`. Numbers up to EVERY belong to
    no node: the unit's path is then unknown."""
    return deaf in (ALL, path) or path <= EVERY


def outages_of(ours: Iterable[PathGap], unit_gaps: Sequence[PathGap], path: int) -> list[Gap]:
    """Return the parts of our outages that excuse the unit, without overlaps. `unit_gaps` must not overlap and must be
    sorted oldest first; `path` is the unit's present path."""
    ends_ms = [gap.to_ms for gap in unit_gaps]
    paths = [*(gap.path for gap in unit_gaps), path]
    found: list[Gap] = []
    for gap in ours:
        begin_ms, at = gap.from_ms, bisect_right(ends_ms, gap.from_ms)
        while begin_ms < gap.to_ms:
            end_ms = min([gap.to_ms, *ends_ms[at : at + 1]])
            if excuses(gap.path, paths[at]):
                found.append(Gap(begin_ms, end_ms))
            begin_ms, at = end_ms, at + 1
    return merged(found)
