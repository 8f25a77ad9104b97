"""Does the unit learn after what time a network drops idle connections, with few lost ones, and ignore other causes?"""

import pytest

from firmware.link.idle_span import FIRST_MS, FORGOTTEN_MS, LEAST_MS, THEN_MS, TRIAL_EVERY_MS, IdleSpan

HOUR_MS = 3600000


def lived(forgets_ms, hours, beat_ms=FIRST_MS, span=None):
    """Return (connections, the last idle time allowed, pings) after some hours on a network that drops after `forgets_ms`."""
    span = span or IdleSpan()
    now_ms, connections, messages = 0, 1, 0
    span.connected(now_ms, "23415", True)
    while now_ms < hours * HOUR_MS:
        silence_ms = min(span.ms, beat_ms)
        now_ms += silence_ms
        messages += 1
        if silence_ms > forgets_ms:
            span.died(silence_ms)
            now_ms += 40000
            connections += 1
            span.connected(now_ms, "23415", True)
        else:
            span.survived(now_ms, silence_ms)
    return connections, span.ms, messages


@pytest.mark.parametrize("forgets_s", [27, 45, 60, 61, 90, 119, 120, 150, 200, 240, 290, 299, 400, 600, 900, 1079])
def test_it_is_learned_within_six_hours_by_few_connections(forgets_s):
    connections, span_ms, _ = lived(forgets_s * 1000, 6)
    assert connections <= 7
    assert 0.6 * forgets_s * 1000 <= span_ms <= forgets_s * 1000


def test_a_network_that_forgets_nothing_costs_no_message_more():
    assert lived(10 * FIRST_MS, 24) == (1, FIRST_MS, 24 * HOUR_MS // FIRST_MS)


def test_what_nobody_can_keep_alive_is_not_tried_for_ever():
    connections, span_ms, _ = lived(LEAST_MS - 1000, 1)
    assert span_ms == LEAST_MS
    span = IdleSpan()
    lived(LEAST_MS - 1000, 1, span=span)
    assert not span.died(LEAST_MS)  # then the network itself fails


def test_a_day_later_the_whole_is_tried_again():
    span = IdleSpan()
    lived(60000, 6, span=span)
    assert span.ms < 61000
    now_ms = 6 * HOUR_MS + FORGOTTEN_MS
    span.survived(now_ms, 50000)
    assert span.ms == FIRST_MS


def test_a_silence_after_which_the_network_was_gone_teaches_nothing():
    span = IdleSpan()
    span.connected(0, "23415", True)
    assert span.died(120000)
    span.connected(200000, "23415", False)
    assert span.ms == FIRST_MS


def test_another_network_has_its_own():
    span = IdleSpan()
    lived(60000, 6, span=span)
    span.connected(6 * HOUR_MS, "23410", True)
    assert span.ms == FIRST_MS


def test_a_connection_that_died_while_it_was_busy_did_not_die_of_silence():
    span = IdleSpan()
    span.connected(0, "23415", True)
    assert not span.died(LEAST_MS - 1)
    span.connected(1000, "23415", True)
    assert span.ms == FIRST_MS


@pytest.mark.parametrize(
    "died_ms, span_ms",
    [
        (LEAST_MS, LEAST_MS),
        (2 * LEAST_MS + 2, LEAST_MS + 1),
        (200000, 100000),
        (2 * THEN_MS, THEN_MS),
        (FIRST_MS, THEN_MS),
    ],
)
def test_after_a_death_half_of_its_silence_is_allowed(died_ms, span_ms):
    span = IdleSpan()
    span.connected(0, "23415", True)
    assert span.died(died_ms)
    span.connected(1000, "23415", True)
    assert span.ms == span_ms


def test_after_another_death_what_has_survived_is_allowed():
    span = IdleSpan()
    span.connected(0, "23415", True)
    span.died(200000)
    span.connected(0, "23415", True)
    span.survived(0, 90000)
    span.survived(1, 80000)
    span.survived(TRIAL_EVERY_MS - 1, 1000)
    assert span.ms == 100000
    span.survived(TRIAL_EVERY_MS, 1000)
    assert span.ms == 145000, "half of the room between 90 s and 200 s more"
    span.died(145000)
    span.connected(TRIAL_EVERY_MS + 1, "23415", True)
    assert span.ms == 90000
    span.died(90000)
    span.connected(TRIAL_EVERY_MS + 2, "23415", True)
    assert span.ms == 45000, "what survived once did not do so again"


def test_a_death_is_blamed_once():
    span = IdleSpan()
    span.connected(0, "23415", True)
    span.died(200000)
    span.connected(0, "23415", False)
    span.connected(1, "23415", True)
    assert span.ms == FIRST_MS


def test_no_more_is_tried_when_a_fifth_of_what_died_is_left():
    for died_ms, left_ms, span_ms in ((200000, 40000, 100000), (200000, 40001, 200000 - 40001 + 40001 // 2)):
        span = IdleSpan()
        span.connected(0, "23415", True)
        span.died(died_ms)
        span.connected(0, "23415", True)
        span.survived(0, died_ms - left_ms)
        span.survived(TRIAL_EVERY_MS, 0)
        assert span.ms == span_ms


def test_what_survives_longer_than_what_died_leaves_no_room_to_try():
    span = IdleSpan()
    span.connected(0, "23415", True)
    span.died(100000)
    span.connected(0, "23415", True)
    span.survived(TRIAL_EVERY_MS, 500000)
    span.died(100000)
    span.connected(TRIAL_EVERY_MS, "23415", True)
    assert span.ms == 99999


def test_all_is_forgotten_a_day_after_the_last_death_and_not_before():
    span = IdleSpan()
    span.connected(0, "23415", True)
    span.died(100000)
    span.connected(1000, "23415", True)
    span.survived(1000 + FORGOTTEN_MS - 1, 50000)
    assert span.ms != FIRST_MS
    span.survived(1000 + FORGOTTEN_MS, 50000)
    assert span.ms == FIRST_MS


def test_trials_are_an_hour_apart():
    span = IdleSpan()
    span.connected(0, "23415", True)
    span.died(FIRST_MS)
    span.connected(1000, "23415", True)
    allowed = set()
    for now_ms in range(1000, TRIAL_EVERY_MS, span.ms):
        span.survived(now_ms, span.ms)
        allowed.add(span.ms)
    assert allowed == {THEN_MS}
