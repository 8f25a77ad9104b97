"""Is each pulse counted once, and does the power follow from their distance?"""

from firmware.charging.io import Inputs
from firmware.metering.pulses import PulseMeter


def readings(meter, elapsed_ms=0):
    """Return the inputs after `elapsed_ms` without a pulse."""
    inputs = Inputs()
    inputs.supply_mv = 230000
    meter.poll(elapsed_ms, inputs)
    return inputs


def test_a_thousand_pulses_are_a_kilowatt_hour_on_top_of_what_was_kept():
    meter = PulseMeter(1000, kept_wh=5000)
    for number in range(1000):
        meter.pulse(number * 500)
    assert readings(meter).meter_wh == 6000


def test_pulses_half_a_second_apart_are_7200_w_and_their_current():
    meter = PulseMeter(1000)
    for number in range(10):
        meter.pulse(number * 500)
    inputs = readings(meter, 100)
    assert inputs.power_w == 7200 and 31200 <= inputs.current_ma <= 31400


def test_when_the_pulses_stop_the_power_falls_to_nothing():
    meter = PulseMeter(1000)
    meter.pulse(0)
    meter.pulse(500)
    powers = [readings(meter, elapsed_ms).power_w for elapsed_ms in (100, 900, 8500, 3990000)]
    assert powers == sorted(powers, reverse=True) and powers[0] == 7200 and powers[-1] == 0


def test_a_bouncing_contact_counts_once():
    meter = PulseMeter(1000)
    for now_ms in (0, 3, 9, 500, 510):
        meter.pulse(now_ms)
    assert readings(meter).meter_wh == 2


def test_a_meter_that_never_pulsed_draws_nothing():
    assert readings(PulseMeter(1000), 5000).power_w == 0


def test_the_wrap_of_the_ticks_makes_no_difference():
    """On 32 bits, it happens after 12.4 days."""
    meter = PulseMeter(1000)
    for number in range(10):
        meter.pulse((2**30 - 2250 + number * 500) % 2**30)
    assert readings(meter).power_w == 7200 and readings(meter).meter_wh == 10


def test_many_pulses_are_counted_exactly():
    meter = PulseMeter(1600)
    meter._pulses = 4_000_001
    assert readings(meter).meter_wh == 2_500_000
