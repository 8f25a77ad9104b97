"""Calculates the two plateaus of the pilot from one burst of samples. Pure.

A burst covers several cycles of the 1 kHz PWM at an arbitrary phase, so it has samples of both plateaus and a few of the edges
between them. The mean of the three highest and of the three lowest samples suppresses single spikes (esp32-evse does the
same). A burst must therefore have three samples of each plateau at any phase (test_plateaus.py). A shorter plateau requires
more samples, which take 40 to 60 us each. Nothing here allocates memory: all numbers, up to three times 3,300,000 uV, are
small integers of 31 bits.
"""

from firmware.charging.io import X1, F

STEADY_BURST, BURST, LONG_BURST = 32, 52, 80


def burst_samples(duty_u16: int) -> int:
    """Return how many samples capture both plateaus at this duty cycle.

    A steady level has only one plateau, and at 25 to 75 % (15 to 45 A) both plateaus are long. BURST is enough from 10 to 90 %
    (6 to 63 A).
    """
    percent = duty_u16 * 100 // X1
    if 25 <= percent < 75 or duty_u16 in (F, X1):
        return STEADY_BURST
    return BURST if percent < 90 else LONG_BURST


def plateau(first: int, second: int, third: int) -> int:
    """Return the upper or lower plateau from the three highest or lowest samples of a burst, in the unit of the samples."""
    return (first + second + third) // 3


def resistance_ohm(measured_mv: int, supply_mv: int, pull_up_ohm: int, open_ohm: int) -> "int | None":
    """Return the resistance from the measured point to earth, with a pull-up to the supply; None from `open_ohm` on."""
    if measured_mv >= supply_mv:
        return None
    ohm = pull_up_ohm * measured_mv // (supply_mv - measured_mv)
    return ohm if ohm < open_ohm else None
