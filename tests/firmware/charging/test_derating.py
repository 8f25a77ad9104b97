"""Is the current reduced in steps when it is warm, and given back only when it is cooler?"""

from firmware.charging.derating import Derating


def test_up_and_down_with_hysteresis():
    derating = Derating()
    seen = []
    for temperature_c in (20, 64, 65, 67, 68, 66, 65, 64, 63, 62, 64, 69, None, 61):
        derating.step(temperature_c)
        seen.append(derating.quarters)
    assert seen == [4, 4, 2, 2, 1, 1, 2, 2, 2, 4, 4, 1, 1, 4]
