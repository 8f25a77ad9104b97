"""Clock readings that record when a comparison with them will change its result.

The firmware reads its clock and compares: `now_ms - self._told_ms >= interval_ms`. A `Now` is such a reading. It is an
int that stays a Now in sums, differences and floor divisions. Each comparison notes in `NOTES` when its result will
change. After a stretch in which nothing happened, the earliest note is therefore the time at which the next timer is
due, without a list of the product's timers. The code that executes the product empties `NOTES`.

A reading moves only at the moment at which it was made. If it is kept, and later compared with a newer reading, it is a
constant.
"""

from collections.abc import Callable
from typing import Any, NamedTuple


class Note(NamedTuple):
    """The result of a comparison changes at `at_ms` of the world's clock. `stamp` is the older reading in it, or None."""

    at_ms: int
    stamp: "Now | None"


class Notes:
    """The notes made so far. `now_ms` is the world's clock. The code that advances the clock sets it."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.noted: list[Note] = []

    def take(self) -> list[Note]:
        taken, self.noted = self.noted, []
        return taken


NOTES = Notes()
_new_int = int.__new__


class Now(int):
    """floor(ms / per), where ms moves by `slope` (1 or -1) per millisecond of the world's clock, from `made_ms` on."""

    ms: int
    made_ms: int
    per: int = 1  # defaults as class attributes: 100,000 readings a second are made, and most have these
    slope: int = 1
    stamp: "Now | None" = None

    def __new__(cls, ms: int, made_ms: int, slope: int = 1, per: int = 1, stamp: "Now | None" = None) -> "Now":
        value = _new_int(cls, ms if per == 1 else ms // per)
        value.ms, value.made_ms = ms, made_ms
        if slope != 1:
            value.slope = slope
        if per != 1:
            value.per = per
        if stamp is not None:
            value.stamp = stamp
        return value

    @property
    def moves(self) -> bool:
        """Return whether the reading was made at this moment."""
        return self.made_ms == NOTES.now_ms

    def _moved(self, by: int, stamp: "Now | None") -> "Now":
        return Now(self.ms + by * self.per, self.made_ms, self.slope, self.per, self.stamp if stamp is None else stamp)

    # Sums.

    def __add__(self, other: int) -> Any:
        if type(other) is int and self.made_ms == NOTES.now_ms:
            return self._moved(other, None) if other else self
        if not isinstance(other, int):
            return NotImplemented
        theirs = other if isinstance(other, Now) and other.moves else None
        if not self.moves:
            return theirs._moved(int(self), None) if theirs is not None else int(self) + int(other)
        if theirs is not None:
            self._at(1)
            return int(self) + int(other)
        return self._moved(int(other), other if isinstance(other, Now) else None)

    __radd__ = __add__

    def __sub__(self, other: int) -> Any:
        if type(other) is int and self.made_ms == NOTES.now_ms:
            return self._moved(-other, None)
        if not isinstance(other, int):
            return NotImplemented
        theirs = other if isinstance(other, Now) and other.moves else None
        if self.moves and theirs is not None:
            if (self.slope, self.per) != (theirs.slope, theirs.per):
                self._at(1)
            return int(self) - int(other)
        if self.moves:
            return self._moved(-int(other), other if isinstance(other, Now) else None)
        return theirs._from(int(self), self) if theirs is not None else int(self) - int(other)

    def __rsub__(self, other: int) -> Any:
        if not isinstance(other, int):
            return NotImplemented
        return self._from(int(other), None) if self.moves else int(other) - int(self)

    def _from(self, value: int, stamp: "Now | None") -> "Now":
        """Return `value` minus this reading: floor(-ms / per), corrected for what floor takes away."""
        ms = value * self.per - self.ms + self.per - 1
        return Now(ms, self.made_ms, -self.slope, self.per, self.stamp if stamp is None else stamp)

    def __neg__(self) -> Any:
        return self._from(0, None) if self.moves else -int(self)

    # Divisions.

    def __floordiv__(self, other: int) -> Any:
        if not self.moves or not isinstance(other, int) or other <= 0:
            return int(self) // other
        return Now(self.ms, self.made_ms, self.slope, self.per * int(other), self.stamp)

    def __mod__(self, other: int) -> Any:
        rest = int(self) % other
        if not self.moves or not isinstance(other, int) or other <= 0:
            return rest
        base = int(self) - rest
        self._ge(base)
        self._ge(base + other)
        return self._moved(-base, None)

    # Comparisons: each is built from one or two of the form "at least".

    def _is_simple(self, other: object) -> bool:
        """Return whether this is a reading of now compared with a plain int, which is the common case."""
        return type(other) is int and self.made_ms == NOTES.now_ms

    def _at(self, in_ms: int) -> None:
        NOTES.noted.append(Note(self.made_ms + in_ms, self.stamp))

    def _ge(self, value: int, stamp: "Now | None" = None) -> None:
        edge = value * self.per - self.ms  # ms to the point from which "at least value" holds
        if self.slope > 0:
            if edge > 0:
                NOTES.noted.append(Note(self.made_ms + edge, self.stamp if stamp is None else stamp))
        elif edge <= 0:
            NOTES.noted.append(Note(self.made_ms - edge + 1, self.stamp if stamp is None else stamp))

    def _compare(self, other: Any, edges: tuple[int, ...], outcome: Callable[[int, Any], bool]) -> bool:
        if isinstance(other, Now) and other.moves:
            if not self.moves:
                return other._compare(
                    self, tuple(1 - edge for edge in edges), lambda ours, theirs: outcome(int(self), int(other))
                )
            if (self.slope, self.per) != (other.slope, other.per):
                self._at(1)
        elif self.moves and isinstance(other, int):
            for edge in edges:
                self._ge(int(other) + edge, other if isinstance(other, Now) else None)
        return outcome(int(self), other)

    def __lt__(self, other: Any) -> bool:
        if self._is_simple(other):
            self._ge(other)
            return int.__lt__(self, other)
        return self._compare(other, (0,), int.__lt__)

    def __le__(self, other: Any) -> bool:
        if self._is_simple(other):
            self._ge(other + 1)
            return int.__le__(self, other)
        return self._compare(other, (1,), int.__le__)

    def __gt__(self, other: Any) -> bool:
        if self._is_simple(other):
            self._ge(other + 1)
            return int.__gt__(self, other)
        return self._compare(other, (1,), int.__gt__)

    def __ge__(self, other: Any) -> bool:
        if self._is_simple(other):
            self._ge(other)
            return int.__ge__(self, other)
        return self._compare(other, (0,), int.__ge__)

    def __eq__(self, other: object) -> bool:
        return self._compare(other, (0, 1), int.__eq__)

    def __ne__(self, other: object) -> bool:
        return self._compare(other, (0, 1), int.__ne__)

    __hash__ = int.__hash__

    def __bool__(self) -> bool:
        return self != 0
