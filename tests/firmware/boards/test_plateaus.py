"""Are both plateaus found in a burst of samples, and is a resistor worked out right?"""

import pytest

from firmware.boards.plateaus import plateaus, resistance_ohm


def burst(high, low, duty_percent, spike=None):
    """80 samples 60 us apart of a 1 kHz PWM, with a sample on every edge somewhere between."""
    samples = []
    for number in range(80):
        at = number * 60 % 1000
        samples.append(high if at < duty_percent * 10 else low)
    samples[7] = (high + low) // 2
    if spike is not None:
        samples[40] = spike
    return samples


@pytest.mark.parametrize("duty_percent", [10, 16, 53, 85, 96])
def test_both_plateaus_are_found_at_every_duty_that_offers_current(duty_percent):
    assert plateaus(burst(6000, -12000, duty_percent)) == (6000, -12000)


def test_a_steady_pilot_has_one_plateau():
    assert plateaus([9000] * 80) == (9000, 9000)


def test_a_single_spike_moves_a_plateau_by_a_third_of_it_and_no_more():
    high, low = plateaus(burst(6000, -12000, 53, spike=6900))
    assert high == 6300 and low == -12000


@pytest.mark.parametrize("ohm", [100, 220, 680, 1500])
def test_a_resistor_below_the_pull_up_is_worked_out(ohm):
    measured_uv = 3300000 * ohm // (1000 + ohm)
    assert abs(resistance_ohm(measured_uv, 3300000, 1000, 10000) - ohm) <= 1


@pytest.mark.parametrize("measured_uv", [3300000, 3400000, 3200000])
def test_an_open_input_is_none(measured_uv):
    assert resistance_ohm(measured_uv, 3300000, 1000, 10000) is None


def test_a_short_is_nearly_nothing():
    assert resistance_ohm(0, 3300000, 1000, 10000) == 0
