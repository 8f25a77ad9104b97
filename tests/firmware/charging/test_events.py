"""Are events handed over in their order, none twice, and is none lost without a count?"""

from firmware.charging.events import SIZE, Ring


def taken(ring):
    found = []
    event = ring.take()
    while event is not None:
        found.append(event)
        event = ring.take()
    return found


def test_a_new_ring_is_empty():
    ring = Ring()
    assert ring.take() is None and ring.dropped == 0


def test_they_come_out_in_order_however_often_it_has_gone_round():
    ring = Ring()
    for first in range(1, 10 * SIZE, 7):
        for number in range(first, first + 7):
            ring.put(number)
        assert taken(ring) == list(range(first, first + 7))
    assert ring.dropped == 0


def test_a_full_ring_drops_the_new_ones_and_counts_them():
    ring = Ring()
    for number in range(SIZE):
        ring.put(number + 1)
    assert ring.dropped == 0
    ring.put(0)
    ring.put(0)
    assert ring.dropped == 2
    assert ring.take() == 1
    ring.put(SIZE + 1)
    assert taken(ring) == list(range(2, SIZE + 2)) and ring.dropped == 2
