"""From one burst of samples of the pilot to its two plateaus. Pure.

A burst covers some cycles of the 1 kHz PWM at no fixed phase, so it holds samples of both plateaus and a few of the edges
between them. The mean of the three highest and of the three lowest leaves out single spikes (esp32-evse does the same). So
there must be three of each, whatever the phase (test_plateaus.py). A shorter plateau takes more samples, 40 to 60 us each.
Nothing here allocates memory: all numbers are small integers of 31 bits, microvolts up to 3,300,000 and their triples too.
"""

from firmware.charging.io import X1, F

STEADY_BURST, BURST, LONG_BURST = 32, 52, 80


def burst_samples(duty_u16: int) -> int:
    """How many samples hold both plateaus at this duty: a steady level has one, and 25 to 75 % (15 to 45 A) has long ones.

    52 are enough from 10 to 90 % (6 to 63 A).
    """
    percent = duty_u16 * 100 // X1
    if 25 <= percent < 75 or duty_u16 in (F, X1):
        return STEADY_BURST
    return BURST if percent < 90 else LONG_BURST


def plateau(first: int, second: int, third: int) -> int:
    """The upper or the lower plateau from the three highest or lowest samples of a burst, in their unit."""
    return (first + second + third) // 3


def resistance_ohm(measured_mv: int, supply_mv: int, pull_up_ohm: int, open_ohm: int) -> "int | None":
    """The resistor from the measured point to earth, below a pull-up to the supply; None from `open_ohm` on."""
    if measured_mv >= supply_mv:
        return None
    ohm = pull_up_ohm * measured_mv // (supply_mv - measured_mv)
    return ohm if ohm < open_ohm else None
