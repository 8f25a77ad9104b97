"""Is the pilot read and driven as IEC 61851-1 says?"""

import pytest

from firmware.charging import pilot
from firmware.charging.io import X1, F
from tests.firmware.charging import offered


@pytest.mark.parametrize(
    "high_mv, low_mv, pwm_on, state",
    [
        (12000, 12000, False, "A1"),
        (12000, -12000, True, "A2"),
        (9000, 9000, False, "B1"),
        (9000, -12000, True, "B2"),
        (6000, 6000, False, "C1"),
        (6000, -12000, True, "C2"),
        (3000, 3000, False, "D1"),
        (3000, -12000, True, "D2"),
        (0, 0, False, "E"),
        (0, 0, True, "E"),
        (-12000, -12000, False, "F"),
    ],
)
def test_every_nominal_voltage_is_its_state(high_mv, low_mv, pwm_on, state):
    assert pilot.read(high_mv, low_mv, pwm_on) == state


@pytest.mark.parametrize("high_mv", [13500, 10500, 7500, 4500, 1500, -5000])
def test_a_plateau_between_two_bands_is_no_state(high_mv):
    assert pilot.read(high_mv, high_mv, False) is None
    assert pilot.read(high_mv, -12000, True) is None


@pytest.mark.parametrize("high_mv", [9000, 6000, 3000])
def test_without_the_diode_no_state_allows_charging(high_mv):
    assert pilot.read(high_mv, -high_mv, True) is None
    assert pilot.diode_missing(high_mv, -high_mv)
    assert not pilot.diode_missing(high_mv, -12000)


@pytest.mark.parametrize(
    "high_mv, low_mv, missing",
    [
        (1999, 0, False),
        (2000, 0, True),
        (10000, 0, True),
        (10001, 0, False),
        (6000, pilot.HIGHEST_LOW_MV, False),
        (6000, pilot.HIGHEST_LOW_MV + 1, True),
        (-2000, -2000, False),
        (-2001, -2001, True),
        (-2001, -2002, False),
    ],
)
def test_the_diode_is_missing_between_a_short_to_earth_and_no_vehicle(high_mv, low_mv, missing):
    assert pilot.diode_missing(high_mv, low_mv) is missing


@pytest.mark.parametrize("state, volts", [("A2", 12), ("B2", 9), ("C2", 6), ("D2", 3)])
def test_a_state_holds_to_the_same_distance_above_and_below_its_voltage(state, volts):
    for away_mv in (-pilot.HOLD_MV, pilot.HOLD_MV):
        assert pilot.follow(state, 1000 * volts + away_mv, -12000, True) == state
    for away_mv in (-pilot.HOLD_MV - 1, pilot.HOLD_MV + 1):
        assert pilot.follow(state, 1000 * volts + away_mv, -12000, True) != state


def test_a_pilot_that_moves_though_nothing_drives_it_is_no_state():
    assert pilot.read(6000, -12000, False) is None


@pytest.mark.parametrize(
    "amps, percent",
    [
        (6, 10),
        (10, 16.6667),
        (13, 21.6667),
        (16, 26.6667),
        (20, 33.3333),
        (32, 53.3333),
        (51, 85),
        (63, 89.2),
        (80, 96),
    ],
)
def test_the_duty_of_common_currents(amps, percent):
    assert abs(pilot.duty_u16(amps) * 100 / 65535 - percent) < 0.002


def test_every_current_survives_the_round_trip_and_is_never_exceeded():
    for tenths in range(60, 801):
        amps = tenths / 10
        read_a = offered.amps(pilot.duty_u16(amps))
        assert read_a <= amps + 1e-4, (amps, read_a)  # 1e-4: a board's floats have 24 bits
        assert read_a >= amps - 0.1 or 51 < amps <= 52.5, (amps, read_a)


def test_between_51_and_52_5_a_the_standard_has_no_duty_and_51_is_offered():
    assert pilot.duty_u16(52) == pilot.duty_u16(51)
    assert abs(offered.amps(pilot.duty_u16(52)) - 51) < 0.01


@pytest.mark.parametrize("amps", [0, 1, 5, 5.9])
def test_less_than_6_a_is_no_offer(amps):
    assert pilot.duty_u16(amps) == X1


def test_more_than_80_a_is_offered_as_80():
    assert pilot.duty_u16(100) == pilot.duty_u16(80)


@pytest.mark.parametrize(
    "percent, amps", [(0, 0), (2, 0), (5, 0), (7.5, 0), (8.5, 6), (9.9, 6), (96.5, 80), (98, 0), (100, 0)]
)
def test_duties_at_the_edges_of_the_table(percent, amps):
    assert offered.amps(int(percent * 65535 / 100)) == amps


def test_steady_pilots_offer_nothing():
    assert offered.amps(X1) == 0
    assert offered.amps(F) == 0
