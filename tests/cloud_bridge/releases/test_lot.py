"""Does each ring have its number of units, whoever is away, and has every unit the same chance?"""

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.releases.lot import Lot, draw, lot_of, read_lot, write_lot
from cloud_bridge.releases.roll_out_states import ring_ends


def rings_of(lot: Lot, heard: int, away: int, dice: random.Random) -> tuple[list[int], list[int]]:
    """Return the rings of all units that were in contact, and of all that were not."""
    shares = [lot.heard, lot.away]
    found: tuple[list[int], list[int]] = ([], [])
    for index, number in enumerate((heard, away)):
        for _ in range(number):
            ring, shares[index] = draw(shares[index], dice)
            found[index].append(ring)
    return found


@given(st.integers(0, 300), st.integers(0, 300), st.integers())
def test_every_ring_has_its_number_and_those_that_were_heard_come_first(heard: int, away: int, seed: int) -> None:
    if not heard + away:
        return
    is_heard = heard > 0
    lot = lot_of("first", is_heard, heard, away)
    of_heard, of_away = rings_of(lot, heard - is_heard, away - (not is_heard), random.Random(seed))
    ends = ring_ends(heard + away)
    drawn = Counter([0, *of_heard, *of_away])
    assert [sum(drawn[ring] for ring in range(end + 1)) for end in range(4)] == list(ends)
    early = [ring for ring in of_away if ring < 3]
    assert not early or 3 not in of_heard


def test_every_unit_has_the_same_chance() -> None:
    dice = random.Random(5)
    places: Counter[int] = Counter()
    for _ in range(2000):
        found, _ = rings_of(lot_of("first", True, 41, 0), 40, 0, dice)
        places.update(index for index, ring in enumerate(found) if ring == 2)
    assert set(places) == set(range(40))
    assert max(places.values()) < 2 * min(places.values())


def test_a_unit_that_nobody_has_counted_is_in_the_last_ring() -> None:
    assert draw(lot_of("first", True, 1, 0).away, random.Random(1))[0] == 3


def test_what_is_left_comes_back_from_the_store() -> None:
    lot = lot_of("x" * 36, True, 10_000_000, 10_000_000)._replace(after="y" * 36)
    assert read_lot(write_lot(lot)) == lot
    assert len(write_lot(lot)) <= 300
