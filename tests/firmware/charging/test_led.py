"""Is the light red if and only if a fault is set, and never dark?"""

from firmware.charging import faults, sequence
from firmware.charging.led import LINK_BLINK_EVERY_MS, led

EVERY_20_MS = range(0, 2 * LINK_BLINK_EVERY_MS, 20)


def is_red(colour):
    return colour[0] > 0 and colour[1] == 0 and colour[2] == 0


def test_it_is_red_while_any_fault_is_set_whatever_else_happens():
    for fault in faults.TABLE:
        for phase in sequence.DRIVES:
            for link in (True, False):
                for now in EVERY_20_MS:
                    assert is_red(led(phase, (fault.name,), link, now))


def test_without_a_fault_it_is_never_red_and_red_never_prevails():
    for phase in sequence.DRIVES:
        for link in (True, False):
            for now in EVERY_20_MS:
                red, green, blue = led(phase, (), link, now)
                assert red <= green and red <= blue or red == 0


def test_it_is_never_dark():
    for phase in sequence.DRIVES:
        for now in EVERY_20_MS:
            assert max(led(phase, (), False, now)) >= 20


def test_a_silent_network_adds_one_short_blink_and_changes_nothing_else():
    for phase in sequence.DRIVES:
        differs = [now for now in EVERY_20_MS if led(phase, (), True, now) != led(phase, (), False, now)]
        assert all(now % LINK_BLINK_EVERY_MS < 150 for now in differs)


def test_a_fault_that_needs_a_person_looks_different_from_one_that_passes():
    latched = {led("faulted", ("rcd_ac",), True, now) for now in EVERY_20_MS}
    passing = {led("faulted", ("over_temperature",), True, now) for now in EVERY_20_MS}
    assert len(latched) == 1 and len(passing) == 2
