"""Is the light red if and only if a fault is set, and never dark?"""

from firmware.charging import faults, sequence
from firmware.charging.led import INSTALLER_BLINKS_EVERY_MS, LINK_BLINK_EVERY_MS, VIOLET, WHITE, blink_now, led

EVERY_20_MS = range(0, 2 * LINK_BLINK_EVERY_MS, 20)


def lit(phase, names, link, now, commissioned):
    return led(phase, names, blink_now(link, commissioned, now), now)


def is_red(colour):
    return colour[0] > 0 and colour[1] == 0 and colour[2] == 0


def test_it_is_red_while_any_fault_is_set_whatever_else_happens():
    for fault in faults.TABLE:
        for phase in sequence.DRIVES:
            for link in (True, False):
                for now in EVERY_20_MS:
                    assert is_red(lit(phase, (fault.name,), link, now, link))


def test_without_a_fault_it_is_never_red_and_red_never_prevails():
    for phase in sequence.DRIVES:
        for link in (True, False):
            for now in EVERY_20_MS:
                for commissioned in (True, False):
                    red, green, blue = lit(phase, (), link, now, commissioned)
                    assert red <= blue or red == 0


def test_it_is_never_dark():
    for phase in sequence.DRIVES:
        for now in EVERY_20_MS:
            assert max(lit(phase, (), False, now, False)) >= 20


def test_a_silent_network_adds_one_short_blink_and_changes_nothing_else():
    for phase in sequence.DRIVES:
        differs = [now for now in EVERY_20_MS if lit(phase, (), True, now, True) != lit(phase, (), False, now, True)]
        assert all(now % LINK_BLINK_EVERY_MS < 150 for now in differs)


def test_a_fault_that_needs_a_person_looks_different_from_one_that_passes():
    latched = {lit("faulted", ("rcd_ac",), True, now, True) for now in EVERY_20_MS}
    passing = {lit("faulted", ("over_temperature",), True, now, True) for now in EVERY_20_MS}
    assert len(latched) == 1 and len(passing) == 2


def test_a_unit_that_is_not_commissioned_adds_two_violet_blinks_beside_the_white_one_and_changes_nothing_else():
    for phase in sequence.DRIVES:
        for link in (True, False):
            added = [now for now in EVERY_20_MS if lit(phase, (), link, now, False) != lit(phase, (), link, now, True)]
            assert {lit(phase, (), link, now, False) for now in added} == {VIOLET}
            assert {now % INSTALLER_BLINKS_EVERY_MS // 100 for now in added} == {20, 21, 24, 25}
        shown = [lit(phase, (), False, now, False) for now in EVERY_20_MS]
        assert shown.count(WHITE) == 2 * 8 and shown.count(VIOLET) == 4 * 20
