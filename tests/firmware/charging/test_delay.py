"""Is the random delay within its bounds, to the second, and counted down in any case?"""

import os

from firmware.charging.delay import Delay, draw_s

DRAWS, DELAYS = 12020, 601
# Chi-square with 600 degrees of freedom exceeds this once in a million runs (Wilson and Hilferty's approximation).
LIMIT = 600 * (1 - 2 / (9 * 600) + 4.7534 * (2 / (9 * 600)) ** 0.5) ** 3


def test_the_draw_covers_0_to_600_and_nothing_else():
    """[R11a]"""
    draws = [draw_s(600, lambda count, number=number: number.to_bytes(count, "big")) for number in range(1202)]
    assert sorted(set(draws)) == list(range(601))


def test_the_longest_can_be_raised_to_1800():
    """[R11b]"""
    assert (
        max(draw_s(1800, lambda count, number=number: number.to_bytes(count, "big")) for number in range(1801)) == 1800
    )


def test_it_counts_down_to_the_second_and_can_be_cancelled():
    """[R11c]"""
    delay = Delay()
    assert not delay.running() and delay.left_s(0) == 0
    delay.begin(1000, 600)
    assert delay.left_s(1000) == 600 and delay.left_s(1001) == 600 and delay.left_s(2000) == 599
    assert delay.left_s(600999) == 1 and delay.left_s(601000) == 0
    delay.cancel()
    assert not delay.running()


def test_ten_thousand_draws_are_evenly_spread():
    """[R11a]"""
    counts = [0] * DELAYS
    for _ in range(DRAWS):
        counts[draw_s(600, os.urandom)] += 1
    expected = DRAWS / DELAYS
    assert sum((count - expected) ** 2 / expected for count in counts) < LIMIT
