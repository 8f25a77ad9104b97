"""Is a unit excused by an outage of its own path, or of any path if its own is unknown, and by no other?"""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as some

from cloud_bridge.contact import Gap
from cloud_bridge.path_outages import PathGap, excuses, outages_of
from cloud_bridge.paths import ALL, EVERY, path_number

N1, N2, N3 = (path_number(name) for name in ("n1", "n2", "n3"))
END = 60
nodes = some.sampled_from((N1, N2, N3))
known = nodes | some.sampled_from((1, EVERY))


@some.composite
def our_gaps(draw: some.DrawFn) -> list[PathGap]:
    made = draw(
        some.lists(some.tuples(some.integers(0, END), some.integers(1, 20), nodes | some.just(ALL)), max_size=6)
    )
    return [PathGap(from_ms, from_ms + length, path) for from_ms, length, path in made]


@some.composite
def unit_gaps(draw: some.DrawFn) -> list[PathGap]:
    """Draw gaps, oldest first, that do not overlap."""
    ends = sorted(draw(some.sets(some.integers(0, END), max_size=8)))
    return [PathGap(*pair, draw(known)) for pair in list(pairwise(ends))[::2]]


def path_at(moment: int, gaps: list[PathGap], path: int) -> int:
    """The oracle: return the path of the gap that has not ended yet, or comes next."""
    return next((gap.path for gap in gaps if moment < gap.to_ms), path)


@given(our_gaps(), unit_gaps(), known)
def test_each_moment_is_excused_if_its_path_was_deaf(ours: list[PathGap], gaps: list[PathGap], path: int) -> None:
    found = outages_of(ours, gaps, path)
    for moment in range(END + 30):
        deaf = {gap.path for gap in ours if gap.from_ms <= moment < gap.to_ms}
        on = path_at(moment, gaps, path)
        is_excused = bool(deaf) if on <= EVERY else bool(deaf & {ALL, on})
        assert any(gap.from_ms <= moment < gap.to_ms for gap in found) == is_excused, moment
    assert all(one.to_ms < next_one.from_ms for one, next_one in pairwise(found)), "in order, and no overlap"


def test_with_one_of_three_nodes_gone_its_units_alone_are_excused() -> None:
    ours, gap = [PathGap(100, 200, N2)], (90, 210)
    assert outages_of(ours, [PathGap(*gap, N2)], N1) == [Gap(100, 200)], "it was behind it, and has moved since"
    assert outages_of(ours, [PathGap(*gap, N1)], N2) == []
    assert outages_of(ours, [PathGap(*gap, EVERY)], N1) == [Gap(100, 200)], "nobody knows"
    assert outages_of(ours, [], N2) == [Gap(100, 200)] and outages_of(ours, [], N3) == []


def test_before_there_were_paths_every_gap_excuses() -> None:
    assert all(excuses(ALL, path) for path in (1, EVERY, N1))
    assert all(excuses(deaf, 1) for deaf in (ALL, N1, N2))
