"""The times at which things are due outside the main thread's regular turns (main_rest.py)."""

import heapq
from sys import getrefcount

from hil_tests.years.moving import Note, Now

ONLY_OURS = 2  # references: one from DueTimes, one from the call of getrefcount
FAR_MS = 86_400_000


class DueTimes:
    """Due times outside the regular turns, from the comparisons that turns of one kind make.

    A due time whose stamp the product has dropped is void: nothing will compare with it again. A due time that has
    passed is noticed at the latest at the end of the next turn of this kind, `late_ms` later; until then, no such turn
    is skipped.
    """

    def __init__(self, late_ms: int) -> None:
        self._late_ms = late_ms
        self._due: list[tuple[int, int]] = []  # (due time, id of its stamp or 0), a heap
        self._known: set[tuple[int, int]] = set()
        self._stamps: dict[int, tuple[Now, set[int]]] = {}  # by id: the stamp, and its due times

    def knows(self, note: Note) -> bool:
        return (note.at_ms, id(note.stamp) if note.stamp is not None else 0) in self._known

    def drop(self, note: Note) -> None:
        """Forget a due time that another DueTimes holds from now on, because every turn makes the comparison."""
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
        """Return the first due time that no turn has noticed yet, or FAR_MS from now if there is none."""
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
