"""Figures of many nights: how much of the promise is held, in total, by trouble and by announcement."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from cloud_bridge.readiness.telling import News
from hil_tests.bench.readiness.lived import Lived

ANNOUNCED, FALSE = 0.99, 0.01  # the promise

Is = Callable[[Lived], bool]


class Counted(NamedTuple):
    """A table: each row begins with its name, and the last row is of all nights."""

    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


class Figure(NamedTuple):
    """A line of the report: `some` of `of`."""

    name: str
    some: int
    of: int

    def __str__(self) -> str:
        share = f" of {self.of:,} ({self.some / self.of:.2%})" if self.of else ""
        return f"{self.name}: {self.some:,}{share}"


class Nights:
    """The results of all nights."""

    def __init__(self, nights: Sequence[Lived]) -> None:
        self.nights = nights
        self._misses = [one for one in nights if one.is_miss]
        self._in_good_time = [one for one in nights if one.has_begun]
        self._said = [one for one in nights if one.was_told_miss]

    def held(self) -> bool:
        """Return whether enough misses with an early cause were announced, and few enough announcements of a miss were
        false."""
        announced, false = sum(map(is_announced, self._in_good_time)), sum(map(is_false, self._said))
        return announced >= ANNOUNCED * len(self._in_good_time) and false <= FALSE * len(self._said)

    def figures(self) -> list[Figure]:
        misses, begun, said = self._misses, self._in_good_time, self._said
        seen = [one for one in begun if one.could_be_seen]
        late = [one for one in misses if not one.has_begun]
        ready = [one for one in self.nights if one.is_ready]
        line = [one for one in self.nights if one.is_on_the_line]
        return [
            Figure("misses", len(misses), len(self.nights)),
            Figure(
                "  within half a point of the line, counted as neither: announced", sum(map(is_told, line)), len(line)
            ),
            Figure("all misses, announced three hours before", sum(map(is_announced, misses)), len(misses)),
            Figure(
                "their cause begins three hours before: announced by then", sum(map(is_announced, begun)), len(begun)
            ),
            Figure("  and it could be seen by then", sum(map(is_announced, seen)), len(seen)),
            Figure("  announced as certain", sum(one.is_announced and is_certain(one) for one in begun), len(begun)),
            Figure("their cause begins later: announced when it was seen", sum(map(is_told, late)), len(late)),
            Figure("announcements of a miss that were false", sum(map(is_false, said)), len(said)),
            Figure("  of nights in which it was ready", sum(map(is_false, ready)), len(ready)),
            Figure("announcements that made somebody plug it in", sum(one.was_right for one in said), len(said)),
            Figure("told “we do not know”, and it was ready", sum(map(is_needless, ready)), len(ready)),
        ]

    def missed(self) -> list[Lived]:
        return [one for one in self.nights if one.is_missed]

    def false(self) -> list[Lived]:
        return [one for one in self.nights if one.is_false]

    def by_trouble(self) -> Counted:
        """Count by trouble. A night with several troubles is in several rows."""
        return self._by(lambda one: one.troubles or ("none",), "trouble")

    def by_told(self) -> Counted:
        """Count by what drivers were told."""
        return self._by(
            lambda one: (f"{one.told or News.TAKEN_BACK}: {one.reason}" if one.reason else "nothing",), "told"
        )

    def _by(self, names_of: Callable[[Lived], Iterable[str]], title: str) -> Counted:
        found: dict[str, list[Lived]] = {}
        for one in self.nights:
            for name in names_of(one):
                found.setdefault(name, []).append(one)
        rows = [*sorted(found.items()), ("all nights", list(self.nights))]
        return Counted(
            (title, *COLUMNS),
            [(name, *(str(sum(map(is_it, some))) for is_it in COLUMNS.values())) for name, some in rows],
        )


def is_announced(one: Lived) -> bool:
    return one.is_announced


def is_told(one: Lived) -> bool:
    return one.told is not None


def is_certain(one: Lived) -> bool:
    return one.told is News.WILL_MISS


def is_false(one: Lived) -> bool:
    return one.is_false


def is_needless(one: Lived) -> bool:
    """Return whether the driver was told that nobody knows, although the vehicle was ready."""
    return one.is_ready and not one.was_told_miss and bool(one.reason)


COLUMNS: dict[str, Is] = {
    "nights": lambda _: True,
    "misses": lambda one: one.is_miss,
    "in good time": lambda one: one.has_begun,
    "announced": lambda one: one.has_begun and one.is_announced,
    "missed": lambda one: one.is_missed,
    "false": is_false,
    "not known, ready": is_needless,
}
