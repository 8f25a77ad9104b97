"""When things are due that are not of the main strand's rhythm (main_rest.py)."""

import heapq
from sys import getrefcount

from hil_tests.years.moving import Note, Now

ONLY_OURS = 2  # references: that of DueTimes, and the question's own
FAR_MS = 86_400_000


class DueTimes:
    """When things are due that are not of the rhythm, of the comparisons that turns of one sort make.

    One whose stamp the product has let go of is not due any more: nobody will compare with it again. One that is over may be
    seen as late as the next turn of that sort ends, so none of those is rested over meanwhile.
    """

    def __init__(self, late_ms: int) -> None:
        self._late_ms = late_ms
        self._due: list[tuple[int, int]] = []  # when, and the id of its stamp or 0
        self._known: set[tuple[int, int]] = set()
        self._stamps: dict[int, tuple[Now, set[int]]] = {}  # each with when it is due

    def knows(self, note: Note) -> bool:
        return (note.at_ms, id(note.stamp) if note.stamp is not None else 0) in self._known

    def drop(self, note: Note) -> None:
        """Every turn makes it: another DueTimes has it."""
        due = (note.at_ms, id(note.stamp) if note.stamp is not None else 0)
        if due in self._known:
            self._forget(due)

    def add(self, note: Note) -> None:
        stamp = note.stamp
        due = (note.at_ms, 0 if stamp is None else id(stamp))
        if due in self._known:
            return
        self._known.add(due)
        heapq.heappush(self._due, due)
        if stamp is not None:
            self._stamps.setdefault(id(stamp), (stamp, set()))[1].add(note.at_ms)

    def next_ms(self, now_ms: int) -> int:
        """The first that nobody has seen yet, or FAR_MS from now."""
        while self._due and (
            self._due[0] not in self._known
            or self._due[0][0] + self._late_ms <= now_ms
            or self._is_gone(self._due[0][1])
        ):
            self._forget(heapq.heappop(self._due))
        return self._due[0][0] if self._due else now_ms + FAR_MS

    def _is_gone(self, stamp_id: int) -> bool:
        return stamp_id != 0 and getrefcount(self._stamps[stamp_id][0]) <= ONLY_OURS

    def _forget(self, due: tuple[int, int]) -> None:
        if due not in self._known:
            return
        self._known.discard(due)
        at_ms, stamp_id = due
        if stamp_id:
            left = self._stamps[stamp_id][1]
            left.discard(at_ms)
            if not left:
                del self._stamps[stamp_id]
