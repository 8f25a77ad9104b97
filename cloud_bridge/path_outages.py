"""Which of the times in which we did not listen excuse a unit: those in which its own path was deaf (paths.py). Pure.

The store has with each gap of a unit the path that it was on when it was heard before. So its path is known of all times: up
to the end of a gap it is that one's, and after the last gap that of now. Where it is not known the unit may have been behind
any node, so that every gap of ours excuses it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cloud_bridge.contact import Gap, merged
from cloud_bridge.paths import ALL, EVERY


class PathGap(NamedTuple):
    """Of ours: in which `path` was deaf. Of a unit: which was on `path` before."""

    from_ms: int
    to_ms: int
    path: int


def excuses(deaf: int, path: int) -> bool:
    """Whether a gap of the path `deaf` may have kept a unit on `path` from being heard. A path up to EVERY is none of a
    node's, and so not known."""
    return deaf in (ALL, path) or path <= EVERY


def outages_of(ours: Iterable[PathGap], unit_gaps: Sequence[PathGap], path: int) -> list[Gap]:
    """The parts of our gaps that excuse the unit, without overlaps. Its gaps do not overlap and stand oldest first; `path` is
    that of now."""
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
