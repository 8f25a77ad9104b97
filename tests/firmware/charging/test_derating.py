"""Is the current reduced in steps when the unit is warm, and only restored when it is cooler?"""

from firmware.charging.derating import HOT_MS, Derating


def test_up_and_down_with_hysteresis():
    derating, now_ms = Derating(), 0
    seen = []
    for temperature_c in (20, 64, 65, 67, 68, 66, 65, 64, 63, 62, 64, 69, None, 61):
        now_ms += HOT_MS
        derating.step(now_ms, temperature_c)
        now_ms += HOT_MS
        derating.step(now_ms, temperature_c)
        seen.append(derating.quarters)
    assert seen == [4, 4, 2, 2, 1, 1, 2, 2, 2, 4, 4, 1, 1, 4]


def test_a_single_reading_reduces_nothing():
    """A sensor reports 85 C after its own restart."""
    derating = Derating()
    for now_ms, temperature_c in ((0, 25), (20, 85), (60, 85), (80, 25), (1060, 85), (1080, 25)):
        assert not derating.step(now_ms, temperature_c)
    assert derating.quarters == 4


def test_readings_that_waver_above_the_limit_count_as_hot():
    derating = Derating()
    for now_ms in range(0, HOT_MS, 20):
        assert not derating.step(now_ms, 66 + now_ms // 20 % 2)
    assert derating.step(HOT_MS, 66) and derating.quarters == 2
