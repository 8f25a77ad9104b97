"""Does the self-test pass a sensor that works, and fail one that does not trip or does not release?"""

from firmware.charging.rcd_selftest import RELEASE_MS, TRIP_MS, RcdSelftest


def test_a_sensor_that_trips_and_releases_has_passed():
    test = RcdSelftest()
    test.begin(0)
    for now_ms, ac_trip, dc_trip, state in (
        (20, False, True, "tripping"),
        (40, True, True, "releasing"),
        (60, True, True, "releasing"),
        (80, False, True, "releasing"),
        (100, False, False, "passed"),
    ):
        test.step(now_ms, ac_trip, dc_trip)
        assert test.state == state


def test_one_that_does_not_trip_in_time_has_failed():
    test = RcdSelftest()
    test.begin(0)
    test.step(TRIP_MS - 1, False, False)
    assert test.state == "tripping"
    test.step(TRIP_MS, False, False)
    assert test.state == "failed"


def test_one_that_does_not_release_has_failed():
    test = RcdSelftest()
    test.begin(0)
    test.step(20, True, False)
    test.step(20 + RELEASE_MS, True, False)
    assert test.state == "failed"


def test_a_test_that_runs_is_not_begun_again():
    test = RcdSelftest()
    test.begin(0)
    test.ask()
    assert test.state == "tripping"
    test.forget(20)
    test.step(40, False, False)
    test.ask()
    assert test.state == "requested"


def test_one_that_is_broken_off_lets_the_sensor_let_go():
    for lets_go_ms, due_ms in ((140, 140), (10000, 100 + RELEASE_MS)):
        test = RcdSelftest()
        test.begin(0)
        for now_ms in range(20, 700, 20):
            if now_ms >= 100:
                test.forget(now_ms)
            test.step(now_ms, 40 <= now_ms < lets_go_ms, 60 <= now_ms < lets_go_ms)
            assert (test.state == "aborted") == (100 <= now_ms < due_ms)


def test_a_test_is_due_at_first_and_nothing_is_measured_before_it_begins():
    test = RcdSelftest()
    assert test.state == "due"
    test.step(10 * TRIP_MS, True, True)
    assert test.state == "due"


def test_it_has_as_long_to_release_as_to_trip():
    test = RcdSelftest()
    test.begin(1000)
    test.step(1000 + TRIP_MS - 1, True, True)
    test.step(1000 + TRIP_MS - 1 + RELEASE_MS - 1, False, True)
    assert test.state == "releasing"
    test.step(1000 + TRIP_MS - 1 + RELEASE_MS, False, True)
    assert test.state == "failed"
    test.forget(9000)
    assert test.state == "due"
    test.ask()
    assert test.state == "requested"
    test.forget(9000)
    assert test.state == "due"
