"""Do units that lose their connections at the same time reconnect at different times?"""

from collections import Counter
from random import Random

import pytest

from firmware.link.backoff import (
    BACKOFF_LAST_MS,
    FIRST_LAST_MS,
    REFUSED_BACKOFF_LAST_MS,
    UNHEARD_BACKOFF_LAST_MS,
    again_ms,
    first_ms,
    unheard_ms,
)

UNITS = 1000


def test_a_street_whose_mains_come_back_does_not_come_in_one_second():
    waits_ms = [first_ms("power_on", False, Random(seed).randint) for seed in range(UNITS)]
    in_one_second = Counter(wait_ms // 1000 for wait_ms in waits_ms)
    assert max(waits_ms) <= FIRST_LAST_MS
    assert max(in_one_second.values()) <= 1.5 * UNITS * 1000 / FIRST_LAST_MS


def test_nobody_waits_who_is_alone():
    assert first_ms("watchdog", False, Random(0).randint) == first_ms("soft", False, Random(0).randint) == 0
    assert first_ms("power_on", True, Random(0).randint) == 0


def test_units_that_lost_one_network_spread_further_with_every_failure():
    longest_ms = [
        max(again_ms(failures, False, Random(seed).randint) for seed in range(UNITS)) for failures in range(8)
    ]
    assert longest_ms == sorted(longest_ms)
    assert 900 <= longest_ms[0] <= 1000 and BACKOFF_LAST_MS * 0.99 <= longest_ms[-1] <= BACKOFF_LAST_MS


@pytest.mark.parametrize(
    ("failures", "refused", "most_ms"),
    [
        (0, False, 1000),
        (1, False, 2000),
        (3, False, 8000),
        (4, False, BACKOFF_LAST_MS),
        (4, True, 16000),
        (9, True, 512000),
        (10, True, REFUSED_BACKOFF_LAST_MS),
        (1000, True, REFUSED_BACKOFF_LAST_MS),
    ],
)
def test_each_failure_doubles_the_longest_wait_and_none_is_too_short_to_be_drawn(
    failures: int, refused: bool, most_ms: int
) -> None:
    assert again_ms(failures, refused, lambda lowest, highest: lowest) == 0
    assert again_ms(failures, refused, lambda lowest, highest: highest) == most_ms
    assert first_ms("brown_out", False, lambda lowest, highest: (highest, lowest)) == (FIRST_LAST_MS, 0)


def test_a_network_that_refuses_is_asked_seldom():
    waits_ms = [again_ms(10, True, Random(seed).randint) for seed in range(UNITS)]
    assert sum(waits_ms) / UNITS > REFUSED_BACKOFF_LAST_MS * 0.4 and max(waits_ms) <= REFUSED_BACKOFF_LAST_MS


def test_a_broker_that_acknowledges_nothing_is_left_alone_longer_each_time():
    longest_ms = [max(unheard_ms(count, Random(seed).randint) for seed in range(UNITS)) for count in range(1, 12)]
    assert longest_ms == sorted(longest_ms)
    assert longest_ms[0] <= 10_000 and UNHEARD_BACKOFF_LAST_MS * 0.99 <= longest_ms[-1] <= UNHEARD_BACKOFF_LAST_MS
