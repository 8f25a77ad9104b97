"""Is an offer changed every five seconds at most, and at once where a ceiling demands it?"""

from firmware.charging.offer_limiter import DUTY_CHANGE_MS, OfferLimiter

LOWEST_CEILING_A = 32


def test_the_first_offer_waits_for_nothing():
    limiter = OfferLimiter(1000)
    assert not limiter.rests(1000)
    assert limiter.step(1000, 10, 16, LOWEST_CEILING_A) == 16


def test_the_next_one_comes_five_seconds_after_the_last_change():
    limiter = OfferLimiter(0)
    assert limiter.step(0, 0, 16, LOWEST_CEILING_A) == 16
    assert limiter.step(DUTY_CHANGE_MS - 2, 16, 16, LOWEST_CEILING_A) == 16, "the same is no change"
    assert limiter.step(DUTY_CHANGE_MS - 1, 16, 10, LOWEST_CEILING_A) == 16
    assert limiter.step(DUTY_CHANGE_MS, 16, 10, LOWEST_CEILING_A) == 10
    assert limiter.step(2 * DUTY_CHANGE_MS - 1, 10, 16, LOWEST_CEILING_A) == 10


def test_what_is_above_a_ceiling_is_lowered_at_once_and_what_is_at_it_is_not():
    limiter = OfferLimiter(0)
    limiter.step(0, 0, 16, LOWEST_CEILING_A)
    assert limiter.step(1, 16, 10, 16) == 16
    assert limiter.step(1, 16, 10, 15.9) == 10


def test_an_offer_that_begins_does_not_wait_for_the_last_one():
    limiter = OfferLimiter(0)
    limiter.step(0, 16, 10, LOWEST_CEILING_A)
    assert limiter.step(1, 0, 16, LOWEST_CEILING_A) == 16


def test_one_that_was_withdrawn_rests_for_five_seconds():
    limiter = OfferLimiter(0)
    limiter.withdraw(7000)
    assert limiter.rests(7000) and limiter.rests(7000 + DUTY_CHANGE_MS - 1)
    assert not limiter.rests(7000 + DUTY_CHANGE_MS)
