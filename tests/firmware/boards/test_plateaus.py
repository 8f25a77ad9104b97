"""Are both pilot levels found in a burst of samples, and is a resistor computed correctly?"""

import pytest

from firmware.boards.plateaus import BURST, LONG_BURST, STEADY_BURST, burst_samples, plateau, resistance_ohm


def plateaus(samples):
    samples.sort()
    return plateau(*samples[-3:]), plateau(*samples[:3])


def burst(high, low, duty_percent, spike=None, count=80, apart_us=60, phase_us=0):
    """Return `count` samples of a 1 kHz PWM, one of them on an edge."""
    samples = []
    for number in range(count):
        at = (phase_us + number * apart_us) % 1000
        samples.append(high if at < duty_percent * 10 else low)
    samples[7] = (high + low) // 2
    if spike is not None:
        samples[40] = spike
    return samples


@pytest.mark.parametrize("duty_percent", [10, 16, 53, 85, 96])
def test_both_plateaus_are_found_at_every_duty_that_offers_current(duty_percent):
    assert plateaus(burst(6000, -12000, duty_percent)) == (6000, -12000)


@pytest.mark.parametrize("duty_percent", [10, 16, 24, 25, 26, 27, 53, 74, 75, 76, 85, 90])
def test_a_burst_holds_three_of_both_plateaus_up_to_63_a(duty_percent):
    """For any phase and any speed of the converter."""
    count = burst_samples(duty_percent * 65535 // 100)
    for apart_us in (40, 43, 47, 50, 60):
        for phase_us in range(0, 1000, 20):
            samples = burst(6000, -12000, duty_percent, count=count, apart_us=apart_us, phase_us=phase_us)
            samples[7] = 6000 if (phase_us + 7 * apart_us) % 1000 < duty_percent * 10 else -12000  # no edge
            assert min(samples.count(6000), samples.count(-12000)) >= 3, (apart_us, phase_us)
            assert plateaus(samples) == (6000, -12000)


def test_a_short_plateau_takes_more_samples():
    assert [burst_samples(percent * 65535 // 100) for percent in (0, 10, 53, 80, 96, 100)] == [
        STEADY_BURST,
        BURST,
        STEADY_BURST,
        BURST,
        LONG_BURST,
        STEADY_BURST,
    ]


def test_a_steady_pilot_has_one_plateau():
    assert plateaus([9000] * 80) == (9000, 9000)


def test_a_single_spike_moves_a_plateau_by_a_third_of_it_and_no_more():
    high, low = plateaus(burst(6000, -12000, 53, spike=6900))
    assert high == 6300 and low == -12000


@pytest.mark.parametrize("ohm", [100, 220, 680, 1500])
def test_a_resistor_below_the_pull_up_is_worked_out(ohm):
    measured_mv = 3300 * ohm // (1000 + ohm)
    assert abs(resistance_ohm(measured_mv, 3300, 1000, 10000) - ohm) <= ohm * 0.005


@pytest.mark.parametrize("measured_mv", [3300, 3400, 3200])
def test_an_open_input_is_none(measured_mv):
    assert resistance_ohm(measured_mv, 3300, 1000, 10000) is None


def test_a_short_is_nearly_nothing():
    assert resistance_ohm(0, 3300, 1000, 10000) == 0
