"""Is a guesser stopped, and nobody else?"""

from cloud_bridge.web.security import attempts
from cloud_bridge.web.security.attempts import MAX_KEYS, WINDOW_MS, Attempts, Limit, login_limits

LIMITS = [Limit("ann@here", 3)]


def guess(tries: Attempts, count: int, now_ms: int = 0) -> None:
    for _ in range(count):
        tries.failed(LIMITS, now_ms)


def test_the_allowance_is_free_and_then_there_is_a_wait() -> None:
    tries = Attempts()
    guess(tries, 2)
    assert tries.wait_ms(LIMITS, 0) == 0
    guess(tries, 1)
    assert tries.wait_ms(LIMITS, 0) == WINDOW_MS // 3


def test_the_allowance_comes_back_one_by_one() -> None:
    tries = Attempts()
    guess(tries, 3)
    assert tries.wait_ms(LIMITS, WINDOW_MS // 3) == 0
    guess(tries, 1, WINDOW_MS // 3)
    assert tries.wait_ms(LIMITS, WINDOW_MS // 3) == WINDOW_MS // 3
    assert tries.wait_ms(LIMITS, 2 * WINDOW_MS) == 0


def test_a_right_password_forgets_the_wrong_ones() -> None:
    tries = Attempts()
    guess(tries, 3)
    tries.succeeded(LIMITS)
    assert tries.wait_ms(LIMITS, 0) == 0


def test_a_clock_set_back_gives_nothing_and_takes_nothing() -> None:
    tries = Attempts()
    guess(tries, 2, 1_000_000)
    assert tries.wait_ms(LIMITS, 0) == 0
    guess(tries, 1, 0)
    assert tries.wait_ms(LIMITS, 0) > 0


def test_somebody_elsewhere_still_gets_in_while_a_guesser_waits() -> None:
    tries = Attempts()
    for _ in range(8):
        tries.failed(login_limits("ann", "1.2.3.4"), 0)
    assert tries.wait_ms(login_limits("ann", "1.2.3.4"), 0) > 0
    assert tries.wait_ms(login_limits("ann", "5.6.7.8"), 0) == 0
    assert tries.wait_ms(login_limits("ben", "1.2.3.4"), 0) == 0


def test_memory_is_bounded() -> None:
    tries = Attempts()
    for number in range(attempts.MAX_KEYS + 50):
        tries.failed([Limit(str(number), 1)], 0)
    assert len(tries._used) == MAX_KEYS


def test_a_household_has_one_address_whichever_of_its_ipv6_addresses_it_uses() -> None:
    def keys(address: str) -> list[str]:
        return [one.key for one in login_limits("dora", address)]

    assert keys("2001:db8:1:2::1") == keys("2001:db8:1:2:ffff::9")
    assert keys("2001:db8:1:2::1") != keys("2001:db8:1:3::1")
    assert keys("fe80::1%eth0") == keys("fe80::2%eth0")
    assert keys("192.0.2.1") != keys("192.0.2.2")
    assert keys("") == ["dora@", "@", "dora"]


def test_guesses_at_the_same_time_are_no_more_than_one_after_the_other() -> None:
    tries = Attempts()
    assert [tries.reserve(LIMITS, 0) == 0 for _ in range(5)] == [True] * 3 + [False] * 2


def test_a_right_one_takes_nothing_from_the_others_behind_the_same_address() -> None:
    """Forty people of one office log in, one after the other."""
    tries = Attempts()
    for number in range(200):
        limits = login_limits(f"person {number}", "192.0.2.1")
        assert tries.reserve(limits, 0) == 0
        tries.succeeded(limits)


def test_what_is_refused_is_not_counted() -> None:
    tries = Attempts()
    for _ in range(50):
        tries.reserve(LIMITS, 0)
    assert tries.reserve(LIMITS, WINDOW_MS // 3) == 0
